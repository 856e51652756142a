//! Whether the client takes JSON.

use crate::paging::Parameters;
use axum::http::HeaderMap;
use service::{http::Problem, negotiation};

/// 406 when the `Accept` header leaves no room for JSON, 404 for another `format`. The lists have been asked at the gate;
/// this is for `/`.
pub(crate) fn json(headers: &HeaderMap, parameters: &Parameters) -> Result<(), Problem> {
    negotiation::json(headers, parameters.get("format"))
}
