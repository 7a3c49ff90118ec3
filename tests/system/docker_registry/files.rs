//! The files of images that came over: unpacked by umoci from what skopeo pulls, they are those that come out of the old layers by
//! hand, one after the other, with what each one removes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::old::{Made, archive, sample};
use super::{import, written};
use crate::clients::programs::run;
use crate::clients::tree::{Tree, assert_same, tree};
use crate::support::{Apus, Backend};

/// The ways to compress a layer, as tar has them.
pub(crate) const COMPRESSIONS: [&str; 4] = ["--gzip", "--xz", "--bzip2", "--format=gnu"];

#[tokio::test]
async fn the_samples_have_the_same_files() {
    let backend = Backend::filesystem();
    let directory = tempfile::tempdir().unwrap();
    import(&sample(), &written(&backend, directory.path()), &[]).expect(0, &[("brought_tags", 6)]);
    let apus = Apus::start(backend.storage());
    for (repository, name) in [("acme/webapp", "acme/webapp"), ("library/base", "base")] {
        for entry in fs::read_dir(sample().join("repositories").join(repository)).unwrap() {
            let entry = entry.unwrap();
            let Some(tag) = entry.file_name().to_str().unwrap().strip_prefix("tag_").map(str::to_owned)
            else {
                continue;
            };
            let image = fs::read_to_string(entry.path()).unwrap();
            assert_same(&unpacked(&apus, &format!("{name}:{tag}")), &by_hand(&sample(), &image));
        }
    }
}

/// Layers that remove files and whole directories, and bring them again, in every compression.
#[tokio::test]
async fn what_layers_remove_is_gone() {
    let mut old = Made::new();
    let mut top = String::new();
    for (number, how) in COMPRESSIONS.into_iter().cycle().take(6).enumerate() {
        let layer = match number {
            0 => archive(
                how,
                &[("etc/a", "1"), ("etc/b", "1"), ("var/deep/c", "1"), ("var/d", "1"), ("opt/e/f", "1")],
            ),
            1 => archive(how, &[("etc/.wh.a", ""), ("var/.wh.deep", ""), ("etc/new", "2")]),
            2 => archive(how, &[("opt/.wh..wh..opq", ""), ("opt/g", "3"), ("etc/b", "3, longer")]),
            3 => archive(how, &[("etc/a", "4"), ("var/deep/h", "4"), ("var/.wh.d", "")]),
            4 => archive(how, &[(".wh.opt", ""), ("var/empty/", "")]),
            _ => archive(how, &[("etc/.wh.new", ""), ("etc/.wh.never", ""), ("opt/again", "6")]),
        };
        top = old.image(&layer);
        old.tag("acme/web", &format!("step{number}"), &top);
    }
    let wanted = by_hand(old.root(), &top);
    let names: Vec<_> =
        wanted.keys().filter_map(|path| path.to_str()).filter(|path| path.contains('/')).collect();
    assert_eq!(names, ["etc/a", "etc/b", "opt/again", "var/deep", "var/deep/h", "var/empty"]);

    let backend = Backend::swift_v1();
    let directory = tempfile::tempdir().unwrap();
    import(old.root(), &written(&backend, directory.path()), &[]).expect(0, &[("brought_tags", 6)]);
    let apus = Apus::start(backend.storage());
    for number in 0..6 {
        let image =
            fs::read_to_string(old.root().join(format!("repositories/acme/web/tag_step{number}"))).unwrap();
        assert_same(&unpacked(&apus, &format!("acme/web:step{number}")), &by_hand(old.root(), &image));
    }
}

/// The files of an image, pulled by skopeo into a layout of the OCI, and unpacked by umoci.
pub(crate) fn unpacked(apus: &Apus, name: &str) -> Tree {
    let directory = tempfile::tempdir().unwrap();
    let (layout, bundle) = (directory.path().join("layout"), directory.path().join("bundle"));
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["copy", "--src-tls-verify=false", "--format", "oci"]);
    skopeo.arg(format!("docker://{}/{name}", apus.address())).arg(format!("oci:{}:pulled", layout.display()));
    run(&mut skopeo);
    let mut umoci = Command::new("umoci");
    umoci.args(["unpack", "--rootless", "--image"]).arg(format!("{}:pulled", layout.display()));
    run(umoci.arg(&bundle));
    tree(&bundle.join("rootfs"))
}

/// The files of an image out of its layers, from the lowest on: first a layer removes, then its own files come.
pub(crate) fn by_hand(root: &Path, image: &str) -> Tree {
    let ancestry = fs::read(root.join(format!("images/{image}/ancestry"))).unwrap();
    let ancestry: Vec<String> = serde_json::from_slice(&ancestry).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().join("files");
    fs::create_dir(&files).unwrap();
    for image in ancestry.iter().rev() {
        let layer = root.join(format!("images/{image}/layer"));
        for path in run(Command::new("tar").arg("-tf").arg(&layer)).lines() {
            let path = Path::new(path);
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(removed) = name.strip_prefix(".wh.") else { continue };
            let parent = files.join(path.parent().unwrap());
            if removed == ".wh..opq" {
                for entry in fs::read_dir(&parent).unwrap() {
                    remove(&entry.unwrap().path());
                }
            } else {
                remove(&parent.join(removed));
            }
        }
        let mut extract = Command::new("tar");
        extract
            .args(["-xp", "--no-same-owner", "--keep-directory-symlink", "--exclude=.wh.*", "-C"])
            .arg(&files);
        run(extract.arg("-f").arg(layer));
    }
    tree(&files)
}

fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}
