//! The payloads as they lie on the log, one struct a type and version, and the upcasts that lead each to the present.
//!
//! Rules: unknown fields are ignored; a new field is optional with a default; a changed meaning is a new version with
//! its own struct here, an `impl From` that lifts the version before it, a new line in `decode_payload`, a new
//! golden file, and a higher [`crate::codec::SCHEMA_VERSION`]. A struct that has been written once is never edited.

use crate::{
    Event, EventType, InteractionCorrected, InteractionKind, InteractionRecorded, PageViewCorrected, PageViewRecorded,
    SessionAnnounced, SessionCorrected,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use std::{borrow::Cow, net::IpAddr};

/// The version in which events of a type are written today.
pub fn current_version(event_type: EventType) -> u16 {
    match event_type {
        EventType::SessionAnnounced
        | EventType::SessionEnded
        | EventType::SessionCorrected
        | EventType::SessionDeleted
        | EventType::PageViewRecorded
        | EventType::PageViewCorrected
        | EventType::PageViewDeleted
        | EventType::InteractionRecorded
        | EventType::InteractionCorrected
        | EventType::InteractionDeleted => 1,
    }
}

/// `session.announced`, version 1.
#[derive(Serialize, Deserialize)]
struct SessionAnnouncedV1<'a> {
    #[serde(borrow)]
    user_agent: Cow<'a, str>,
    ip_address: IpAddr,
    #[serde(borrow)]
    user_id: Option<Cow<'a, str>>,
    end_time: Option<DateTime<Utc>>,
}

/// `session.corrected`, version 1: a field that is absent stays, `null` empties.
#[derive(Serialize, Deserialize)]
struct SessionCorrectedV1 {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ip_address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    user_id: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    end_time: Option<Option<DateTime<Utc>>>,
}

/// `page_view.recorded`, version 1.
#[derive(Serialize, Deserialize)]
struct PageViewRecordedV1<'a> {
    #[serde(borrow)]
    url: Cow<'a, str>,
}

/// `page_view.corrected`, version 1.
#[derive(Serialize, Deserialize)]
struct PageViewCorrectedV1 {
    id: i64,
    url: String,
}

/// `page_view.deleted` and `interaction.deleted`, version 1.
#[derive(Serialize, Deserialize)]
struct DeletedV1 {
    id: i64,
}

/// `interaction.recorded`, version 1.
#[derive(Serialize, Deserialize)]
struct InteractionRecordedV1<'a> {
    event_type: InteractionKind,
    #[serde(borrow)]
    element: Cow<'a, str>,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// `interaction.corrected`, version 1.
#[derive(Serialize, Deserialize)]
struct InteractionCorrectedV1 {
    id: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event_type: Option<InteractionKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    element: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

/// `session.ended` and `session.deleted`, version 1: nothing beyond the envelope.
#[derive(Serialize, Deserialize)]
struct NothingV1 {}

/// Tells a field that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Why a payload could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PayloadError {
    /// Nobody has ever written this version.
    NoSuchVersion,
    /// The payload is not what its version says.
    Invalid(String),
}

/// Reads a payload of any version ever written and lifts it to its current form.
pub(crate) fn decode_payload(event_type: EventType, version: u16, payload: &RawValue) -> Result<Event, PayloadError> {
    use EventType as T;
    let json = payload.get();
    Ok(match (event_type, version) {
        (T::SessionAnnounced, 1) => read::<SessionAnnouncedV1<'_>>(json)?.into(),
        (T::SessionEnded, 1) => owned::<NothingV1>(json).map(|_| Event::SessionEnded)?,
        (T::SessionCorrected, 1) => owned::<SessionCorrectedV1>(json)?.into(),
        (T::SessionDeleted, 1) => owned::<NothingV1>(json).map(|_| Event::SessionDeleted)?,
        (T::PageViewRecorded, 1) => read::<PageViewRecordedV1<'_>>(json)?.into(),
        (T::PageViewCorrected, 1) => owned::<PageViewCorrectedV1>(json)?.into(),
        (T::PageViewDeleted, 1) => Event::PageViewDeleted { id: owned::<DeletedV1>(json)?.id },
        (T::InteractionRecorded, 1) => read::<InteractionRecordedV1<'_>>(json)?.into(),
        (T::InteractionCorrected, 1) => owned::<InteractionCorrectedV1>(json)?.into(),
        (T::InteractionDeleted, 1) => Event::InteractionDeleted { id: owned::<DeletedV1>(json)?.id },
        _ => return Err(PayloadError::NoSuchVersion),
    })
}

/// The payload of an event in the version that is written today.
pub(crate) fn encode_payload(event: &Event) -> Box<RawValue> {
    let written = match event {
        Event::SessionAnnounced(e) => to_raw_value(&SessionAnnouncedV1 {
            user_agent: Cow::Borrowed(&e.user_agent),
            ip_address: e.ip_address,
            user_id: e.user_id.as_deref().map(Cow::Borrowed),
            end_time: e.end_time,
        }),
        Event::SessionEnded | Event::SessionDeleted => to_raw_value(&NothingV1 {}),
        Event::SessionCorrected(e) => to_raw_value(&SessionCorrectedV1 {
            user_agent: e.user_agent.clone(),
            ip_address: e.ip_address,
            user_id: e.user_id.clone(),
            end_time: e.end_time,
        }),
        Event::PageViewRecorded(e) => to_raw_value(&PageViewRecordedV1 { url: Cow::Borrowed(&e.url) }),
        Event::PageViewCorrected(e) => to_raw_value(&PageViewCorrectedV1 { id: e.id, url: e.url.clone() }),
        Event::PageViewDeleted { id } | Event::InteractionDeleted { id } => to_raw_value(&DeletedV1 { id: *id }),
        Event::InteractionRecorded(e) => to_raw_value(&InteractionRecordedV1 {
            event_type: e.kind,
            element: Cow::Borrowed(&e.element),
            metadata: &e.metadata,
        }),
        Event::InteractionCorrected(e) => to_raw_value(&InteractionCorrectedV1 {
            id: e.id,
            event_type: e.kind,
            element: e.element.clone(),
            metadata: e.metadata.clone(),
        }),
    };
    written.expect("payloads are structs of strings, numbers and raw JSON, which always serialise")
}

/// The payload's text, for comparing.
pub(crate) fn payload_text(event: &Event) -> String {
    encode_payload(event).get().to_owned()
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, PayloadError> {
    serde_json::from_str(json).map_err(|error| PayloadError::Invalid(error.to_string()))
}

fn owned<T: DeserializeOwned>(json: &str) -> Result<T, PayloadError> {
    read(json)
}

impl From<SessionAnnouncedV1<'_>> for Event {
    fn from(v1: SessionAnnouncedV1<'_>) -> Self {
        Self::SessionAnnounced(SessionAnnounced {
            user_agent: v1.user_agent.into_owned(),
            ip_address: v1.ip_address,
            user_id: v1.user_id.map(Cow::into_owned),
            end_time: v1.end_time,
        })
    }
}

impl From<SessionCorrectedV1> for Event {
    fn from(v1: SessionCorrectedV1) -> Self {
        Self::SessionCorrected(SessionCorrected {
            user_agent: v1.user_agent,
            ip_address: v1.ip_address,
            user_id: v1.user_id,
            end_time: v1.end_time,
        })
    }
}

impl From<PageViewRecordedV1<'_>> for Event {
    fn from(v1: PageViewRecordedV1<'_>) -> Self {
        Self::PageViewRecorded(PageViewRecorded { url: v1.url.into_owned() })
    }
}

impl From<PageViewCorrectedV1> for Event {
    fn from(v1: PageViewCorrectedV1) -> Self {
        Self::PageViewCorrected(PageViewCorrected { id: v1.id, url: v1.url })
    }
}

impl From<InteractionRecordedV1<'_>> for Event {
    fn from(v1: InteractionRecordedV1<'_>) -> Self {
        Self::InteractionRecorded(InteractionRecorded {
            kind: v1.event_type,
            element: v1.element.into_owned(),
            metadata: v1.metadata.to_owned(),
        })
    }
}

impl From<InteractionCorrectedV1> for Event {
    fn from(v1: InteractionCorrectedV1) -> Self {
        Self::InteractionCorrected(InteractionCorrected {
            id: v1.id,
            kind: v1.event_type,
            element: v1.element,
            metadata: v1.metadata,
        })
    }
}
