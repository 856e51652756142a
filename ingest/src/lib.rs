//! HTTP in, log out: the path of a request is `routes` → `single`, `batch` or `pixel` → `body` → `json` or `forms` →
//! `events` (by `rules`) → `submit`.
//!
//! Ingest needs the log and nothing else: PostgreSQL's read model may be away and events are still taken.

mod batch;
mod body;
mod charset;
mod clock;
mod content_type;
mod described;
mod events;
mod field_errors;
mod fields;
mod forms;
#[doc(hidden)]
pub mod fuzzing;
mod json;
pub mod metrics;
mod pixel;
pub(crate) use ::rules::python;
mod routes;
mod rules;
mod settings;
mod single;
mod submit;

pub use routes::{Ingest, openapi};
pub use settings::{IngestSettings, Parser};
