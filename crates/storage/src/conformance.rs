//! The suite by which a backend proves that it keeps the contract of [`Storage`](crate::Storage).
//!
//! A backend runs it in three lines of a test file (a `[dev-dependencies]` entry with the feature `conformance` is all it
//! needs), and each case is a test of its own name:
//!
//! ```no_run
//! apus_storage::conformance_suite! {
//!     async { apus_storage::MemoryStorage::new() }
//! }
//! # fn main() {}
//! ```
//!
//! The store may be fresh or shared, even with other data: a case keeps to a prefix of its own, clears away what it made and
//! checks that nothing is left. What a backend needs beyond that, such as a second handle or a lag of its listings, is said
//! with a [`Testbed`].
//!
//! Large streams have 64 MiB; the environment variable [`BIG`] gives another number of MiB (5120 for what distribution has).
//!
//! # Where the cases come from
//!
//! Two suites came before this one: that of docker-registry-core 2.0.3 (`docker_registry.testing`, 28 and 3 cases, and 3 more
//! of its Swift driver, which passed them on its mock, and 21 of the 28 on a real Swift) and that of distribution 2.8 (`registry/storage/driver/testsuites`). All they check is checked here, in the terms of this contract.
//! Directories, moves and half-written files are not among those terms.
//!
//! | docker-registry-core | here |
//! |---|---|
//! | `Driver` 1 `exists_non_existent` | [`objects::what_was_never_written_is_absent`] |
//! | 2 `exists_existent` | [`objects::an_empty_object_is_there`] |
//! | 3 `write_read_1`: `a` | [`objects::contents_come_back_as_they_were`], here and in the next five |
//! | 4 `write_read_2`: the bytes `c3 9f` | the same |
//! | 5 `write_read_3`: `ß` in UTF-8 | the same |
//! | 6 `write_read_4`: the same as the language's own text | the same |
//! | 7 `write_read_5`: 16 random bytes | the same |
//! | 8 `write_read_6`: 1 MiB of random bytes | the same |
//! | 9 `unicode_1`: `a` | [`objects::texts_come_back_byte_for_byte`], here and in the next six |
//! | 10 `unicode_2` … 12 `unicode_4`, 13 `unicode_5`: `ß` in four ways, 16 random characters | the same |
//! | 14 `unicode_6`: 1 MiB of random characters | the same |
//! | 15 `json`: `{"ß":"ß"}` | the same |
//! | 16 `remove_existent` | [`deleting::what_was_deleted_is_absent`] |
//! | 17 `remove_folder`, which looked for the wrong names | [`deleting::a_folder_is_deleted_by_what_it_lists`] |
//! | 18 `remove_inexistent` | [`deleting::deleting_what_is_not_there_is_no_error`] |
//! | 19 `read_inexistent` | [`objects::what_was_never_written_is_absent`] |
//! | 20 `get_size_inexistent` | the same |
//! | 21 `stream`: 7 bytes, where 7 MB were meant | [`writing::small_streams`], [`writing::a_stream_of_seven_mebibytes`], [`ranges::every_edge_of_an_object`] |
//! | 22 `stream_read_inexistent` | [`objects::what_was_never_written_is_absent`] |
//! | 23 `inexistent_list_directory` | [`listing::nothing_under_a_prefix_is_an_empty_page`] |
//! | 24 `empty_list_directory`: of an object | [`listing::an_object_is_not_under_its_own_name`] |
//! | 25 `list_directory` | [`listing::fifty_objects_of_a_folder`] |
//! | 26 `list_directory_with_subdir` | [`listing::one_level_folds_what_lies_deeper`] |
//! | 27 `empty_after_remove_list_directory` | [`listing::a_folder_goes_with_its_last_object`] |
//! | 28 `paths`: the paths of all objects of a registry | [`objects::names_of_registries_can_be_used`], [`objects::a_name_that_is_only_a_prefix_is_no_object`] |
//! | `Query` 1 `testDriverIsAvailable` | [`objects::the_backend_has_a_name`] |
//! | 2 `testFetchingDriver` | the same |
//! | 3 `testFetchingNonExistentDriver` | none: a backend is chosen by the configuration, which refuses one that it does not know |
//! | Swift 1 … 3: the root is unset, empty, `/foo` | none: where names begin in Swift is the Swift backend's own matter (`naming: docker-registry`), and so is its test |
//!
//! | distribution | here |
//! |---|---|
//! | `TestRootExists`, `TestEmptyRootList` (Swift) | [`listing::the_whole_store_can_be_listed`] |
//! | `TestValidPaths` | [`objects::names_of_registries_can_be_used`], [`objects::every_character_of_a_name_is_kept`], [`objects::the_longest_names_can_be_used`] |
//! | `TestInvalidPaths` | none: such a text never becomes an [`ObjectName`](crate::ObjectName), whose own tests show it |
//! | `TestWriteRead1` … `4`, `TestWriteReadNonUTF8` | [`objects::contents_come_back_as_they_were`] |
//! | `TestTruncate`, `TestPutContentMultipleTimes` | [`objects::replacing_leaves_nothing_of_the_old_content`] |
//! | `TestReadNonexistent`, `TestReadNonexistentStream` | [`objects::what_was_never_written_is_absent`] |
//! | `TestWriteReadStreams1` … `4`, `TestWriteReadStreamsNonUTF8` | [`writing::small_streams`] |
//! | `TestWriteReadLargeStreams` | [`writing::a_large_stream`], [`staging::a_large_stream_is_staged`] |
//! | `TestReaderWithOffset` | [`ranges::every_edge_of_an_object`]; an offset has no sign, so none can be negative |
//! | `TestContinueStreamAppendSmall`, `…Large` | [`staging::a_stage_grows_across_handles`], [`staging::a_large_stage_grows_across_handles`] |
//! | `TestWriteZeroByteStreamThenAppend`, `TestWriteZeroByteContentThenAppend` (version 3) | [`staging::an_append_of_nothing_counts`] |
//! | `TestList` | [`listing::nothing_under_a_prefix_is_an_empty_page`], [`listing::fifty_objects_of_a_folder`] |
//! | `TestMove` | [`publishing::a_published_stage_is_an_object_and_no_stage`] |
//! | `TestMoveOverwrite` | [`publishing::publishing_replaces_what_is_there`] |
//! | `TestMoveNonexistent` | [`publishing::publishing_no_stage_changes_nothing`] |
//! | `TestMoveInvalid` | [`objects::an_object_used_as_a_folder_stays_whole`] |
//! | `TestDelete` | [`deleting::what_was_deleted_is_absent`] |
//! | `TestDeleteNonexistent` | [`deleting::deleting_what_is_not_there_is_no_error`] |
//! | `TestDeleteFolder` | [`deleting::a_folder_is_deleted_by_what_it_lists`] |
//! | `TestDeleteOnlyDeletesSubpaths` | [`deleting::names_are_deleted_exactly`] |
//! | `TestURLFor`, `TestRedirectURL` (version 3) | [`urls::a_temporary_url_gives_the_object`] |
//! | `TestStatCall` | [`objects::what_was_never_written_is_absent`], [`objects::a_name_that_is_only_a_prefix_is_no_object`], [`objects::replacing_moves_the_time`] |
//! | `TestConcurrentStreamReads` | [`concurrency::ten_readers_of_one_object`] |
//! | `TestConcurrentFileStreams` | [`concurrency::thirty_two_streams_at_once`] |
//! | `TearDown` of every case | [`Case::finish`] |
//! | `TestFilenameChunking` (Swift) | [`deleting::many_are_deleted_with_an_answer_for_each`] |
//! | `TestSwiftSegmentPath` (Swift) | none: where parts lie is the Swift backend's own matter, and so are its tests |
//! | benchmarks | none: they are no cases |
//!
//! | holes of distribution's suite | here |
//! |---|---|
//! | a writer that is committed without a byte | [`objects::an_empty_object_is_there`], [`writing::small_streams`], [`publishing::an_empty_stage_is_published`] |
//! | an append of nothing | [`staging::an_append_of_nothing_counts`] |
//! | `Cancel` | [`staging::a_dropped_stage_is_gone`] |
//! | a deletion after a move | [`publishing::dropping_a_published_stage_does_not_hurt_the_object`], [`publishing::a_stage_that_gave_way_does_not_hurt_what_exists`] |
//! | a range beyond the end | [`ranges::every_edge_of_an_object`], [`ranges::every_range_of_an_empty_object`] |
//! | pages shorter than the listing | [`listing::pages_join_without_gap_or_repeat`], [`listing::a_listing_begins_after_any_text`] |
//! | names that a URL must escape | [`objects::every_character_of_a_name_is_kept`], [`urls::a_temporary_url_gives_the_object`] |
//! | parts that are freed with their object, with a replaced one and with a cancelled upload; failures in the middle of a call; listings that show ghosts or disagree | none: that cannot be seen or brought about through the contract, and is tested where it can |
//!
//! Every other case is new. It checks a promise that the old contracts did not make.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "to panic is how a case fails"
)]

pub mod concurrency;
pub mod content;
pub mod deleting;
pub mod listing;
pub mod objects;
pub mod publishing;
pub mod ranges;
pub mod staging;
mod suite;
mod testbed;
pub mod urls;
pub mod writing;

pub use testbed::{BoxedCase, Case, Fetched, Testbed, run};

/// Names the environment variable that says how long large streams are, in MiB.
pub const BIG: &str = "APUS_CONFORMANCE_BIG";

const MEBIBYTE: u64 = 1 << 20;

/// Bytes of a large stream.
fn large() -> u64 {
    match std::env::var(BIG) {
        Ok(mebibytes) => {
            mebibytes.parse::<u64>().expect("APUS_CONFORMANCE_BIG is a number of MiB") * MEBIBYTE
        }
        Err(_) => 64 * MEBIBYTE,
    }
}

#[cfg(test)]
mod tests;
