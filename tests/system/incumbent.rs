//! registry:2 beside Apus, over one store: either reads what the other wrote, and whoever goes back loses nothing.
//!
//! | file | what it shows |
//! |---|---|
//! | `forward` | what registry:2 wrote is read by Apus, every byte |
//! | `schema1` | images of Docker's schema 1 that registry:2 took |
//! | `uploads` | an upload with which registry:2 was killed |
//! | `damaged` | a blob of registry:2 whose segments are gone |
//! | `backward` | what Apus wrote is served by registry:2 |
//! | `changes` | either changes what the other wrote |
//! | `collector` | the collector of either over what the other wrote |
//! | `leftovers` | Apus over what the collector and deletions of registry:2 leave behind |
//! | `events` | what is told to others of the same requests |
//! | `prefixes` | odd prefixes of names in the container |
//! | `mixed` | both at once |
//! | `metrics` | what registry:2 measures, Apus measures under the same names |

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

mod answers;
mod backward;
mod changes;
mod collector;
mod damaged;
mod events;
mod forward;
mod leftovers;
mod metrics;
mod mixed;
mod own;
mod prefixes;
pub(crate) mod registry2;
mod schema1;
mod stock;
mod uploads;

use crate::support::backend::REDIRECTS;
use crate::support::swift::{Container, object_names};
use crate::support::{Apus, Backend, apus};
use registry2::Registry2;

/// Storage that both registries use, by the same lines of configuration.
struct Store {
    backend: Backend,
    driver: String,
}

/// What stands below `storage:` besides the driver.
const OPTIONS: &str = "  delete: {enabled: true}\n  cache: {blobdescriptor: inmemory}\n  maintenance: {uploadpurging: {enabled: false}}";

impl Store {
    fn over(backend: Backend) -> Self {
        Self { driver: backend.storage().to_owned(), backend }
    }

    fn filesystem() -> Self {
        Self::over(Backend::filesystem())
    }

    fn swift_v1() -> Self {
        Self::over(Backend::swift_v1())
    }

    fn swift_v3() -> Self {
        Self::over(Backend::swift_v3())
    }

    /// The same with one more line for the driver; on Swift only.
    fn with(mut self, line: &str) -> Self {
        self.driver.push_str("\n    ");
        self.driver.push_str(line);
        self
    }

    /// The lines below `storage:`. Blobs come through the registry.
    fn storage(&self) -> String {
        format!("{}\n{OPTIONS}\n  redirect: {{disable: true}}", self.driver)
    }

    /// The same, and clients are sent to Swift for blobs, as either registry does by default.
    fn redirecting(&self) -> String {
        format!("{}\n{OPTIONS}{REDIRECTS}", self.driver)
    }

    /// For messages.
    fn name(&self) -> &'static str {
        self.backend.name
    }

    /// The names of all that is stored: of objects, or of files.
    async fn names(&self) -> BTreeSet<String> {
        match (self.backend.directory(), self.backend.container()) {
            (Some(directory), _) => files_below(directory),
            (_, Some(container)) => object_names(container).await.into_iter().collect(),
            _ => unreachable!("there is a directory or a container"),
        }
    }

    /// Removes what registry:2 calls by this path, past both registries.
    async fn remove(&self, path: &str) {
        match (self.backend.directory(), self.backend.container()) {
            (Some(directory), _) => std::fs::remove_file(directory.join(path)).unwrap(),
            (_, Some(container)) => Container::open(container).await.delete(&format!("files/{path}")).await,
            _ => unreachable!("there is a directory or a container"),
        }
    }

    fn apus(&self) -> Apus {
        Apus::start(&self.storage())
    }

    /// Runs the collector of Apus, which spares nothing for its youth. Answers what it printed.
    fn collect_garbage_by_apus(&self) -> String {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.yml");
        std::fs::write(&file, format!("version: 0.1\nstorage:\n{}\n", self.storage())).unwrap();
        let output = apus::command().args(["garbage-collect", "--min-age", "0s"]).arg(file).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn registry_2(&self) -> Registry2 {
        Registry2::start(&self.storage(), "")
    }
}

fn files_below(directory: &Path) -> BTreeSet<String> {
    let paths = directory.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| {
        if path.is_dir() { files_below(&path) } else { BTreeSet::from([path.display().to_string()]) }
    };
    paths.flat_map(below).collect()
}
