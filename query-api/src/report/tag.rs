//! Tells a report from the next one without adding anything up: nothing in it changes while the checkpoints, the
//! day, of a single day the hour, and the question stay.

use super::{
    Moment,
    state::State,
    window::{Window, hours},
};
use crate::routes::QueryApi;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use std::fmt::Debug;

/// The `ETag`; `beside` is what else the answer depends on.
pub(super) async fn of(
    api: &QueryApi,
    state: &State,
    moment: Moment,
    beside: &(impl Debug + Sync),
) -> sqlx::Result<HeaderValue> {
    let checkpoints: Vec<(i64, String)> =
        sqlx::query_as("SELECT sum(next_offset)::bigint, generation::text FROM checkpoint GROUP BY 2 ORDER BY 2")
            .fetch_all(&api.inner.pool)
            .await?;
    let time = time(state.window(moment.today), moment, api.inner.zone);
    Ok(digest(&(env!("CARGO_PKG_VERSION"), checkpoints, state, time, beside)))
}

/// What a report says of the time when it is made: which day is not over, and of a single day which hour.
fn time(window: Window, moment: Moment, zone: Tz) -> impl Debug {
    let begun = || hours(window.first, zone).into_iter().filter(|hour| *hour <= moment.now).count();
    (moment.today, (window.length() == 1).then(begun))
}

fn digest(of: &impl Debug) -> HeaderValue {
    let digest = Sha256::digest(format!("{of:?}"));
    let short = u128::from_be_bytes(std::array::from_fn(|byte| digest[byte]));
    HeaderValue::from_str(&format!("W/\"{short:032x}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The tag of these days at a time of 25 November in Kathmandu, where hours begin a quarter to ours.
    fn tag(window: Window, clock: &str) -> HeaderValue {
        let now = format!("2026-11-25T{clock}+05:45").parse().unwrap();
        digest(&time(window, Moment { now, today: "2026-11-25".parse().unwrap() }, Tz::Asia__Kathmandu))
    }

    #[test]
    fn a_report_of_today_is_another_one_when_an_hour_begins() {
        let today = "2026-11-25".parse().unwrap();
        let single = Window { first: today, last: today };
        assert_eq!(tag(single, "10:00:00"), tag(single, "10:59:59"));
        assert_ne!(tag(single, "10:59:59"), tag(single, "11:00:00"), "the hour that is drawn with a broken line");
        let week = Window::of_last(7, today);
        assert_eq!(tag(week, "10:59:59"), tag(week, "11:00:00"), "it has no hours");
        let yesterday = Window { first: today.pred_opt().unwrap(), last: today.pred_opt().unwrap() };
        assert_eq!(tag(yesterday, "10:59:59"), tag(yesterday, "11:00:00"), "it is over");
    }
}
