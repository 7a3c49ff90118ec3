//! The Debian package: its service starts, reloads, stops, is killed and starts again, as its unit file says.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::packaged;
use super::unit::{Service, Unit};
use crate::clients::programs::{output, run};
use crate::command::HalfSent;
use crate::support::apus::command;
use crate::support::content::{digest, random};

/// The package, unpacked.
struct Installed {
    package: PathBuf,
    root: PathBuf,
    _directory: TempDir,
}

impl Installed {
    fn new() -> Self {
        let directory = packaged("deb");
        let packages: Vec<_> =
            std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        let [package] = packages.as_slice() else { panic!("{packages:?}") };
        let root = directory.path().join("root");
        run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&root));
        run(Command::new("dpkg-deb").arg("--control").arg(package).arg(root.join("DEBIAN")));
        Self { package: package.clone(), root, _directory: directory }
    }

    fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.file(path)).unwrap()
    }

    /// Appends to a file, as whoever runs the machine.
    fn append(&self, path: &str, text: &str) {
        let mut file = std::fs::File::options().append(true).open(self.file(path)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Lets the service run here: on a free port, below this root.
    fn make_at_home(&self) {
        let images = self.file("var/lib/apus").display().to_string();
        let variables = [
            ("REGISTRY_HTTP_ADDR", "127.0.0.1:0"),
            ("REGISTRY_LOG_FORMATTER", "json"),
            ("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", &images),
        ];
        for (name, value) in variables {
            self.append("etc/apus/environment", &format!("{name}={value}\n"));
        }
    }

    fn start(&self) -> Service {
        Service::start(&self.root, "apus.service")
    }
}

/// Promise: started, reloaded, stopped while a request is under way, killed and started again, the service does what systemd
/// is told, and loses nothing.
#[tokio::test]
async fn the_packaged_service() {
    let installed = Installed::new();
    installed.make_at_home();

    let mut service = installed.start();
    let blob = random(1 << 20);
    service.client().push("a/b", blob.clone()).await;
    let manifest = service.client().push_manifest("a/b", "latest", &[]).await;

    // A configuration that cannot be used changes nothing, and one that can does.
    let good = installed.text("etc/apus/config.yml");
    installed.append("etc/apus/config.yml", "http: {addr: nowhere}\n");
    service.reload();
    service.client().push("a/b", random(10)).await;
    let read_only = good.replace("  delete:\n", "  maintenance: {readonly: {enabled: true}}\n  delete:\n");
    assert_ne!(read_only, good);
    std::fs::write(installed.file("etc/apus/config.yml"), read_only).unwrap();
    service.reload();
    service.client().post("/v2/a/b/blobs/uploads/").await.expect(405);
    std::fs::write(installed.file("etc/apus/config.yml"), good).unwrap();
    service.reload();

    // The last bytes of an upload come after the signal.
    let late = random(1 << 20);
    let location = service.client().post("/v2/a/b/blobs/uploads/").await.expect(202).location();
    let upload = HalfSent::begin(service.address(), &location, &late);
    service.begin_to_stop();
    assert_eq!(upload.finish(), "HTTP/1.1 201 Created");
    assert!(service.wait().success());

    let service = installed.start();
    let last = random(1 << 20);
    service.client().push("a/b", last.clone()).await;
    service.kill();
    let service = installed.start();
    for content in [blob, late, last] {
        let path = format!("/v2/a/b/blobs/{}", digest(&content));
        assert!(service.client().get(&path).await.expect(200).body == content);
    }
    service.client().get(&format!("/v2/a/b/manifests/{manifest}")).await.expect(200);
}

/// The most that `systemd-analyze security` may hold against the unit, of 100. What is left is what a service needs that speaks
/// to the network, and to systemd.
const EXPOSURE: u32 = 14;

/// Promise: the tools of Debian and of systemd find nothing to say, neither a mistake nor a way to be more careful.
#[test]
fn the_tools_of_the_trade_agree() {
    let installed = Installed::new();
    let lintian =
        output(Command::new("lintian").args(["--fail-on", "error,warning,info"]).arg(&installed.package));
    assert!(lintian.status.success() && lintian.stdout.is_empty(), "{lintian:?}");

    // The unit as it is, but for where this binary is.
    let unit = installed.file("apus.service");
    let binary = installed.file("usr/bin/apus").display().to_string();
    std::fs::write(
        &unit,
        installed.text("usr/lib/systemd/system/apus.service").replace("/usr/bin/apus", &binary),
    )
    .unwrap();
    let verified = output(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit));
    assert!(verified.status.success() && verified.stderr.is_empty(), "{verified:?}");
    let threshold = format!("--threshold={EXPOSURE}");
    run(Command::new("systemd-analyze").args(["security", "--offline=true", &threshold]).arg(&unit));
}

/// Promise: the unit fits the rest of the package: it runs as the user who is made, it waits longer for its end than requests may
/// go on, and the file of secrets is nobody else's.
#[test]
fn the_package_fits_together() {
    let installed = Installed::new();
    let unit = Unit::read(&installed.file("usr/lib/systemd/system/apus.service"));
    assert!(installed.text("DEBIAN/postinst").contains(&format!(
        "adduser --quiet --system --group --home /var/lib/{user} \
        --no-create-home --gecos 'Apus container registry' {user}\n",
        user = unit.one("User")
    )));
    assert_eq!(unit.one("User"), unit.one("Group"));
    assert_eq!(unit.one("StateDirectory"), "apus");

    let config = installed.file("etc/apus/config.yml");
    let shown = run(command().args(["config", "show", "--json"]).arg(&config));
    let settings: Vec<serde_json::Value> =
        shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let setting = |key: &str| &settings.iter().find(|setting| setting["key"] == key).unwrap()["value"];
    assert_eq!(setting("storage.filesystem.rootdirectory"), "/var/lib/apus");
    assert_eq!(setting("http.addr"), "127.0.0.1:5000");
    let drain = setting("http.draintimeout").as_str().unwrap().strip_suffix('s').unwrap().parse().unwrap();
    assert!(unit.seconds("TimeoutStopSec") > Duration::from_secs(drain));

    let mode = |path| installed.file(path).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("etc/apus/environment"), mode("usr/bin/apus")), (0o600, 0o755));
    for file in installed.text("DEBIAN/conffiles").lines() {
        assert!(installed.file(file.trim_start_matches('/')).is_file(), "{file}");
    }
}

/// Promise: the manual page has every command that the binary has.
#[test]
fn the_manual_is_whole() {
    let page = include_str!("../../../packaging/debian/apus.1");
    let help = run(command().arg("--help"));
    let commands =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<_> = commands
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(names.contains(&"serve") && names.len() >= 5, "{names:?}");
    for name in names {
        assert!(
            page.contains(&format!(".TP\n.B {}\n", name.replace('-', "\\-"))),
            "the manual page has no {name}"
        );
    }
}
