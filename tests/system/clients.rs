//! Real clients do what their users do, over every backend, and every digest and every byte is right.
//!
//! | file | what it shows |
//! |---|---|
//! | `skopeo` | images and lists, copied, mounted, synchronised, inspected and deleted, keep every byte |
//! | `containers` | podman and buildah unpack an image and pack it again |
//! | `lists` | podman and buildah make lists of platforms, and pull one platform out of a list |
//! | `docker` | docker, with a daemon of its own |
//! | `containerd` | ctr, with a containerd of its own |
//! | `login` | skopeo, podman and docker log in, with passwords and with tokens, by HTTPS |
//! | `anonymous` | docker, podman, skopeo, ctr and oras pull what is public without a login, and log in for the rest |
//! | `redirected` | skopeo, podman, buildah and docker fetch blobs from Swift itself, where they are sent |
//! | `cached` | skopeo and podman through a cache of docker-registry and of another Apus |
//! | `oras` | artifacts, attached to others and discovered |
//! | `umoci` | what was pulled unpacks to the files that the image was made of |
//!
//! Images come from `source`: a small Debian, where size matters, and a few MiB for two platforms, where each step counts.
//! `image` is an image with all its bytes, wherever it lies; `tree` is what files are made of; `log` is what Apus was asked.
//! The clients keep what they keep in directories of the test; `programs` runs them.

use crate::support::{Apus, Backend};

mod anonymous;
mod cached;
mod containerd;
mod containers;
pub(crate) mod docker;
mod engine;
mod image;
mod lists;
mod log;
mod login;
mod oras;
pub(crate) mod programs;
mod redirected;
mod skopeo;
pub(crate) mod source;
pub(crate) mod tree;
mod umoci;

/// Runs the steps over every backend, one after the other.
async fn over_every_backend(steps: impl AsyncFn(&Apus)) {
    for backend in [Backend::memory(), Backend::filesystem(), Backend::swift_v1(), Backend::swift_v3()] {
        // When the steps fail, this tells where.
        eprintln!("over {}", backend.name);
        steps(&Apus::start(&format!("{}\n  delete: {{enabled: true}}", backend.storage()))).await;
    }
}
