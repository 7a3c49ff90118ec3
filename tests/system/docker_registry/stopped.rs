//! An import that is stopped in the middle, and taken up.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::old::{Made, archive};
use super::{import, written};
use crate::support::content::random;
use crate::support::{Apus, Backend, apus};

/// Images in the old registry, and the bytes of their layers.
const IMAGES: usize = 6;
const BYTES: usize = 8 << 20;

fn old() -> Made {
    let mut old = Made::new();
    for number in 0..IMAGES {
        // A valid archive, which random bytes behind its end leave one; nothing compresses them.
        let mut layer = archive("--format=gnu", &[(&format!("file{number}"), "content")]);
        layer.extend(random(BYTES));
        layer.resize(layer.len().next_multiple_of(512), 0);
        let image = old.image(&layer);
        old.tag("acme/big", &format!("step{number}"), &image);
    }
    old
}

/// Starts one, and waits until it has brought an image.
fn begun(old: &Made, to: &std::path::Path) -> Child {
    let mut command = apus::command();
    command.args(["import", "docker-registry", "--parallel", "1"]).arg(old.root()).arg(to);
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first = lines.map_while(Result::ok).find(|line| line.contains("\"event\":\"image\""));
    assert!(first.is_some(), "it ended without an image");
    child
}

/// Takes it up: the rest comes, what was there is not read again, and a registry serves all of it.
fn taken_up(old: &Made, to: &std::path::Path, backend: &Backend) {
    let second = import(old.root(), to, &[]);
    second.expect(0, &[("brought_tags", IMAGES as u64), ("failed_tags", 0)]);
    let known = second.summary()["known_images"].as_u64().unwrap();
    assert!(known >= 1 && known < IMAGES as u64, "{:#}", second.summary());
    import(old.root(), to, &[]).expect(0, &[("unchanged_tags", IMAGES as u64), ("read_bytes", 0)]);
    drop(Apus::start(backend.storage()));
}

#[test]
fn by_sigkill() {
    let (old, backend) = (old(), Backend::swift_v1());
    let directory = tempfile::tempdir().unwrap();
    let to = written(&backend, directory.path());
    let mut child = begun(&old, &to);
    child.kill().unwrap();
    child.wait().unwrap();
    taken_up(&old, &to, &backend);
}

#[test]
fn by_sigint() {
    let (old, backend) = (old(), Backend::filesystem());
    let directory = tempfile::tempdir().unwrap();
    let to = written(&backend, directory.path());
    let mut child = begun(&old, &to);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    taken_up(&old, &to, &backend);
}
