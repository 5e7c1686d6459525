//! What every store must do: each claim is one test for each store.
//!
//! A claim is a function in `conformance/`, by theme. It takes a store that is empty, whichever it
//! is, and says what a caller would notice.

mod conformance {
    pub(crate) mod append_each;
    pub(crate) mod append_from;
    pub(crate) mod batches;
    pub(crate) mod commit;
    pub(crate) mod lease;
    pub(crate) mod release;
    pub(crate) mod results;
    pub(crate) mod roll;
    pub(crate) mod seal;
    pub(crate) mod seal_overdue;
    pub(crate) mod steps;
    pub(crate) mod take_over;
}
mod support;

/// Makes one test of each claim for one store.
macro_rules! hold_for {
    ($store:ident: $($theme:ident { $($claim:ident)+ })+) => {
        mod $store {
            $(mod $theme {
                $(#[tokio::test]
                async fn $claim() -> muster_queue::Result<()> {
                    let (queue, _home) = crate::support::$store().await?;
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
        a_sealed_batch_takes_no_more
        a_sealed_batch_still_says_what_it_has
        two_senders_store_each_record_once
    }
    append_each {
        places_are_taken_in_any_order
        repeated_places_are_told
        a_chunk_with_some_taken_is_not_stored
        places_are_of_their_batch_alone
        a_sealed_batch_takes_no_more
        a_sealed_batch_still_says_what_it_has
        a_stream_takes_no_single_records
        single_records_take_no_stream
        what_was_refused_does_not_decide_the_way
    }
    seal {
        the_number_is_checked
        twice_is_the_same_as_once
        the_number_is_checked_again
        an_empty_batch_is_complete
        a_batch_with_work_left_is_not_complete
        commit_last_completes
        seal_last_completes
    }
    seal_overdue {
        only_what_is_overdue_is_sealed
        a_batch_without_a_deadline_is_never_sealed
        records_move_the_deadline
        never_more_than_the_limit
        a_drained_batch_is_completed
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
    }
    release {
        released_work_is_leased_by_another
        a_lost_lease_gives_nothing_back
        a_committed_chunk_does_not_come_back
        released_twice_it_waits_once
        a_roll_is_leased_by_another
        an_idle_worker_is_forgotten
    }
    commit {
        the_first_is_taken_and_the_second_refused
        it_counts_what_is_kept_and_what_is_dead
        a_committed_chunk_is_nobodys_work
        released_work_is_not_committed
        the_new_holder_may_be_first
        the_old_holder_may_be_first
        a_refused_outcome_changes_nothing
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
    }
}
