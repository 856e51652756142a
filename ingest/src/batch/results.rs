//! What a batch is answered: a result for each event, in order, and the status that follows from them (contract § 12).

use crate::{
    field_errors::FieldErrors,
    metrics,
    submit::{RETRY_AFTER_SECONDS, TOO_LARGE, stored, time_source},
};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_log::AppendError;
use schema::{Envelope, Event, EventType, Position};
use serde::Serialize;
use service::time_format::show;
use uuid::Uuid;

/// What is known of an event before the log is asked.
#[derive(Debug)]
pub(super) enum Entry {
    Rejected(Errors),
    /// The same id for the same session as the entry at `of`.
    Duplicate {
        of: usize,
    },
    Sent {
        record: usize,
        taken: Taken,
    },
}

/// Why an event is rejected.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Errors {
    Fields(FieldErrors),
    Event { non_field_errors: [String; 1] },
}

impl Errors {
    /// Something is wrong with the event as a whole.
    pub fn of_event(wrong: String) -> Self {
        Self::Event { non_field_errors: [wrong] }
    }
}

/// What the answer tells of an event that was sent to the log.
#[derive(Debug)]
pub(super) struct Taken {
    event_type: EventType,
    event_id: Uuid,
    event_id_given: bool,
    from_client: bool,
    /// It will be found under an id of its own.
    has_id: bool,
}

impl Taken {
    pub fn of(envelope: &Envelope, from_client: bool) -> Self {
        Self {
            event_type: envelope.event.event_type(),
            event_id: envelope.event_id,
            event_id_given: envelope.event_id_given,
            from_client,
            has_id: matches!(envelope.event, Event::PageViewRecorded(_) | Event::InteractionRecorded(_)),
        }
    }
}

/// One result.
#[derive(Debug, Serialize)]
struct EventResult<'a> {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_source: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a Errors>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Accepted,
    Duplicate,
    Rejected,
    Retry,
}

/// The answer to a batch.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stored: Option<&'static str>,
    /// The server's time of all events.
    recorded_at: String,
    results: Vec<EventResult<'a>>,
}

/// The answer. `outcomes`: what the log said of each record.
pub(super) fn answer(
    entries: &[Entry],
    outcomes: &[Result<Position, AppendError>],
    recorded_at: DateTime<Utc>,
    zone: Tz,
) -> Response {
    let too_large = Errors::of_event(TOO_LARGE.to_owned());
    let mut results: Vec<EventResult<'_>> = Vec::with_capacity(entries.len());
    for entry in entries {
        let result = match entry {
            Entry::Rejected(errors) => rejected(errors),
            Entry::Duplicate { of } => repeated(&results[*of]),
            Entry::Sent { record, taken } => sent(taken, &outcomes[*record], &too_large),
        };
        results.push(result);
    }
    let status = status(&results);
    let waits = results.iter().any(|result| result.status == Status::Retry);
    let unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
    let unknown = results.iter().any(|result| result.stored == Some("unknown"));
    let answer = Answer {
        detail: unavailable.then_some("The log did not confirm the events. Send them again with the same event_ids."),
        stored: unavailable.then_some(if unknown { "unknown" } else { "no" }),
        recorded_at: show(recorded_at, zone),
        results,
    };
    let body = serde_json::to_vec(&answer).expect("texts and numbers serialise");
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, headers, body).into_response();
    if waits {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
    }
    response
}

fn rejected(errors: &Errors) -> EventResult<'_> {
    let errors = Some(errors);
    EventResult { status: Status::Rejected, id: None, event_id: None, time_source: None, stored: None, errors }
}

/// Where the first one was not confirmed, the repetition is not either: it was not sent.
fn repeated<'a>(first: &EventResult<'a>) -> EventResult<'a> {
    let status = if first.status == Status::Accepted { Status::Duplicate } else { first.status };
    let EventResult { id, event_id, stored, errors, .. } = *first;
    EventResult { status, id, event_id, time_source: None, stored, errors }
}

fn sent<'a>(taken: &Taken, outcome: &Result<Position, AppendError>, too_large: &'a Errors) -> EventResult<'a> {
    match outcome {
        Ok(position) => {
            metrics::accepted(taken.event_type);
            EventResult {
                status: Status::Accepted,
                id: taken.has_id.then(|| position.id()),
                event_id: Some(taken.event_id),
                time_source: Some(time_source(taken.from_client)),
                stored: None,
                errors: None,
            }
        }
        Err(AppendError::TooLarge) => rejected(too_large),
        Err(error) => EventResult {
            status: Status::Retry,
            id: None,
            // one of ours would not be looked for when it comes again
            event_id: taken.event_id_given.then_some(taken.event_id),
            time_source: None,
            stored: Some(stored(error)),
            errors: None,
        },
    }
}

fn status(results: &[EventResult<'_>]) -> StatusCode {
    let all = |statuses: &[Status]| results.iter().all(|result| statuses.contains(&result.status));
    if all(&[Status::Accepted, Status::Duplicate]) {
        StatusCode::ACCEPTED
    } else if all(&[Status::Rejected]) {
        StatusCode::BAD_REQUEST
    } else if all(&[Status::Retry]) {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::MULTI_STATUS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use chrono::TimeDelta;
    use rstest::rstest;
    use serde_json::{Value, json};

    /// An event of each kind of fate: `a`ccepted, `o`verloaded, `u`nknown, too `l`arge, `r`ejected, and `d`, the same
    /// as the first.
    fn batch(fates: &str) -> (Vec<Entry>, Vec<Result<Position, AppendError>>) {
        let (mut entries, mut outcomes) = (Vec::new(), Vec::new());
        for fate in fates.chars() {
            let outcome = match fate {
                'a' => Ok(Position { partition: 0, offset: 6 }),
                'o' => Err(AppendError::Overloaded(String::new())),
                'u' => Err(AppendError::Unknown(String::new())),
                'l' => Err(AppendError::TooLarge),
                'd' => {
                    entries.push(Entry::Duplicate { of: 0 });
                    continue;
                }
                _ => {
                    entries.push(Entry::Rejected(Errors::of_event("wrong".into())));
                    continue;
                }
            };
            outcomes.push(outcome);
            let taken = Taken {
                event_type: EventType::PageViewRecorded,
                event_id: Uuid::nil(),
                event_id_given: fate == 'u',
                from_client: true,
                has_id: true,
            };
            entries.push(Entry::Sent { record: outcomes.len() - 1, taken });
        }
        (entries, outcomes)
    }

    fn answered(fates: &str) -> (u16, bool, Value) {
        let (entries, outcomes) = batch(fates);
        let response = answer(&entries, &outcomes, DateTime::UNIX_EPOCH + TimeDelta::hours(1), Tz::UTC);
        let (head, body) = response.into_parts();
        let body = tokio::runtime::Runtime::new().unwrap().block_on(to_bytes(body, 1 << 20)).unwrap();
        let waits = head.headers.contains_key(header::RETRY_AFTER);
        (head.status.as_u16(), waits, serde_json::from_slice(&body).unwrap())
    }

    #[rstest]
    #[case("", 202, false, &[])]
    #[case("aad", 202, false, &["accepted", "accepted", "duplicate"])]
    #[case("rr", 400, false, &["rejected", "rejected"])]
    #[case("lr", 400, false, &["rejected", "rejected"])]
    #[case("ld", 400, false, &["rejected", "rejected"])]
    #[case("ar", 207, false, &["accepted", "rejected"])]
    #[case("ao", 207, true, &["accepted", "retry"])]
    #[case("ro", 207, true, &["rejected", "retry"])]
    #[case("oo", 503, true, &["retry", "retry"])]
    #[case("od", 503, true, &["retry", "retry"])]
    fn the_status_follows_from_the_results(
        #[case] fates: &str,
        #[case] status: u16,
        #[case] waits: bool,
        #[case] results: &[&str],
    ) {
        let (found, waited, body) = answered(fates);
        let told: Vec<&str> =
            body["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect();
        assert_eq!((found, waited, told.as_slice()), (status, waits, results));
    }

    #[rstest]
    #[case("oo", "no")]
    #[case("ou", "unknown")]
    fn a_503_says_whether_any_of_it_may_be_stored(#[case] fates: &str, #[case] stored: &str) {
        assert_eq!(answered(fates).2["stored"], stored);
    }

    #[test]
    fn a_result_tells_what_its_sender_can_use() {
        let results = answered("adoulr").2["results"].clone();
        let nil = Uuid::nil().to_string();
        let expected = json!([
            {"status": "accepted", "id": 7, "event_id": nil, "time_source": "client"},
            {"status": "duplicate", "id": 7, "event_id": nil},
            // under an id of ours a repetition would not be found
            {"status": "retry", "stored": "no"},
            {"status": "retry", "event_id": nil, "stored": "unknown"},
            {"status": "rejected", "errors": {"non_field_errors": ["The event is larger than the log takes."]}},
            {"status": "rejected", "errors": {"non_field_errors": ["wrong"]}},
        ]);
        assert_eq!(results, expected);
    }
}
