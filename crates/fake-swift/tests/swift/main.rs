//! The store as a client finds it, over plain HTTP.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what helps tests may fail as they do"
)]

mod client;

mod bulk;
mod ceph;
mod containers;
mod dynamic;
mod faults;
mod features;
mod keystone;
mod lagging;
mod large;
mod objects;
mod reading;
mod signing_in;
mod store;
mod temporary_urls;
