//! Names of the projector's metrics, all in one place.

/// Records projected, by `partition` and `outcome` (stored, folded, duplicate, dead, removed).
pub const EVENTS_TOTAL: &str = "footfall_projector_events_total";
/// Batches committed, by `partition`.
pub const BATCHES_TOTAL: &str = "footfall_projector_batches_total";
/// Time from the start of a batch to its commit, in seconds.
pub const BATCH_SECONDS: &str = "footfall_projector_batch_seconds";
/// Records of a batch.
pub const BATCH_RECORDS: &str = "footfall_projector_batch_records";
/// Batches that were cut in two because PostgreSQL refused their data.
pub const BISECTIONS_TOTAL: &str = "footfall_projector_bisections_total";
/// Attempts that failed because PostgreSQL was away.
pub const OUTAGES_TOTAL: &str = "footfall_projector_outages_total";
/// Times that a worker found its checkpoint moved by another owner.
pub const FENCED_TOTAL: &str = "footfall_projector_fenced_total";
/// Next offset wanted, by `partition`.
pub const CHECKPOINT_OFFSET: &str = "footfall_projector_checkpoint_offset";
/// Offsets between the checkpoint and the end of the log, by `partition`; an upper bound of the events waiting.
pub const LAG_OFFSETS: &str = "footfall_projector_lag_offsets";
/// Partitions that stand still until somebody does something.
pub const STOPPED_PARTITIONS: &str = "footfall_projector_stopped_partitions";
