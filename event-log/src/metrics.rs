//! Names of the metrics of this crate.

/// Counter: records that the log has confirmed; label `engine`.
pub const APPENDED: &str = "footfall_log_appended_records_total";
/// Counter: records that were not confirmed; labels `engine` and `outcome` (`overloaded`, `too_large`, `unknown`,
/// `fenced`).
pub const REFUSED: &str = "footfall_log_refused_records_total";
/// Histogram: records of one transaction of the PostgreSQL log.
pub const BATCH: &str = "footfall_log_batch_records";
/// Histogram: seconds that one transaction of the PostgreSQL log takes.
pub const COMMIT: &str = "footfall_log_commit_seconds";
/// Counter: how often the appender of the PostgreSQL log has lost its connection.
pub const CONNECTION_LOST: &str = "footfall_log_connections_lost_total";
/// Counter: how often the Kafka producer was made anew after a fatal error.
pub const PRODUCER_REBUILT: &str = "footfall_log_producers_rebuilt_total";

use crate::AppendError;
use schema::Position;

/// Counts what became of some records.
pub(crate) fn count(engine: &'static str, outcomes: &[Result<Position, AppendError>]) {
    let mut counts = [0_u64; 5];
    for outcome in outcomes {
        counts[match outcome {
            Ok(_) => 0,
            Err(AppendError::Overloaded(_)) => 1,
            Err(AppendError::TooLarge) => 2,
            Err(AppendError::Unknown(_)) => 3,
            Err(AppendError::Fenced(_)) => 4,
        }] += 1;
    }
    if counts[0] > 0 {
        metrics::counter!(APPENDED, "engine" => engine).increment(counts[0]);
    }
    for (count, outcome) in counts[1..].iter().zip(["overloaded", "too_large", "unknown", "fenced"]) {
        if *count > 0 {
            metrics::counter!(REFUSED, "engine" => engine, "outcome" => outcome).increment(*count);
        }
    }
}
