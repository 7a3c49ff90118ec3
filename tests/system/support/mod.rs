//! What the tests share: a running Apus, the backends it runs on, and a client that speaks to it request by request.

pub mod apus;
pub mod backend;
pub mod client;
pub mod content;

pub use apus::Apus;
pub use backend::Backend;
pub use client::{Answer, Client};
