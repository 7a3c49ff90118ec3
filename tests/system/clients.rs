//! Real clients push and pull the root file system of a small Debian, over every backend.
//!
//! | file | what it shows |
//! |---|---|
//! | `skopeo` | every byte comes back as it was |
//! | `containers` | podman and buildah, which unpack an image and pack it again |
//! | `docker` | docker, with a daemon of its own |
//!
//! The clients keep what they keep in directories of the test. `image` knows what an image is, `programs` runs programs.

mod containers;
mod docker;
mod image;
mod programs;
mod skopeo;
