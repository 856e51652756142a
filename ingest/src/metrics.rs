//! The metrics of ingest.

use axum::http::StatusCode;
use schema::EventType;

/// Events that were answered 202, by `type`.
pub const ACCEPTED: &str = "footfall_ingest_events_accepted_total";
/// Requests that were refused or could not be confirmed, by `status`.
pub const REFUSED: &str = "footfall_ingest_requests_refused_total";
/// From the last byte of the body to the log's answer, in seconds.
pub const APPEND_SECONDS: &str = "footfall_ingest_append_duration_seconds";

pub(crate) fn accepted(event_type: EventType) {
    metrics::counter!(ACCEPTED, "type" => event_type.as_str()).increment(1);
}

pub(crate) fn refused(status: StatusCode) {
    metrics::counter!(REFUSED, "status" => status.as_u16().to_string()).increment(1);
}
