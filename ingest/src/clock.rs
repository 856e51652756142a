//! What decides about times: the server's clock, and which of a client's times count (contract § 12).

use crate::{
    fields::Fields,
    rules::{Messages, NULL, message, time},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schema::to_micros;

/// How far a client's clock may be ahead of the server's.
const ACCEPTED_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The server's clock, the zone of times without one, and what is known about the client's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub now: DateTime<Utc>,
    pub zone: Tz,
    /// How old a client's time may be.
    pub accepted_age: TimeDelta,
    /// What is to be added to a client's times, since its clock is wrong by that.
    pub correction: TimeDelta,
    /// A time that cannot be taken is an error: so in a batch. Else the server's is taken instead.
    pub strict: bool,
}

impl Clock {
    /// A client's time for an event: nothing when the server's is to be taken. Up to five minutes ahead it is taken as
    /// it is, beyond that never.
    pub fn client_time(&self, fields: &Fields<'_>, name: &str) -> Result<Option<DateTime<Utc>>, Messages> {
        let given = fields.get(name);
        if self.strict && given == Some("null") {
            return message(NULL);
        }
        let time = match time::optional(given, self.zone).and_then(|time| self.corrected(time)) {
            Ok(Some(time)) => to_micros(time),
            Err(messages) if self.strict => return Err(messages),
            Ok(None) | Err(_) => return Ok(None),
        };
        let oldest = self.now.checked_sub_signed(self.accepted_age);
        if oldest.is_some_and(|oldest| time < oldest) {
            let days = self.accepted_age.num_days();
            let told = format!("Ensure this time is no more than {days} days in the past.");
            return if self.strict { message(told) } else { Ok(None) };
        }
        Ok(Some(time).filter(|time| *time <= self.now + ACCEPTED_AHEAD))
    }

    /// A client's time by the server's clock.
    pub fn corrected(&self, time: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, Messages> {
        let Some(time) = time else { return Ok(None) };
        let corrected = time.checked_add_signed(self.correction).filter(|time| time::is_in_range(*time, self.zone));
        corrected.map_or_else(|| message(time::OUT_OF_RANGE), |time| Ok(Some(time)))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::json;
    use rstest::rstest;

    pub fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    pub fn clock() -> Clock {
        let (accepted_age, correction) = (TimeDelta::days(30), TimeDelta::zero());
        Clock { now: at("2026-11-24T12:00:00Z"), zone: Tz::UTC, accepted_age, correction, strict: false }
    }

    const WRONG: &str =
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

    #[rstest]
    #[case::absent("{}", Ok(None))]
    #[case::taken(r#"{"timestamp":"2026-11-24T11:00:00Z"}"#, Ok(Some("2026-11-24T11:00:00Z")))]
    #[case::a_little_ahead(r#"{"timestamp":"2026-11-24T12:05:00Z"}"#, Ok(Some("2026-11-24T12:05:00Z")))]
    #[case::too_far_ahead(r#"{"timestamp":"2026-11-24T12:05:00.000001Z"}"#, Ok(None))]
    #[case::just_young_enough(r#"{"timestamp":"2026-10-25T12:00:00Z"}"#, Ok(Some("2026-10-25T12:00:00Z")))]
    #[case::too_old(
        r#"{"timestamp":"2026-10-25T11:59:59Z"}"#,
        Err("Ensure this time is no more than 30 days in the past.")
    )]
    #[case::no_time(r#"{"timestamp":"yesterday"}"#, Err(WRONG))]
    #[case::empty(r#"{"timestamp":""}"#, Err(WRONG))]
    #[case::null(r#"{"timestamp":null}"#, Err(NULL))]
    #[case::a_number(r#"{"timestamp":1764000000}"#, Err(WRONG))]
    #[case::no_year(r#"{"timestamp":"9999-12-31T23:59:59-01:00"}"#, Err("Datetime value out of range."))]
    fn a_clients_time_counts_within_its_window(#[case] body: &str, #[case] expected: Result<Option<&str>, &str>) {
        let fields = json::parse(body, &["timestamp"]).unwrap();
        let expected = expected.map(|time| time.map(at));
        let lenient = clock().client_time(&fields, "timestamp");
        assert_eq!(lenient, Ok(expected.unwrap_or_default()));
        let strict = Clock { strict: true, ..clock() }.client_time(&fields, "timestamp");
        assert_eq!(strict, expected.map_err(|text| vec![text.to_owned()]));
    }

    #[test]
    fn a_clock_that_is_wrong_is_corrected_before_the_window_is_looked_at() {
        let clock = Clock { correction: TimeDelta::days(365), strict: true, ..clock() };
        let time = |text: &str| {
            let body = format!(r#"{{"timestamp":"{text}"}}"#);
            let fields = json::parse(&body, &["timestamp"]).unwrap();
            clock.client_time(&fields, "timestamp")
        };
        assert_eq!(time("2025-11-24T11:00:00Z"), Ok(Some(at("2026-11-24T11:00:00Z"))));
        assert_eq!(time("9999-11-24T11:00:00Z"), message("Datetime value out of range."));
    }
}
