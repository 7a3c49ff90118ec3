//! Version 1 of the protocol, as docker-registry 0.x spoke it: its own configuration, its own data, its own clients.
//!
//! | file | what it shows |
//! |---|---|
//! | `docker` | a push and a pull in the order of docker 1.3, header by header, over the real Swift and over directories |
//! | `python` | docker-registry-client reads repositories, tags, images and ancestries |
//! | `shown` | its images in version 2: pulled by skopeo and docker, by any replica, and not pushed to |
//! | `versions` | what is spoken beside it: nothing by an old configuration, all by a new one |

mod docker;
mod python;
mod shown;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::backend::{new_container, variable};
use crate::support::swift::Container;
use crate::support::{Apus, apus};

/// The image at the top of the original's sample.
const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";

/// An old registry: its configuration, as docker-registry 0.x had it, and where its objects lie.
struct Old {
    /// For messages.
    name: &'static str,
    configuration: String,
    directory: Option<tempfile::TempDir>,
    container: Option<String>,
}

impl Old {
    /// In a new container of the real Swift, where nothing is yet.
    fn in_swift() -> Self {
        let container = new_container();
        let [url, user, key] = ["ST_AUTH", "ST_USER", "ST_KEY"].map(variable);
        let configuration = format!(
            "swift:\n  storage: swift\n  storage_path: /registry\n  swift_auth_version: 1\n  swift_authurl: {url}\n  \
             swift_user: \"{user}\"\n  swift_password: \"{key}\"\n  swift_container: {container}\n  standalone: true\n  \
             search_backend: sqlalchemy\n"
        );
        Self { name: "Swift", configuration, directory: None, container: Some(container) }
    }

    /// In a directory.
    fn in_directory() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let configuration = format!(
            "swift:\n  storage: local\n  storage_path: {}\n  standalone: true\n  search_backend: sqlalchemy\n",
            directory.path().display()
        );
        Self { name: "directory", configuration, directory: Some(directory), container: None }
    }

    /// The same with what the original wrote in it.
    async fn with_sample(self) -> Self {
        self.with(&sample()).await
    }

    /// The same with what is in a directory.
    async fn with(self, root: &Path) -> Self {
        if let Some(container) = &self.container {
            let swift = Container::open(container).await;
            swift.make().await;
            for file in files(root) {
                let name = file.strip_prefix(root).unwrap().to_str().unwrap();
                swift.put_bytes(&format!("registry/{name}"), std::fs::read(&file).unwrap()).await;
            }
        }
        if let Some(directory) = &self.directory {
            for file in files(root) {
                let to = directory.path().join(file.strip_prefix(root).unwrap());
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(&file, to).unwrap();
            }
        }
        self
    }

    fn start(&self) -> Apus {
        Apus::start_file(command(), &self.configuration)
    }

    /// The content of an object, past Apus.
    async fn object(&self, name: &str) -> Option<Vec<u8>> {
        match (&self.container, &self.directory) {
            (Some(container), _) => {
                let answer = Container::open(container).await.get(&format!("registry/{name}")).await;
                (answer.status == 200).then(|| answer.body.to_vec())
            }
            (None, Some(directory)) => std::fs::read(directory.path().join(name)).ok(),
            (None, None) => None,
        }
    }

    async fn remove(self) {
        if let Some(container) = &self.container {
            Container::open(container).await.remove().await;
            assert!(Container::open(container).await.is_missing().await, "{container} is there still");
        }
    }
}

fn command() -> Command {
    let mut command = apus::command();
    command.envs([
        ("SETTINGS_FLAVOR", "swift"),
        ("REGISTRY_HOST", "127.0.0.1"),
        ("REGISTRY_PORT", "0"),
        ("REGISTRY_LOG_FORMATTER", "json"),
    ]);
    command
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/docker-registry-0.x")
}

fn files(root: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}
