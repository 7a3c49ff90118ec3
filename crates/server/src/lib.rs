//! The registry's HTTP: what a path means, which headers an answer carries, and how an error is told. What a registry does
//! lives in [`apus_registry`]; which sockets it does it on lives in [`serve`].
//!
//! A request walks through these rooms in order:
//!
//! | room | what happens there |
//! |---|---|
//! | [`serve()`], `linger` | a connection is accepted, with its time limits; a drain lets requests end |
//! | `access_log` | the request gets an identifier, and a line in the log when it is answered |
//! | [`Route`] | the path becomes typed: a pure function, for names hold slashes |
//! | [`Action`] | the method and the route become what is to be done |
//! | `blobs`, `uploads`, `manifests`, `lists` | it is done, one file for each sort |
//! | `answer`, `errors` | the answer, or the error in the form of the specification |

mod access_log;
mod action;
mod answer;
mod app;
mod blobs;
mod errors;
mod linger;
mod lists;
mod manifests;
mod parameters;
mod ranges;
mod received;
mod route;
mod serve;
mod uploads;

pub use action::Action;
pub use answer::AnswerBody;
pub use app::{App, AppOptions};
pub use errors::ErrorCode;
pub use route::{Route, RouteError};
pub use serve::{ServeOptions, serve};
