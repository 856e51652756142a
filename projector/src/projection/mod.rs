//! The rules from events to rows, without any I/O: what becomes of a record, of a session, of a roll-up.

mod batch;
mod day;
mod event_key;
mod rollups;
mod session;
mod tally;

pub use batch::{Batch, Decoded, Parked, SKIPPED, decode_record, digest, latest_recorded_at};
pub use day::{When, day_of};
pub use event_key::{EventKey, session_key, within_window};
pub use rollups::{FactCount, HourTotals, RollUps, SessionTotals, count_fact};
pub use session::{Agent, Corrected, Session};
pub use tally::{Outcome, Tally, UNKNOWN_TYPE};
