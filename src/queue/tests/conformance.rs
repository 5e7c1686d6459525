//! What every store must do: each claim is one test for each store.
//!
//! A claim is a function in `conformance/`, by theme. It takes a store that is empty, whichever it
//! is, and says what a caller would notice.

mod conformance {
    pub(crate) mod abort;
    pub(crate) mod append_each;
    pub(crate) mod append_from;
    pub(crate) mod batches;
    pub(crate) mod commit;
    pub(crate) mod dead_letters;
    pub(crate) mod depth;
    pub(crate) mod end_overdue;
    pub(crate) mod isolated;
    pub(crate) mod lease;
    pub(crate) mod limits;
    pub(crate) mod list;
    pub(crate) mod pause;
    pub(crate) mod policy;
    pub(crate) mod release;
    pub(crate) mod replay;
    pub(crate) mod results;
    pub(crate) mod retry;
    pub(crate) mod roll;
    pub(crate) mod seal;
    pub(crate) mod stats;
    pub(crate) mod steps;
    pub(crate) mod take_over;
    pub(crate) mod workers;
}
#[path = "support/places.rs"]
mod places;
mod support;

use std::num::{NonZeroU8, NonZeroU64};

use muster_queue::{Durability, KeyPrefix, Limits, StoreOptions};

/// What may wait in each store: more than any claim sends but those on the limits.
const RECORDS_MAX: u32 = 1000;
const BYTES_MAX: u64 = 4 << 20;

const OPTIONS: StoreOptions = StoreOptions {
    limits: Limits {
        records: NonZeroU64::new(RECORDS_MAX as u64),
        bytes: NonZeroU64::new(BYTES_MAX),
    },
    durability: Durability::Accepted,
    replicas: NonZeroU8::MIN,
    key_prefix: KeyPrefix::DEFAULT,
    connect_timeout: StoreOptions::CONNECT_TIMEOUT,
};

/// Makes one test of each claim for one store.
macro_rules! hold_for {
    ($store:ident: $($theme:ident { $($claim:ident)+ })+) => {
        mod $store {
            $(mod $theme {
                $(#[tokio::test]
                async fn $claim() -> muster_queue::Result<()> {
                    let (queue, _home) = crate::support::$store(crate::OPTIONS).await?;
                    crate::conformance::$theme::$claim(queue.as_ref()).await
                })+
            })+
        }
    };
}

/// Makes one test of each claim for each store.
macro_rules! hold {
    ($($claims:tt)+) => {
        hold_for! { memory: $($claims)+ }
        hold_for! { embedded: $($claims)+ }
        hold_for! { redis: $($claims)+ }
    };
}

hold! {
    batches {
        a_new_batch_is_open_and_empty
        opened_again_it_keeps_its_options
        opened_again_it_keeps_its_records
        an_unknown_batch_is_not_there
        steps_on_an_unknown_batch_fail
        the_store_answers_a_ping
    }
    append_from {
        chunks_are_taken_in_order
        records_it_has_are_not_stored_again
        a_chunk_that_overlaps_is_not_stored
        a_gap_is_refused
        a_gap_at_the_beginning_is_refused
        several_chunks_are_taken_in_one_step
        of_several_chunks_all_are_stored_or_none
        as_many_as_may_be_are_taken_at_once
        a_sealed_batch_takes_no_more
        a_sealed_batch_still_says_what_it_has
        two_senders_store_each_record_once
        other_records_do_not_go_on_with_a_batch
        batch_shows_the_digest_of_its_records
        batch_has_checkpoints_at_the_ends_of_chunks
    }
    append_each {
        places_are_taken_in_any_order
        repeated_places_are_told
        different_record_at_a_taken_index_is_told
        indices_far_apart_are_told_apart
        a_chunk_with_some_taken_is_not_stored
        several_chunks_are_taken_in_one_step
        of_several_chunks_all_are_stored_or_none
        places_are_of_their_batch_alone
        digest_of_indexed_records_does_not_depend_on_their_order
        a_sealed_batch_takes_no_more
        a_sealed_batch_still_says_what_it_has
        a_stream_takes_no_single_records
        single_records_take_no_stream
        what_was_refused_does_not_decide_the_way
    }
    limits {
        it_takes_any_chunk_below_the_limit
        it_takes_several_chunks_below_the_limit
        it_takes_none_at_the_limit_of_records
        it_takes_none_at_the_limit_of_bytes
        what_is_leased_counts
        below_the_limit_everything_moves_again
        what_it_has_is_told_although_it_is_full
        a_replay_is_never_refused
    }
    seal {
        the_number_is_checked
        the_digest_is_checked
        single_records_have_no_digest
        an_empty_batch_has_the_digest_of_no_records
        an_aborted_batch_is_not_sealed
        twice_is_the_same_as_once
        the_number_is_checked_again
        an_empty_batch_is_complete
        a_batch_with_work_left_is_not_complete
        commit_last_completes
        seal_last_completes
    }
    end_overdue {
        it_is_sealed_with_what_it_has
        it_is_aborted_with_all_it_has
        it_stays_overdue_when_it_is_aborted
        an_empty_batch_is_completed
        a_drained_batch_is_completed
        a_batch_with_dead_letters_is_held
        only_what_is_overdue_ends
        records_put_the_deadline_off
        never_more_than_the_limit
    }
    abort {
        an_open_batch_is_discarded
        a_sealed_batch_is_discarded
        a_held_batch_is_discarded
        twice_is_the_same_as_once
        what_is_complete_is_not_aborted
        it_takes_no_more
        it_stays_aborted
        its_chunks_leave_when_they_are_committed
        what_was_to_be_retried_leaves_as_well
    }
    policy {
        partial_completes_without_them
        fail_holds_a_sealed_batch
        fail_holds_when_the_commit_comes_last
        fail_completes_without_dead_letters
        a_drop_resolves
        a_replay_resolves_when_it_is_committed
        a_replay_that_fails_holds_it_again
        a_drop_of_the_last_seals_nothing
    }
    lease {
        nothing_waits_in_an_empty_store
        work_is_as_it_was_sent
        urgent_work_comes_first_then_the_oldest
        a_roll_comes_before_all_chunks
        never_more_than_asked_for
        nothing_is_leased_twice
        workers_who_ask_at_once_share_the_work
        waiting_ends_when_work_arrives
        waiting_ends_when_a_roll_arrives
        waiting_ends_when_work_is_released
        waiting_ends_after_its_time
    }
    take_over {
        idle_work_of_others_is_taken
        ones_own_idle_work_is_taken_as_well
        fresh_work_is_not_taken
        work_that_waits_is_not_taken
        never_more_than_asked_for
        extended_work_is_kept
        a_lost_lease_stays_lost
        a_roll_is_taken_too
        each_loss_is_counted
    }
    isolated {
        there_is_none_among_others
        it_is_never_leased_with_others
        it_comes_alone_and_at_once
        each_is_leased_once
        one_that_is_lost_comes_first_and_is_counted
        one_that_is_extended_is_kept
        one_that_is_given_back_is_still_isolated
        the_first_of_two_commits_is_taken
    }
    release {
        released_work_is_leased_by_another
        a_lost_lease_gives_nothing_back
        a_committed_chunk_does_not_come_back
        released_twice_it_waits_once
        a_roll_is_leased_by_another
        what_was_lost_stays_counted
        what_a_forgotten_worker_held_is_given_back
        a_worker_that_holds_nothing_is_forgotten
    }
    commit {
        the_first_is_taken_and_the_second_refused
        it_counts_what_is_kept_and_what_is_dead
        a_committed_chunk_is_nobodys_work
        a_chunk_without_bytes_is_a_chunk
        released_work_is_not_committed
        the_new_holder_may_be_first
        the_old_holder_may_be_first
        a_refused_outcome_changes_nothing
    }
    retry {
        it_comes_as_a_chunk_of_its_own
        it_waits_for_its_time
        it_counts_as_retrying_until_it_has_an_outcome
        one_commit_keeps_buries_and_retries
        it_keeps_a_sealed_batch_from_completing
        what_came_of_it_is_in_its_place
        as_sent_is_what_was_to_be_retried
        the_first_of_two_commits_is_taken
        a_commit_from_before_is_refused
    }
    results {
        they_are_in_order_whatever_the_order_of_commits
        single_records_are_in_the_order_of_arrival
        records_left_out_keep_their_places
        a_page_has_as_many_chunks_as_fit
        a_page_has_at_least_one_chunk
        there_is_nothing_where_no_chunk_begins
        dead_letters_are_listed_by_place
        dead_letters_come_by_page
        large_and_binary_payloads_are_kept
    }
    dead_letters {
        dropped_ones_are_gone
        those_of_a_written_batch_are_dropped
        a_drop_does_not_complete_what_has_work_left
        groups_are_listed_by_name
        a_group_that_is_empty_is_gone
        a_group_is_listed_across_batches
        paging_goes_on_behind_one_that_is_gone
        a_page_of_large_ones_is_short
    }
    replay {
        in_an_open_batch_they_go_back_to_their_places
        in_a_sealed_batch_they_go_back_to_their_places
        a_complete_batch_stays_as_it_is
        of_a_written_batch_they_go_into_a_new_one
        what_fails_again_is_a_dead_letter_of_the_new_batch
        twice_is_the_same_as_once
        twice_into_a_new_batch_is_the_same_as_once
        what_is_no_dead_letter_is_left_out
        the_record_may_be_mended
        what_was_sent_is_told_as_before
    }
    roll {
        there_is_none_before_a_batch_is_complete
        batches_come_in_the_order_of_completion
        a_batch_is_written_once
        a_batch_that_is_not_complete_is_not_written
        a_written_batch_keeps_its_counts_and_dead_letters
        a_written_batch_gives_no_more_work
        each_complete_batch_has_a_roll
        sent_again_after_it_was_written
        single_records_sent_again_after_it_was_written
        state_is_replaced_only_where_it_is_as_expected
    }
    depth {
        it_is_what_was_sent
        what_is_leased_waits_too
        what_is_committed_does_not
        what_is_retried_waits_too
        what_is_replayed_waits_again
    }
    stats {
        of_nothing_is_nothing
        each_line_has_what_is_of_its_priority
        what_is_isolated_has_a_line_of_its_own
        what_waits_for_its_time_counts_and_is_not_in_line
        dead_letters_are_those_that_are_not_resolved
        the_oldest_is_as_old_as_it_is
        what_is_leased_is_what_workers_have_in_hand
        totals_only_grow
        the_store_says_what_it_is
    }
    list {
        of_nothing_is_nothing
        the_one_that_was_opened_last_comes_first
        each_state_has_its_batches
        a_page_goes_on_behind_the_one_before
        a_page_goes_on_behind_one_that_is_not_there
        it_shows_batches_as_they_are
        each_state_has_its_time
        what_is_repeated_changes_no_time
        chunks_are_counted_with_those_of_retries
        the_first_trace_that_a_chunk_has_is_the_batch_s
        what_a_replay_makes_is_listed
    }
    pause {
        no_chunk_is_given
        rolls_are_given
        a_lease_that_waits_gets_a_roll
        what_is_in_hand_goes_on
        a_lease_waits_although_there_are_chunks
        chunks_come_when_it_goes_on
        a_lease_that_waits_already_gets_no_chunk
    }
    workers {
        nobody_is_there_before_the_first
        each_is_as_it_said_last
        they_are_listed_by_host_and_id
        so_many_chunks_in_hand_are_kept
        the_last_heartbeat_is_by_the_clock
        one_that_is_silent_for_a_lease_is_lost
        one_that_is_retired_is_gone
        a_heartbeat_tells_what_is_set
    }
}
