//! Tells a report from the next one without adding anything up: nothing in it changes while the checkpoints, the day
//! and the question stay.

use super::state::State;
use crate::routes::QueryApi;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use std::fmt::Debug;

/// The `ETag`; `beside` is what else the answer depends on.
pub(super) async fn of(
    api: &QueryApi,
    state: &State,
    today: NaiveDate,
    beside: &(impl Debug + Sync),
) -> sqlx::Result<HeaderValue> {
    let checkpoints: Vec<(i64, String)> =
        sqlx::query_as("SELECT sum(next_offset)::bigint, generation::text FROM checkpoint GROUP BY 2 ORDER BY 2")
            .fetch_all(&api.inner.pool)
            .await?;
    let version = env!("CARGO_PKG_VERSION");
    let digest = Sha256::digest(format!("{version} {checkpoints:?} {state:?} {today} {beside:?}"));
    let short = u128::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
    Ok(HeaderValue::from_str(&format!("W/\"{short:032x}\"")).unwrap_or(HeaderValue::from_static("W/\"\"")))
}

/// Whether the client has it.
pub(super) fn is_known(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|known| known.to_str().ok()).unwrap_or_default();
    known.split(',').any(|known| known.trim().as_bytes() == tag.as_bytes())
}

pub(super) fn put(headers: &mut HeaderMap, tag: &HeaderValue) {
    headers.insert(header::ETAG, tag.clone());
}

pub(super) fn not_modified(tag: &HeaderValue) -> Response {
    let headers = [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::NOT_MODIFIED, headers).into_response()
}
