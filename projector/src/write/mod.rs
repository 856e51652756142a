//! From a decoded batch to one transaction.

mod admin;
mod attempt;
mod bulk;
mod dead_in_a_row;
mod deletions;
mod error;
mod facts;
mod history;
mod ledger;
mod partition_writer;
mod rollups;
mod seen;
mod sessions;

pub use attempt::{Part, attempt};
pub use error::{WriteError, is_outage};
pub(crate) use partition_writer::offset_as_f64;
pub use partition_writer::{PartitionWriter, ProjectError, backoff};
