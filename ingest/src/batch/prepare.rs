//! The events of a batch into records: pure, and without regard to what the log will say.

use super::{
    parse::Batch,
    results::{Entry, Errors, Taken},
};
use crate::{
    clock::Clock,
    events::{Kind, Valid, validate},
    field_errors::FieldErrors,
    fields::Fields,
    json::{self, Unreadable},
    python,
    rules::{self, REQUIRED},
    submit::{record, stamp},
};
use event_log::NewRecord;
use schema::Source;
use std::collections::HashMap;

/// Whatever an event of a batch may give: which of it counts depends on its type.
const FIELDS: &[&str] = &[
    "type",
    "session_id",
    "user_agent",
    "ip_address",
    "start_time",
    "end_time",
    "user_id",
    "event_id",
    "url",
    "timestamp",
    "event_type",
    "element",
    "metadata",
];

/// Why events of a resource are not taken, in the order of `Resource::ALL`; nothing where they are.
pub(super) type Closed = [Option<String>; 3];

/// A batch that may go onto the log.
pub(super) struct Prepared {
    /// What is known of each event, in order.
    pub entries: Vec<Entry>,
    /// The records, in order.
    pub records: Vec<NewRecord>,
}

impl Prepared {
    /// Bytes of all records.
    pub fn bytes(&self) -> usize {
        self.records.iter().map(|record| record.key.len() + record.value.len()).sum()
    }
}

/// Looks at every event by itself: one that is wrong spoils no other.
pub(super) fn prepare(batch: &Batch<'_>, closed: &Closed, clock: Clock, source: &Source) -> Prepared {
    let (mut entries, mut records) = (Vec::with_capacity(batch.events.len()), Vec::with_capacity(batch.events.len()));
    // where the first event of an id stands
    let mut given = HashMap::new();
    for text in &batch.events {
        let valid = match text {
            Ok(text) => read(text, closed, clock),
            Err(wrong) => Err(Errors::of_event(wrong.clone())),
        };
        entries.push(match valid {
            Err(errors) => Entry::Rejected(errors),
            Ok(valid) => {
                let key = valid.event_id.map(|id| (valid.session_id.clone(), id));
                if let Some(first) = key.as_ref().and_then(|key| given.get(key)) {
                    Entry::Duplicate { of: *first }
                } else {
                    given.extend(key.map(|key| (key, entries.len())));
                    let from_client = valid.client_time.is_some();
                    let envelope = stamp(valid, source.clone(), clock.now);
                    records.push(record(&envelope));
                    Entry::Sent { record: records.len() - 1, taken: Taken::of(&envelope, from_client) }
                }
            }
        });
    }
    Prepared { entries, records }
}

fn read(text: &str, closed: &Closed, clock: Clock) -> Result<Valid, Errors> {
    let fields = json::parse(text, FIELDS).map_err(|unreadable| match unreadable {
        Unreadable::Syntax(wrong) | Unreadable::NoObject(wrong) => Errors::of_event(wrong),
    })?;
    let kind = kind(&fields)?;
    match &closed[kind.resource() as usize] {
        Some(why) => Err(Errors::of_event(why.clone())),
        None => validate(kind, &fields, clock).map_err(Errors::Fields),
    }
}

/// By the names of contract § 12; like `event_type`, not trimmed and case-sensitive.
fn kind(fields: &Fields<'_>) -> Result<Kind, Errors> {
    let wrong = |message: String| {
        let mut errors = FieldErrors::default();
        let _: Option<()> = errors.take("type", Err(vec![message]));
        Errors::Fields(errors)
    };
    match fields.get("type") {
        None => Err(wrong(REQUIRED.to_owned())),
        Some("null") => Err(wrong(rules::NULL.to_owned())),
        Some(json) => {
            if let Some(surrogate) = rules::string(json).1 {
                return Err(wrong(rules::surrogate_message(surrogate)));
            }
            let given = python::text(json);
            Kind::named(&given).ok_or_else(|| wrong(format!("\"{given}\" is not a valid choice.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::parse,
        charset::Charset,
        clock::tests::{at, clock},
        content_type::BatchForm,
    };
    use rstest::rstest;
    use schema::codec;

    const OPEN: Closed = [None, None, None];
    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn prepared(lines: &[&str], closed: &Closed) -> Prepared {
        let body = lines.join("\n");
        let batch = parse::parse(body.as_bytes(), BatchForm::Lines, Charset::Utf8, clock()).ok().unwrap();
        prepare(&batch, closed, Clock { strict: true, ..clock() }, &Source::default())
    }

    fn rejected(entry: &Entry) -> String {
        let Entry::Rejected(errors) = entry else { panic!("{entry:?}") };
        serde_json::to_string(errors).unwrap()
    }

    #[test]
    fn every_type_becomes_its_event_in_order() {
        let lines = [
            r#"{"type":"session","session_id":"s","user_agent":"u","ip_address":"::1","url":5}"#,
            r#"{"type":"pageview","session_id":"s","url":"http://a.example/"}"#,
            r#"{"type":"interaction","session_id":"s","event_type":"click","element":"b"}"#,
            r#"{"type":"session_end","session_id":"s","timestamp":"2026-11-24T11:00:00Z"}"#,
        ];
        let types: Vec<String> = prepared(&lines, &OPEN)
            .records
            .iter()
            .map(|record| codec::decode(Some(record.schema_version), &record.value).unwrap())
            .map(|envelope| format!("{} {}", envelope.event.event_type(), envelope.occurred_at.format("%H")))
            .collect();
        let expected = ["session.announced 12", "page_view.recorded 12", "interaction.recorded 12", "session.ended 11"];
        assert_eq!(types, expected);
    }

    #[rstest]
    #[case("{}", r#"{"type":["This field is required."]}"#)]
    #[case(r#"{"type":null}"#, r#"{"type":["This field may not be null."]}"#)]
    #[case(r#"{"type":"Session"}"#, r#"{"type":["\"Session\" is not a valid choice."]}"#)]
    #[case(r#"{"type":["session"]}"#, r#"{"type":["\"['session']\" is not a valid choice."]}"#)]
    #[case("[1]", r#"{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}"#)]
    #[case("null", r#"{"non_field_errors":["No data provided"]}"#)]
    #[case(r#"{"type":"session_end"}"#, r#"{"session_id":["This field is required."]}"#)]
    #[case(
        r#"{"type":"session_end","session_id":"s","timestamp":"2020-01-01"}"#,
        r#"{"timestamp":["Ensure this time is no more than 30 days in the past."]}"#
    )]
    fn a_wrong_event_tells_what_is_wrong_and_spoils_no_other(#[case] text: &str, #[case] errors: &str) {
        let good = r#"{"type":"session_end","session_id":"s"}"#;
        let prepared = prepared(&[good, text, good], &OPEN);
        assert_eq!((rejected(&prepared.entries[1]), prepared.records.len()), (errors.to_owned(), 2));
    }

    #[test]
    fn an_id_that_stands_earlier_for_the_same_session_is_a_duplicate() {
        let end = |session: &str| format!(r#"{{"type":"session_end","session_id":"{session}","event_id":"{ID}"}}"#);
        let wrong = format!(r#"{{"type":"pageview","session_id":"a","event_id":"{ID}"}}"#);
        let prepared = prepared(&[&wrong, &end("a"), &end("b"), &end("a"), &end("a")], &OPEN);
        let found: Vec<Option<usize>> = prepared
            .entries
            .iter()
            .map(|entry| if let Entry::Duplicate { of } = entry { Some(*of) } else { None })
            .collect();
        assert_eq!((found, prepared.records.len()), (vec![None, None, None, Some(1), Some(1)], 2));
    }

    #[test]
    fn a_resource_that_takes_nothing_rejects_its_own_events_alone() {
        let closed: Closed = [None, Some("closed".into()), None];
        let lines = [r#"{"type":"pageview"}"#, r#"{"type":"session_end","session_id":"s"}"#];
        let prepared = prepared(&lines, &closed);
        assert_eq!(rejected(&prepared.entries[0]), r#"{"non_field_errors":["closed"]}"#);
        assert_eq!(prepared.records.len(), 1);
    }

    #[test]
    fn a_corrected_clock_moves_the_times_of_the_events() {
        let line =
            r#"{"type":"pageview","session_id":"s","url":"http://a.example/","timestamp":"2020-01-01T00:00:00Z"}"#;
        let batch = parse::parse(line.as_bytes(), BatchForm::Lines, Charset::Utf8, clock()).ok().unwrap();
        let behind = at("2026-11-24T11:00:00Z") - at("2020-01-01T00:00:00Z");
        let clock = Clock { strict: true, correction: behind, ..clock() };
        let prepared = prepare(&batch, &OPEN, clock, &Source::default());
        let envelope = codec::decode(Some(prepared.records[0].schema_version), &prepared.records[0].value).unwrap();
        assert_eq!(envelope.occurred_at, at("2026-11-24T11:00:00Z"));
    }
}
