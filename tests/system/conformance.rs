//! The protocol as the official conformance runner walks it: each step that it takes (OCI distribution specification, main
//! branch after v1.1.1, everything switched on), asked and judged in our own words, at least as strictly, over every backend.
//!
//! A step has the name that the runner prints for it, such as `image/push/manifest-by-tag`. All names are in
//! [`names.txt`](conformance/names.txt). A [`Case`] is a table of names and the function that takes these steps; a run that
//! takes fewer or others fails, and so does [`every_name_is_in_a_case`] when a name is in no table.
//!
//! | names | case |
//! |---|---|
//! | `ping` | `ping` in [`basics`] |
//! | `empty/...` | `empty` |
//! | `missing-manifest/...` | `missing_manifest` |
//! | `invalid-digest-format/...` | `invalid_digest_format` |
//! | `sha256 blobs/...`, and the same of `sha512 blobs` | one in [`blobs`] for each group: |
//! | `get-missing` | `get_missing` |
//! | `post only`, `post+put`, `stream` | `post_only`, `post_put`, `stream` |
//! | `chunked single`, `chunked multi` | `chunked_single`, `chunked_multi` |
//! | `chunked multi and put chunk` | `chunked_multi_and_put_chunk` |
//! | `chunked out-of-order` | `chunked_out_of_order` |
//! | `chunked out-of-order and put chunk` | `chunked_out_of_order_and_put_chunk` |
//! | `mount`, `mount anonymous`, `mount missing` | `mount`, `mount_anonymous`, `mount_missing` |
//! | `post cancel` | `post_cancel` |
//! | `range requests` | `range_requests` |
//! | `empty`, `emptyJSON` | `empty_blob`, `empty_json` |
//! | `bad digest post only`, `bad digest post+put` | `bad_digest_post_only`, `bad_digest_post_put` |
//! | `bad digest chunked`, `bad digest stream` | `bad_digest_chunked`, `bad_digest_stream` |
//! | `bad digest chunked and put chunk` | `bad_digest_chunked_and_put_chunk` |
//! | `image/...`, `index/...` and 19 other sets of data | in [`data_sets`], named as they are: `image`, `large_manifest` |
//!
//! Every case has an Apus of its own; `everything_in_one_repository` takes all of them at one, one after the other, as the
//! runner does: there each finds what the ones before it have left.

mod basics;
mod blobs;
mod content;
mod data_sets;
mod manifests;
mod pushing;
mod run;
mod walk;

use std::collections::BTreeSet;

use crate::protocol::{Site, over_every_backend};
use run::Case;

/// Makes cases of functions and their tables: each is a test over every backend, and all of them together are `all`.
macro_rules! cases {
    ($($case:ident: $table:ident),+ $(,)?) => {
        /// What the cases of this room take.
        pub(super) const CASES: &[Case] = &[$($table),+];

        /// Takes all of them, in this order.
        pub(super) async fn all(site: &Site) {
            $($case(site).await;)+
        }

        over_every_backend!($($case),+);
    };
}
use cases;

/// The names that the runner prints are those of the cases' tables.
#[test]
fn every_name_is_in_a_case() {
    let listed: BTreeSet<String> = include_str!("conformance/names.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let covered: BTreeSet<String> =
        [basics::CASES, blobs::CASES, data_sets::CASES].into_iter().flatten().flat_map(Case::names).collect();
    let forgotten: Vec<_> = listed.difference(&covered).collect();
    let unheard_of: Vec<_> = covered.difference(&listed).collect();
    assert!(
        forgotten.is_empty() && unheard_of.is_empty(),
        "in no case: {forgotten:#?}\nin no list: {unheard_of:#?}"
    );
}

/// Each case finds the repository as the ones before it left it: what was deleted is pushed again, and nothing that was
/// remembered of it stands in the way.
async fn everything_in_one_repository(site: &Site) {
    basics::all(site).await;
    blobs::all(site).await;
    data_sets::all(site).await;
}

over_every_backend!(everything_in_one_repository);

/// The runner goes where it is sent: all that is about blobs holds where they come from Swift itself.
#[tokio::test(flavor = "multi_thread")]
async fn blobs_where_clients_are_sent_to_swift() {
    blobs::all(&Site::redirecting_swift().await).await;
}
