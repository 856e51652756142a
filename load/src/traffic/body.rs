use super::session::Kind;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use rand::{RngExt, rngs::StdRng};
use schema::InteractionKind;
use std::{fmt::Write, net::IpAddr};
use uuid::Uuid;

/// The JSON object of an event, written by hand: a serialiser would cost more than the rest of making an event.
/// Every text that goes in is one of ours and needs no escapes.
pub(crate) struct Body(String);

/// Writing into memory does not fail.
macro_rules! push {
    ($body:expr, $($part:tt)*) => { write!($body.0, $($part)*).expect("a string takes any text") };
}

impl Body {
    /// With what every event has; `kind` where it is one of a batch.
    pub fn new(kind: Option<Kind>, session_id: &str, event_id: Uuid) -> Self {
        let mut body = Self(String::with_capacity(384));
        body.0.push('{');
        if let Some(kind) = kind {
            push!(body, r#""type":"{}","#, kind.as_str());
        }
        push!(body, r#""session_id":"{session_id}","event_id":"{event_id}""#);
        body
    }

    /// The fields of a page view.
    pub fn page_view(&mut self, url: &str) {
        push!(self, r#","url":"{url}""#);
    }

    /// The fields of a session.
    pub fn session(&mut self, user_agent: &str, address: IpAddr, user: Option<u32>, end: Option<DateTime<Utc>>) {
        push!(self, r#","user_agent":"{user_agent}","ip_address":"{address}""#);
        if let Some(user) = user {
            push!(self, r#","user_id":"user-{user}""#);
        }
        if let Some(end) = end {
            push!(self, r#","end_time":"{}""#, end.to_rfc3339_opts(SecondsFormat::Micros, true));
        }
    }

    /// The fields of an interaction: a type, the more frequent ones more often, and what a script would tell about it.
    pub fn interaction(&mut self, element: &str, random: &mut StdRng) {
        let kind = match random.random_range(0..100) {
            0..30 => InteractionKind::Click,
            30..55 => InteractionKind::Scroll,
            55..70 => InteractionKind::MouseMove,
            70..80 => InteractionKind::Hover,
            80..88 => InteractionKind::Keypress,
            88..94 => InteractionKind::InputChange,
            94..97 => InteractionKind::FormSubmit,
            _ => InteractionKind::PageResize,
        };
        push!(self, r#","event_type":"{kind}","element":"{element}""#);
        let (x, y): (u16, u16) = (random.random_range(0..1920), random.random_range(0..1080));
        match kind {
            InteractionKind::Click => push!(self, r#","metadata":{{"x":{x},"y":{y},"button":"left"}}"#),
            InteractionKind::Scroll => push!(self, r#","metadata":{{"depth":{:.3}}}"#, f64::from(y) / 1080.0),
            InteractionKind::MouseMove => push!(self, r#","metadata":{{"path":[[{x},{y}],[{y},{x}]]}}"#),
            InteractionKind::Hover => push!(self, r#","metadata":{{"milliseconds":{x},"tooltip":null}}"#),
            InteractionKind::Keypress => push!(self, r#","metadata":{{"key":"Enter","ctrl":{}}}"#, x > 1800),
            InteractionKind::InputChange => push!(self, r#","metadata":{{"length":{},"label":"Größe 👟"}}"#, y % 40),
            InteractionKind::FormSubmit => {
                push!(self, r#","metadata":{{"form":{{"name":"checkout","fields":{},"valid":true}}}}"#, x % 12);
            }
            // a script that tells no more than that
            InteractionKind::PageResize => {}
        }
    }

    /// The whole object.
    pub fn finish(mut self) -> Bytes {
        self.0.push('}');
        self.0.into()
    }
}
