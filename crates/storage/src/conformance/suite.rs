//! The list of all cases, and the macro that makes a test of each.

/// Makes one test of every case of the [conformance suite](crate::conformance).
///
/// The argument is a future that gives a store, fresh or shared: anything that becomes a
/// [`Testbed`](crate::conformance::Testbed). It is evaluated once for each case.
///
/// ```no_run
/// apus_storage::conformance_suite! {
///     async { apus_storage::MemoryStorage::new() }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_suite {
    ($make:expr) => {
        $crate::conformance_cases! { conformance_tests ($make) }
    };
}

/// Hands the list of all cases to a macro of this crate.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($then:ident $arguments:tt) => {
        $crate::$then! { $arguments
            objects: the_backend_has_a_name,
                what_was_never_written_is_absent,
                an_empty_object_is_there,
                contents_come_back_as_they_were,
                texts_come_back_byte_for_byte,
                names_of_registries_can_be_used,
                every_character_of_a_name_is_kept,
                the_longest_names_can_be_used,
                replacing_leaves_nothing_of_the_old_content,
                what_is_there_stays_unless_it_is_to_be_replaced,
                replacing_moves_the_time,
                touching_moves_the_time_and_keeps_the_content,
                all_that_is_said_of_an_object_agrees,
                a_name_that_is_only_a_prefix_is_no_object,
                an_object_used_as_a_folder_stays_whole;
            ranges: every_edge_of_an_object,
                every_range_of_an_empty_object,
                parts_of_a_large_object,
                parts_across_the_joints_of_a_staged_object;
            writing: small_streams,
                a_stream_of_seven_mebibytes,
                a_large_stream,
                a_stream_of_tiny_pieces,
                a_refused_body_changes_nothing,
                an_allowed_body_is_written,
                a_short_body_changes_nothing,
                a_long_body_changes_nothing,
                a_body_that_breaks_off_changes_nothing,
                a_write_that_is_dropped_changes_nothing;
            staging: a_stage_grows_across_handles,
                a_large_stage_grows_across_handles,
                a_large_stream_is_staged,
                a_stage_that_was_never_begun_is_absent,
                a_stage_says_when_it_was_appended_to,
                a_revision_survives_as_text,
                a_checkpoint_comes_back_exactly,
                an_append_of_nothing_counts,
                many_small_appends,
                an_append_that_breaks_off_changes_nothing,
                a_first_append_that_breaks_off_makes_no_stage,
                an_append_that_is_dropped_changes_nothing,
                a_revision_that_is_past_is_refused,
                two_appends_at_one_revision,
                two_beginnings_of_one_stage,
                a_dropped_stage_is_gone,
                a_stage_is_read_as_it_stood,
                open_stages_are_listed;
            publishing: a_published_stage_is_an_object_and_no_stage,
                an_empty_stage_is_published,
                publishing_replaces_what_is_there,
                publishing_no_stage_changes_nothing,
                what_exists_keeps_its_place_and_the_stage_stays,
                a_stage_that_gave_way_does_not_hurt_what_exists,
                a_publish_can_be_repeated,
                two_publishes_of_one_stage,
                dropping_a_published_stage_does_not_hurt_the_object,
                an_append_after_publishing_is_refused,
                an_object_is_as_old_as_its_publication,
                two_stages_for_one_name;
            deleting: what_was_deleted_is_absent,
                deleting_what_is_not_there_is_no_error,
                a_deleted_name_can_be_used_again,
                a_folder_is_deleted_by_what_it_lists,
                names_are_deleted_exactly,
                many_are_deleted_with_an_answer_for_each;
            listing: the_whole_store_can_be_listed,
                nothing_under_a_prefix_is_an_empty_page,
                an_object_is_not_under_its_own_name,
                fifty_objects_of_a_folder,
                one_level_folds_what_lies_deeper,
                a_folder_goes_with_its_last_object,
                what_only_begins_like_a_prefix_is_not_under_it,
                names_come_in_the_order_of_their_bytes,
                pages_join_without_gap_or_repeat,
                a_listing_begins_after_any_text,
                sizes_and_times_are_listed;
            concurrency: eight_writers_of_one_name,
                readers_of_a_name_that_is_replaced,
                ten_readers_of_one_object,
                thirty_two_streams_at_once,
                writers_and_deleters_of_one_folder,
                a_reader_of_what_goes_away;
            urls: a_temporary_url_gives_the_object,
                a_temporary_url_does_not_ask_for_the_object;
        }
    };
}

/// One test for each case.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    (($make:expr) $($theme:ident: $($case:ident),+;)+) => {
        #[cfg(test)]
        async fn conformance_testbed() -> $crate::conformance::Testbed {
            $make.await.into()
        }

        $($(
            #[test]
            fn $case() {
                $crate::conformance::run(conformance_testbed(), |case| {
                    Box::pin($crate::conformance::$theme::$case(case))
                });
            }
        )+)+
    };
}

/// The names of the cases.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_names {
    (() $($theme:ident: $($case:ident),+;)+) => {
        &[$($((stringify!($theme), stringify!($case))),+),+]
    };
}
