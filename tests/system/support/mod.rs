//! What the tests share: a running Apus, the backends it runs on, and a client that speaks to it request by request.

pub(crate) mod apus;
pub(crate) mod authority;
pub(crate) mod backend;
pub(crate) mod client;
pub(crate) mod content;
pub(crate) mod image;
pub(crate) mod proxy;
pub(crate) mod receiver;
pub(crate) mod swift;

pub(crate) use apus::Apus;
pub(crate) use backend::Backend;
pub(crate) use client::{Answer, Client};
