//! Envelopes to bytes and back.
//!
//! An envelope is one flat JSON object. It is read in two steps: first the envelope with its payload left as raw
//! JSON, then, by type and version, the payload into that version's struct ([`crate::stored`]), which is lifted to
//! its current form. No step buffers or copies the payload before its type is known.

use crate::{
    Envelope, EventType, SessionId, Source,
    stored::{PayloadError, current_version, decode_payload, encode_payload},
};
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use uuid::Uuid;

/// What the `schema-version` header of our records says. Raised with every new type, and with every new version of
/// one, so that a projector that is older than the record waits for its own update instead of guessing.
pub const SCHEMA_VERSION: u32 = 1;

/// What the `content-type` header of our records says.
pub const CONTENT_TYPE: &str = "application/json";

/// Name of the header that carries [`SCHEMA_VERSION`] as decimal digits.
pub const SCHEMA_VERSION_HEADER: &str = "schema-version";

/// Why a record is no event of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not an envelope at all.
    #[error("malformed envelope: {0}")]
    Malformed(String),
    /// An envelope with a type that no version of ours knows.
    #[error("unknown event type {0:?}")]
    UnknownType(String),
    /// Written by a newer Footfall: wait for the update.
    #[error("schema version {found} is newer than {SCHEMA_VERSION}, the newest that this program knows")]
    FutureVersion {
        /// The record's `schema-version`.
        found: u32,
    },
    /// An envelope of a known type whose field does not hold what it should.
    #[error("invalid {path}: {message}")]
    Invalid {
        /// Which part of the envelope.
        path: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl DecodeError {
    /// A short name for metrics and for the `reason` of a dead letter.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownType(_) => "unknown_type",
            Self::FutureVersion { .. } => "future_version",
            Self::Invalid { .. } => "invalid",
        }
    }
}

#[derive(Serialize, Deserialize)]
struct RawEnvelope<'a> {
    event_id: Uuid,
    event_id_given: bool,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    version: u16,
    #[serde(borrow)]
    session_id: Cow<'a, str>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    #[serde(default)]
    source: Cow<'a, Source>,
    #[serde(borrow)]
    payload: Cow<'a, RawValue>,
}

/// The bytes of an envelope, in the current version of its type.
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    let event_type = envelope.event.event_type();
    let raw = RawEnvelope {
        event_id: envelope.event_id,
        event_id_given: envelope.event_id_given,
        event_type: Cow::Borrowed(event_type.as_str()),
        version: current_version(event_type),
        session_id: Cow::Borrowed(envelope.session_id.as_str()),
        occurred_at: envelope.occurred_at,
        recorded_at: envelope.recorded_at,
        source: Cow::Borrowed(&envelope.source),
        payload: Cow::Owned(encode_payload(&envelope.event)),
    };
    serde_json::to_vec(&raw).expect("an envelope has string keys and no value that JSON cannot hold")
}

/// Reads a record's value.
///
/// `schema_version` is what the header of that name says; `None` when there is none or it is no number.
pub fn decode(schema_version: Option<u32>, value: &[u8]) -> Result<Envelope, DecodeError> {
    if let Some(found) = schema_version.filter(|found| *found > SCHEMA_VERSION) {
        return Err(DecodeError::FutureVersion { found });
    }
    let raw: RawEnvelope<'_> =
        serde_json::from_slice(value).map_err(|error| DecodeError::Malformed(error.to_string()))?;
    let event_type = EventType::parse(&raw.event_type)
        .ok_or_else(|| DecodeError::UnknownType(raw.event_type.chars().take(100).collect()))?;
    let event = decode_payload(event_type, raw.version, &raw.payload).map_err(|error| match error {
        PayloadError::NoSuchVersion => {
            DecodeError::Invalid { path: "version", message: format!("{event_type} has no version {}", raw.version) }
        }
        PayloadError::Invalid(message) => DecodeError::Invalid { path: "payload", message },
    })?;
    let session_id = SessionId::parse(raw.session_id)
        .map_err(|error| DecodeError::Invalid { path: "session_id", message: error.to_string() })?;
    Ok(Envelope {
        event_id: raw.event_id,
        event_id_given: raw.event_id_given,
        session_id,
        occurred_at: time("occurred_at", raw.occurred_at)?,
        recorded_at: time("recorded_at", raw.recorded_at)?,
        source: raw.source.into_owned(),
        event,
    })
}

/// Times have a year of one to four digits: what the contract can show and PostgreSQL can keep.
fn time(path: &'static str, time: DateTime<Utc>) -> Result<DateTime<Utc>, DecodeError> {
    if (1..=9999).contains(&time.year()) {
        Ok(crate::to_micros(time))
    } else {
        Err(DecodeError::Invalid { path, message: format!("the year {} is not between 1 and 9999", time.year()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE_VIEW: &str = r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_id_given":true,
        "type":"page_view.recorded","version":1,"session_id":"s","occurred_at":"2026-11-24T10:00:00Z",
        "recorded_at":"2026-11-24T10:00:00.5Z","source":{},"payload":{"url":"http://a.example/"}}"#;

    fn changed(from: &str, to: &str) -> Result<Envelope, DecodeError> {
        assert!(PAGE_VIEW.contains(from));
        decode(Some(1), PAGE_VIEW.replacen(from, to, 1).as_bytes())
    }

    #[test]
    fn unknown_fields_are_ignored_in_stored_events() {
        assert_eq!(changed("\"version\":1", "\"version\":1,\"later\":[1]"), decode(None, PAGE_VIEW.as_bytes()));
        assert_eq!(changed("\"url\"", "\"later\":{},\"url\""), decode(Some(0), PAGE_VIEW.as_bytes()));
    }

    #[test]
    fn a_newer_schema_version_is_told_apart_from_garbage() {
        assert_eq!(decode(Some(2), b"\xff"), Err(DecodeError::FutureVersion { found: 2 }));
        assert_eq!(decode(None, b"\xff").unwrap_err().reason(), "malformed");
    }

    #[test]
    fn every_broken_part_is_named() {
        for (from, to, reason) in [
            ("page_view.recorded", "page_view.imagined", "unknown_type"),
            ("\"version\":1", "\"version\":2", "invalid"),
            ("\"version\":1", "\"version\":-1", "malformed"),
            ("\"session_id\":\"s\"", "\"session_id\":\"\"", "invalid"),
            ("\"session_id\":\"s\"", "\"session_id\":\"\\ud800\"", "malformed"),
            ("\"url\":\"http://a.example/\"", "\"url\":7", "invalid"),
            ("2026-11-24T10:00:00Z", "+12026-11-24T10:00:00Z", "invalid"),
            ("\"source\":{}", "\"source\":{\"address\":\"nowhere\"}", "malformed"),
        ] {
            assert_eq!(changed(from, to).unwrap_err().reason(), reason, "{from} -> {to}");
        }
    }

    #[test]
    fn metadata_comes_back_as_it_was_sent() {
        for metadata in ["{}", "null", "1e-16000", "123456789012345678901234567890", r#"{"b":1,"a":[1.0,"\u0007"]}"#] {
            let text = PAGE_VIEW.replace("page_view.recorded", "interaction.recorded").replace(
                r#"{"url":"http://a.example/"}"#,
                &format!(r#"{{"event_type":"click","element":"b","metadata":{metadata}}}"#),
            );
            let envelope = decode(Some(1), text.as_bytes()).unwrap();
            let again = decode(Some(SCHEMA_VERSION), &encode(&envelope)).unwrap();
            let crate::Event::InteractionRecorded(interaction) = again.event else { panic!("not an interaction") };
            assert_eq!(interaction.metadata.get(), metadata);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), version in any::<Option<u32>>()) {
            let _ = decode(version, &bytes);
        }

        #[test]
        fn no_mutation_of_an_envelope_makes_decoding_panic(at in 0..PAGE_VIEW.len(), byte in any::<u8>(), cut in 0..PAGE_VIEW.len()) {
            let mut bytes = PAGE_VIEW.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = decode(None, &bytes);
            bytes.truncate(cut);
            prop_assert!(decode(None, &bytes).is_err());
        }

        #[test]
        fn what_is_written_is_read_back(session in "[^\0]{1,40}", url in ".{0,200}", user_agent in proptest::option::of(".{0,40}"), micros in 0_i64..4_000_000_000_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let envelope = Envelope {
                event_id: Uuid::from_u128(7), event_id_given: micros % 2 == 0, session_id: SessionId::parse(session).unwrap(),
                occurred_at: at, recorded_at: at, source: Source { user_agent, ..Source::default() },
                event: crate::Event::PageViewRecorded(crate::PageViewRecorded { url }),
            };
            prop_assert_eq!(decode(Some(SCHEMA_VERSION), &encode(&envelope)), Ok(envelope));
        }
    }
}
