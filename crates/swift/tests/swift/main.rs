//! The storage backend on a Swift: on the fake in one process, which fails on a script and counts requests, and on a real
//! one, which the environment names (see [`support::real_v1`] and [`support::real_v3`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "to panic is how a test fails, in its helpers too"
)]

mod answerless;
mod answers;
mod big;
mod budgets;
mod client;
mod compacting;
mod conformance;
mod damage;
mod defects;
mod deleting;
mod dialects;
mod doctor;
mod dynamic;
mod failures;
mod full;
mod keystone;
mod lost_answers;
mod odd;
mod ordering;
mod own_swift;
mod remnants;
mod segments;
mod sign_in;
mod support;
mod temporary_urls;
mod threats;
mod tokens;
mod versions;
