//! The image: made without a daemon, pushed into Apus, pulled again, unpacked.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::packaged;
use crate::clients::programs::run;
use crate::support::{Apus, Backend};

/// Promise: what comes out of Apus is what went in, it says of itself what who knows registry:2's image expects, and its files
/// are there for the user that it runs as.
#[tokio::test]
async fn the_image() {
    let apus = Apus::start(Backend::memory().storage());
    let directory = packaged("image");
    let (made, pulled) = (directory.path().join("image"), directory.path().join("pulled"));
    let name = format!("docker://{}/apus/apus:latest", apus.address());
    let copy = || {
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--quiet", "--preserve-digests"]);
        skopeo.args(["--src-tls-verify=false", "--dest-tls-verify=false"]);
        skopeo
    };
    run(copy().arg("--dest-tls-verify=false").args([&layout(&made), &name]));
    run(copy().arg("--src-tls-verify=false").args([&name, &layout(&pulled)]));

    let image = json_of(Command::new("skopeo").args(["inspect", "--config", "--raw", &layout(&pulled)]));
    assert_eq!((&image["architecture"], &image["os"]), (&json!("amd64"), &json!("linux")));
    let config = &image["config"];
    assert_eq!(config["Entrypoint"], json!(["/usr/bin/apus"]));
    assert_eq!(config["Cmd"], json!(["/etc/docker/registry/config.yml"]));
    assert_eq!(config["ExposedPorts"], json!({"5000/tcp": {}}));
    assert_eq!(config["Volumes"], json!({"/var/lib/registry": {}}));
    assert_eq!(config["Labels"]["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    let user = config["User"].as_str().unwrap().split(':').next().unwrap();
    assert_ne!(user.parse::<u32>().unwrap(), 0);

    let bundle = directory.path().join("bundle");
    let pulled = format!("{}:latest", pulled.display());
    run(Command::new("umoci").args(["unpack", "--rootless", "--image", &pulled]).arg(&bundle));
    let root = bundle.join("rootfs");
    let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    assert!(text("etc/passwd").lines().any(|line| line.starts_with(&format!("apus:x:{user}:{user}:"))));
    assert!(text("etc/ssl/certs/ca-certificates.crt").contains("-----BEGIN CERTIFICATE-----"));
    assert_eq!(text("etc/nsswitch.conf"), "hosts: files dns\n");
    assert!(owner_in_layer(&made, "var/lib/registry").ends_with(&format!("{user}/{user}")));

    // The binary does here, by either name, what it does in the image.
    let binary = root.join("usr/bin/apus");
    assert_eq!(binary.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    let version = run(Command::new(root.join("bin/registry")).arg("--version"));
    assert!(version.starts_with("registry github.com/docker/distribution 2."), "{version}");
    let shown =
        run(Command::new(&binary).args(["config", "show"]).arg(root.join("etc/docker/registry/config.yml")));
    assert!(shown.contains("rootdirectory: /var/lib/registry ") && shown.contains("addr: :5000 "), "{shown}");
}

/// Promise: the same files make the same bytes.
#[test]
fn the_image_is_reproducible() {
    let index = || std::fs::read(packaged("image").path().join("image/index.json")).unwrap();
    assert!(index() == index());
}

fn layout(place: &Path) -> String {
    format!("oci:{}:latest", place.display())
}

fn json_of(command: &mut Command) -> Value {
    serde_json::from_str(&run(command)).unwrap()
}

/// Who owns a path, as the only layer of an image says: mode and owner.
fn owner_in_layer(layout: &Path, path: &str) -> String {
    let manifest = json_of(Command::new("skopeo").args([
        "inspect",
        "--raw",
        &format!("oci:{}:latest", layout.display()),
    ]));
    let digest = manifest["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
    let mut list = Command::new("tar");
    let told =
        run(list.args(["-tvz", "--numeric-owner", "-f"]).arg(layout.join("blobs").join(digest)).arg(path));
    told.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
