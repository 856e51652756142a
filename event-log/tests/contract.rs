//! What a log promises, tested on both engines alike, and what only one of them promises.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod contract {
    pub mod appending;
    pub mod engine;
    pub mod kafka_alone;
    pub mod kafka_away;
    pub mod postgres_alone;
    pub mod postgres_away;
    pub mod postgres_cut;
    pub mod reading;
    pub mod sharing;
    pub mod support;
}

use contract::{appending, reading, sharing};

macro_rules! on_both_engines {
    ($($module:ident :: $case:ident,)*) => {
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                crate::$module::$case(crate::contract::engine::postgres().await).await;
            })*
        }
        mod kafka {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                crate::$module::$case(crate::contract::engine::kafka().await).await;
            })*
        }
    };
}

on_both_engines! {
    appending::records_of_a_key_keep_their_order_under_many_appenders,
    appending::every_record_gets_its_own_outcome_and_position,
    appending::a_record_that_is_too_large_fails_alone,
    appending::nothing_is_taken_after_the_end,
    appending::records_are_placed_by_our_own_function,
    appending::keys_and_values_come_back_byte_by_byte,
    appending::an_append_of_many_records_keeps_their_order,
    reading::watermarks_say_what_a_partition_holds,
    reading::an_offset_is_found_by_time,
    reading::a_single_record_can_be_read,
    reading::readers_go_over_gaps,
    reading::offsets_outside_of_the_log_are_refused,
    reading::a_waiting_reader_is_woken_at_once,
    reading::a_cancelled_read_loses_nothing,
    reading::a_partition_can_be_opened_again_elsewhere,
    reading::a_slow_reader_gets_everything,
    reading::what_is_taken_is_bounded_in_records_and_bytes,
    reading::retention_that_passes_a_reader_is_noticed,
    reading::a_reader_alone_gets_all_partitions,
    sharing::every_offset_is_processed_once_however_readers_come_and_go,
}
