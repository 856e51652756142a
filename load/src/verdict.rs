use crate::connection::Answer;
use hyper::StatusCode;
use serde::Deserialize;
use std::time::Duration;

/// Longest wait that an overloaded server gets, whatever it asks for.
const MAX_WAIT: Duration = Duration::from_secs(1);

/// What becomes of an event after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server has it.
    Acknowledged,
    /// The server will never take it.
    Refused,
    /// To be sent again under the same id.
    Again,
}

/// What becomes of the events of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The same for every one of them.
    All(Fate),
    /// One each, in the order in which they were sent.
    Each(Vec<Fate>),
}

impl Verdict {
    /// Reads an answer to a request with so many events, by the contract's § 4 and 12.
    pub fn of(answer: &Answer, events: usize, batched: bool) -> Self {
        match answer.status {
            StatusCode::ACCEPTED => return Self::All(Fate::Acknowledged),
            StatusCode::TOO_MANY_REQUESTS => return Self::All(Fate::Again),
            _ => {}
        }
        if batched && let Some(fates) = results(&answer.body).filter(|fates| fates.len() == events) {
            return Self::Each(fates);
        }
        let again = match answer.status {
            // the log is away, or, as a proxy says it, the server is; or the request was cut on its way
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::BAD_GATEWAY
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT => true,
            // results that could not be read: the ids make it safe to ask again
            StatusCode::MULTI_STATUS => batched,
            _ => false,
        };
        Self::All(if again { Fate::Again } else { Fate::Refused })
    }

    /// The fate of the event at this place in the request.
    pub fn fate(&self, place: usize) -> Fate {
        match self {
            Self::All(fate) => *fate,
            Self::Each(fates) => fates[place],
        }
    }
}

/// How long the server wants to be left alone; a throttle decides itself, anything else for a second at most.
pub(crate) fn asked_to_wait(answer: &Answer) -> Option<Duration> {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => answer.retry_after,
        _ => answer.retry_after.map(|asked| asked.min(MAX_WAIT)),
    }
}

/// How long to wait before the n-th repetition in a row (from 1), when nobody says anything else: doubling from 10 ms
/// to a second. `jitter`, from 0 to 1, spreads it over its upper half.
pub(crate) fn backoff(repetition: u32, jitter: f64) -> Duration {
    let longest = Duration::from_millis(10 << repetition.min(7)).min(MAX_WAIT);
    longest.mul_f64(0.5 + jitter / 2.0)
}

/// What the answer to a batch says about the first event that it rejects.
pub(crate) fn first_rejected(body: &[u8]) -> Option<String> {
    let answer: serde_json::Value = serde_json::from_slice(body).ok()?;
    let rejected = answer.get("results")?.as_array()?.iter().find(|result| result["status"] == "rejected")?;
    Some(rejected.to_string())
}

fn results(body: &[u8]) -> Option<Vec<Fate>> {
    #[derive(Deserialize)]
    struct Results {
        results: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        status: Status,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Accepted,
        Duplicate,
        Rejected,
        Retry,
    }
    let results: Results = serde_json::from_slice(body).ok()?;
    let fates = results.results.into_iter().map(|one| match one.status {
        Status::Accepted | Status::Duplicate => Fate::Acknowledged,
        Status::Rejected => Fate::Refused,
        Status::Retry => Fate::Again,
    });
    Some(fates.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: body.into() }
    }

    #[test]
    fn only_a_202_acknowledges_and_only_outages_are_repeated() {
        for (status, fate) in [
            (202, Fate::Acknowledged),
            (503, Fate::Again),
            (502, Fate::Again),
            (504, Fate::Again),
            (408, Fate::Again),
            (429, Fate::Again),
            (200, Fate::Refused),
            (301, Fate::Refused),
            (400, Fate::Refused),
            (401, Fate::Refused),
            (413, Fate::Refused),
            (500, Fate::Refused),
        ] {
            assert_eq!(Verdict::of(&answer(status, "{}"), 1, false), Verdict::All(fate), "{status}");
        }
    }

    #[test]
    fn a_batch_is_judged_event_by_event() {
        let body = r#"{"results":[{"status":"accepted","id":1},{"status":"rejected","errors":{}},{"status":"retry"},{"status":"duplicate"}]}"#;
        let each = vec![Fate::Acknowledged, Fate::Refused, Fate::Again, Fate::Acknowledged];
        assert_eq!(Verdict::of(&answer(207, body), 4, true), Verdict::Each(each));
        // another number of results than of events says nothing about any of them
        assert_eq!(Verdict::of(&answer(207, body), 5, true), Verdict::All(Fate::Again));
        assert_eq!(Verdict::of(&answer(400, r#"{"detail":"no"}"#), 5, true), Verdict::All(Fate::Refused));
        assert_eq!(Verdict::of(&answer(503, r#"{"detail":"no"}"#), 5, true), Verdict::All(Fate::Again));
    }

    #[test]
    fn waits_stay_below_a_second_unless_a_throttle_asks_for_more() {
        let mut asked = answer(503, "");
        asked.retry_after = Some(Duration::from_secs(30));
        assert_eq!(asked_to_wait(&asked), Some(Duration::from_secs(1)));
        asked.status = StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(asked_to_wait(&asked), Some(Duration::from_secs(30)));
        for repetition in [1, 5, 7, 100, u32::MAX] {
            assert!(backoff(repetition, 1.0) <= Duration::from_secs(1));
            assert!(backoff(repetition, 0.0) >= Duration::from_millis(10));
        }
    }
}
