//! HTTP in, log out: the path of a request is `routes` → `single` or `pixel` → `body` → `json` or `forms` →
//! `events` (by `rules`) → `submit`.
//!
//! Ingest needs the log and nothing else: PostgreSQL's read model may be away and events are still taken.

mod body;
mod charset;
mod clock;
mod content_type;
mod events;
mod field_errors;
mod fields;
mod forms;
mod json;
pub mod metrics;
mod pixel;
pub(crate) use ::rules::python;
mod routes;
mod rules;
mod settings;
mod single;
mod submit;

pub use routes::Ingest;
pub use settings::{IngestSettings, Parser};
