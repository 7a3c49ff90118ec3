//! Old registries, in directories or in the real Swift.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::clients::programs::run;
use crate::support::content::digest;
use crate::support::swift::Container;

/// What the original wrote, pushed in the order of docker 1.3: six tags, six images.
pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/docker-registry-0.x")
}

/// The objects of an old registry below a directory, by name.
pub(crate) fn objects(root: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut folders, mut objects) = (vec![root.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                objects.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    objects
}

/// A copy in a new container of the real Swift, below `registry/`; its configuration, as an old registry had it.
pub(crate) async fn in_swift(root: &Path, container: &str, directory: &Path) -> PathBuf {
    let swift = Container::open(container).await;
    swift.make().await;
    for (name, content) in objects(root) {
        swift.put_bytes(&format!("registry/{name}"), content).await;
    }
    configuration(container, directory)
}

/// The configuration of an old registry in a container of the real Swift, whether it is there or not.
pub(crate) fn configuration(container: &str, directory: &Path) -> PathBuf {
    let file = directory.join("old.yml");
    let [url, user, key] = ["ST_AUTH", "ST_USER", "ST_KEY"].map(crate::support::backend::variable);
    let text = format!(
        "dev:\n  storage: swift\n  storage_path: /registry\n  swift_auth_version: 1\n  swift_authurl: {url}\n  \
         swift_user: \"{user}\"\n  swift_password: \"{key}\"\n  swift_container: {container}\n"
    );
    fs::write(&file, text).unwrap();
    file
}

/// An old registry that is made here.
pub(crate) struct Made {
    pub(crate) directory: tempfile::TempDir,
    chain: Vec<String>,
}

impl Made {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), chain: Vec::new() }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.root().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// An image on top of the last one, with the checksum that the original would have kept.
    pub(crate) fn image(&mut self, layer: &[u8]) -> String {
        let number = self.chain.len() + 1;
        let id = format!("{number:064x}");
        let parent =
            self.chain.last().map(|parent| format!(", \"parent\": \"{parent}\"")).unwrap_or_default();
        let json = format!(
            "{{\"id\": \"{id}\"{parent}, \"created\": \"2014-10-01T12:00:0{}Z\", \"os\": \"linux\", \
             \"container_config\": {{\"Cmd\": [\"step\", \"{number}\"]}}, \"config\": {{\"Labels\": {{\"a\": \"b\"}}}}}}",
            number % 10
        );
        let checksum = digest(&[json.as_bytes(), b"\n", layer].concat());
        self.put(&format!("images/{id}/json"), &json);
        self.put(&format!("images/{id}/layer"), layer);
        self.put(&format!("images/{id}/_checksum"), format!("[\"{checksum}\"]"));
        self.chain.push(id.clone());
        let ancestry: Vec<_> = self.chain.iter().rev().collect();
        self.put(&format!("images/{id}/ancestry"), serde_json::to_string(&ancestry).unwrap());
        id
    }

    pub(crate) fn tag(&self, repository: &str, tag: &str, image: &str) {
        self.put(&format!("repositories/{repository}/tag_{tag}"), image);
    }
}

/// An archive of these files, a path with what is in it; one that ends in a slash is a directory. `how` is tar's option for the
/// compression.
pub(crate) fn archive(how: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let (tree, archive) = (directory.path().join("tree"), directory.path().join("archive"));
    fs::create_dir(&tree).unwrap();
    for (path, content) in files {
        let place = tree.join(path);
        if path.ends_with('/') {
            fs::create_dir_all(&place).unwrap();
        } else {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, content).unwrap();
        }
    }
    let mut tar = Command::new("tar");
    run(tar.args(["-c", how, "-f"]).arg(&archive).arg("-C").arg(&tree).arg("."));
    fs::read(archive).unwrap()
}
