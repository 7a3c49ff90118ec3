//! `database`: no key of registry:2, but of GitLab's fork of it. One that serves from a database must not be taken over by what
//! only sees the storage.

use crate::ConfigError;
use crate::section::Section;

/// Stops unless the database is switched off, also if it may be on; what else is said of it does not matter then.
pub(super) fn refuse(root: &mut Section) -> Result<(), ConfigError> {
    let Some(enabled) = root.section("database")?.take("enabled") else { return Ok(()) };
    let refused = enabled.key.unsupported(
        "refused: GitLab's registry keeps repositories and tags in this database; from the storage alone Apus would serve \
         none of them, and a garbage collection would delete what they name; move the images by pulling and pushing them",
    );
    match enabled.boolean() {
        Ok(Some(false) | None) => Ok(()),
        _ => Err(refused),
    }
}
