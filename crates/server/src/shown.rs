//! Images of version 1 that are shown: what version 2 has to know of them beside what it reads of any registry.

use apus_auth::Permit;
use apus_registry::RepositoryName;

use crate::authorization::{Asking, Refused};
use crate::errors::Failure;
use crate::{Action, App};

impl App {
    /// A repository that is marked as private is there only for who has signed in, whatever a policy lets everyone do; and for
    /// everyone where nobody can sign in, as in version 1.
    pub(crate) async fn keep_private(
        &self,
        action: &Action,
        permit: &Permit,
        asking: Asking<'_>,
    ) -> Result<(), Refused> {
        let authorization = &self.options().authorization;
        let Some((shown, name)) = self.options().shown.as_ref().zip(read(action)) else { return Ok(()) };
        if !permit.identity().is_anonymous() || authorization.is_open() {
            return Ok(());
        }
        let private = shown.is_private(name).await;
        let private = private.map_err(|error| Failure::from(apus_registry::Error::from(error)))?;
        if private { Err(authorization.refuse_anonymous(action, asking)) } else { Ok(()) }
    }
}

/// The repository that an action reads.
fn read(action: &Action) -> Option<&RepositoryName> {
    match action {
        Action::ListReferrers(name, _)
        | Action::ListTags(name)
        | Action::GetManifest(name, _)
        | Action::GetBlob(name, ..)
        | Action::UploadStatus(name, _) => Some(name),
        _ => None,
    }
}
