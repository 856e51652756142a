//! Events, and the offsets that a log would give them.

use chrono::{DateTime, Utc};
use event_log::Record;
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, Position, SessionAnnounced, SessionId,
    Source, codec, partition_for,
};
use serde_json::value::RawValue;
use uuid::Uuid;

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";

/// Gives events offsets in the order in which they happen.
pub struct Tape {
    next: Vec<i64>,
}

impl Tape {
    pub fn new(partitions: u16) -> Self {
        Self { next: vec![0; usize::from(partitions)] }
    }

    pub fn put(&mut self, envelope: &Envelope) -> Record {
        let key = envelope.session_id.as_str().as_bytes();
        let partition = partition_for(key, u16::try_from(self.next.len()).unwrap());
        let next = &mut self.next[usize::from(partition)];
        let position = Position::new(partition, *next);
        *next += 1;
        Record {
            position,
            appended_at: envelope.recorded_at,
            schema_version: Some(codec::SCHEMA_VERSION),
            key: Some(key.to_vec()),
            value: codec::encode(envelope),
        }
    }
}

pub fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn envelope(session: &str, at: DateTime<Utc>, event: Event) -> Envelope {
    Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse(session).unwrap(),
        occurred_at: schema::to_micros(at),
        recorded_at: schema::to_micros(at),
        source: Source {
            address: Some([192, 0, 2, 1].into()),
            user_agent: Some("curl/8.5.0".into()),
            ..Source::default()
        },
        event,
    }
}

/// Who a session is: a user agent, and perhaps an end and a user.
pub fn session(name: &str, at: DateTime<Utc>, end: Option<DateTime<Utc>>) -> Envelope {
    announced(name, at, FIREFOX, end, None)
}

pub fn announced(
    name: &str,
    at: DateTime<Utc>,
    user_agent: &str,
    end: Option<DateTime<Utc>>,
    user: Option<&str>,
) -> Envelope {
    let event = SessionAnnounced {
        user_agent: user_agent.into(),
        ip_address: "2001:db8::4".parse().unwrap(),
        user_id: user.map(str::to_owned),
        end_time: end.map(schema::to_micros),
    };
    envelope(name, at, Event::SessionAnnounced(event))
}

pub fn page_view(session: &str, at: DateTime<Utc>, url: &str) -> Envelope {
    envelope(session, at, Event::PageViewRecorded(PageViewRecorded { url: url.into() }))
}

pub fn interaction(session: &str, at: DateTime<Utc>, kind: InteractionKind, element: &str, metadata: &str) -> Envelope {
    let metadata = RawValue::from_string(metadata.to_owned()).unwrap();
    envelope(session, at, Event::InteractionRecorded(InteractionRecorded { kind, element: element.into(), metadata }))
}

pub fn click(session: &str, at: DateTime<Utc>, element: &str) -> Envelope {
    interaction(session, at, InteractionKind::Click, element, "{}")
}
