//! HTTP in, log out: the path of a request is `routes` → `body` → `json` → `events` (by `rules`) →
//! `submit`.
//!
//! Ingest needs the log and nothing else: PostgreSQL's read model may be away and events are still taken.

mod body;
mod events;
mod json;
pub mod metrics;
mod python;
mod routes;
mod rules;
mod settings;
mod submit;

pub use routes::Ingest;
pub use settings::IngestSettings;
