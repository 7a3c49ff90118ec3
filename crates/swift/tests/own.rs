//! Temporary: only the modules that are being worked on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "to panic is how a test fails, in its helpers too"
)]
#[path = "swift/answers.rs"]
mod answers;
#[path = "swift/budgets.rs"]
mod budgets;
#[path = "swift/compacting.rs"]
mod compacting;
#[path = "swift/conformance.rs"]
mod conformance;
#[path = "swift/damage.rs"]
mod damage;
#[path = "swift/deleting.rs"]
mod deleting;
#[path = "swift/dynamic.rs"]
mod dynamic;
#[path = "swift/failures.rs"]
mod failures;
#[path = "swift/lost_answers.rs"]
mod lost_answers;
#[path = "swift/odd.rs"]
mod odd;
#[path = "swift/ordering.rs"]
mod ordering;
#[path = "swift/segments.rs"]
mod segments;
#[path = "swift/support.rs"]
mod support;
