//! What a form asks for, by the rules that ingest goes by.

use super::{fields::Object, typed::Typed, write::Change};
use crate::filters::moment;
use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use rules::{Messages, address, message, metadata, text, url};
use schema::{
    Event, InteractionCorrected, InteractionKind, InteractionRecorded, PageViewCorrected, PageViewRecorded,
    SessionAnnounced, SessionCorrected, SessionId,
    limits::{MAX_ELEMENT_CHARS, MAX_SESSION_ID_CHARS, MAX_USER_ID_CHARS},
};
use serde_json::value::RawValue;
use service::resource::Resource;

/// Messages by field, in field order.
pub(super) type Errors = Vec<(&'static str, Messages)>;

/// Reads fields and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    pub typed: &'a Typed,
    pub zone: Tz,
    pub errors: Errors,
}

impl Reader<'_> {
    /// The events that add an object. `session` is the one that was named, if it is there.
    pub fn addition(&mut self, resource: Resource, session: Option<SessionId>) -> Option<Vec<Change>> {
        let (session_id, event) = match resource {
            Resource::Sessions => {
                let session_id =
                    self.take("session_id", text::required(self.json("session_id").as_deref(), MAX_SESSION_ID_CHARS));
                let session_id = session_id.and_then(|text| SessionId::parse(text).ok());
                let (user_agent, ip_address) = (self.user_agent(), self.ip_address());
                let (user_id, end_time) = (self.user_id(), self.end_time());
                let announced = SessionAnnounced {
                    user_agent: user_agent?,
                    ip_address: ip_address?,
                    user_id: user_id?,
                    end_time: end_time?,
                };
                (session_id?, Event::SessionAnnounced(announced))
            }
            Resource::PageViews => {
                let url = self.url();
                (session?, Event::PageViewRecorded(PageViewRecorded { url: url? }))
            }
            Resource::Interactions => {
                let (kind, element, metadata) = (self.kind(), self.element(), self.metadata());
                let recorded = InteractionRecorded { kind: kind?, element: element?, metadata: metadata? };
                (session?, Event::InteractionRecorded(recorded))
            }
        };
        self.errors.is_empty().then(|| vec![Change { session_id, at: None, moved_from: None, event, object: None }])
    }

    /// The events that bring an object to what was typed; none when it is so already. `session` is the one that it is
    /// to be moved to.
    pub fn change(&mut self, resource: Resource, object: &Object, session: Option<SessionId>) -> Option<Vec<Change>> {
        let home = SessionId::parse(object.session_id.clone()).ok()?;
        let typed = self.typed;
        let touched = |name| typed.is_touched(name);
        let kept = |name: &str| object.values.get(name).cloned().unwrap_or_default();
        let (correction, anew, removal) = match resource {
            Resource::Sessions => {
                let correction = SessionCorrected {
                    user_agent: if touched("user_agent") { self.user_agent() } else { None },
                    ip_address: if touched("ip_address") { self.ip_address() } else { None },
                    user_id: if touched("user_id") { self.user_id() } else { None },
                    end_time: if touched("end_time") { self.end_time() } else { None },
                };
                let changed = correction != SessionCorrected::default();
                (changed.then_some(Event::SessionCorrected(correction)), None, None)
            }
            Resource::PageViews => {
                let url = if touched("url") { self.url() } else { None };
                let anew =
                    Event::PageViewRecorded(PageViewRecorded { url: url.clone().unwrap_or_else(|| kept("url")) });
                let correction = url.map(|url| Event::PageViewCorrected(PageViewCorrected { id: object.id, url }));
                (correction, Some(anew), Some(Event::PageViewDeleted { id: object.id }))
            }
            Resource::Interactions => {
                let kind = if touched("event_type") { self.kind() } else { None };
                let element = if touched("element") { self.element() } else { None };
                let metadata = if touched("metadata") { self.metadata() } else { None };
                let anew = InteractionRecorded {
                    kind: kind.or_else(|| InteractionKind::parse(&kept("event_type")))?,
                    element: element.clone().unwrap_or_else(|| kept("element")),
                    metadata: match &metadata {
                        Some(metadata) => metadata.clone(),
                        None => RawValue::from_string(kept("metadata")).ok()?,
                    },
                };
                let changed = kind.is_some() || element.is_some() || metadata.is_some();
                let correction = InteractionCorrected { id: object.id, kind, element, metadata };
                let removal = Event::InteractionDeleted { id: object.id };
                let correction = changed.then_some(Event::InteractionCorrected(correction));
                (correction, Some(Event::InteractionRecorded(anew)), Some(removal))
            }
        };
        if !self.errors.is_empty() {
            return None;
        }
        let id = Some(object.id);
        let here = |event| Change { session_id: home.clone(), at: None, moved_from: None, event, object: id };
        Some(match (session.filter(|session| *session != home), anew, removal) {
            // the new row first: whatever happens in between, nothing is lost
            (Some(session_id), Some(event), Some(removal)) => {
                let anew = Change { session_id, at: Some(object.at), moved_from: id, event, object: None };
                vec![anew, here(removal)]
            }
            _ => correction.into_iter().map(here).collect(),
        })
    }

    /// The value, or nothing and its messages noted.
    pub fn take<T>(&mut self, field: &'static str, result: Result<T, Messages>) -> Option<T> {
        result.map_err(|messages| self.errors.push((field, messages))).ok()
    }

    /// What was typed, as the rules take it.
    fn json(&self, name: &str) -> Option<String> {
        serde_json::to_string(&self.typed.get(name)).ok()
    }

    fn user_agent(&mut self) -> Option<String> {
        self.take("user_agent", text::required(self.json("user_agent").as_deref(), usize::MAX))
    }

    fn ip_address(&mut self) -> Option<std::net::IpAddr> {
        self.take("ip_address", address::required(self.json("ip_address").as_deref()))
    }

    /// Nobody where nothing was typed.
    fn user_id(&mut self) -> Option<Option<String>> {
        let text = self.take("user_id", text::optional(self.json("user_id").as_deref(), MAX_USER_ID_CHARS))?;
        Some(text.filter(|text| !text.is_empty()))
    }

    fn end_time(&mut self) -> Option<Option<DateTime<Utc>>> {
        let typed = self.typed.get("end_time");
        let typed = crate::text::trimmed(&typed);
        if typed.is_empty() {
            return Some(None);
        }
        let read = moment::read(typed, self.zone).map_err(|told| vec![told]).and_then(|at| {
            let at = schema::to_micros(at);
            if (1..=9999).contains(&at.year()) { Ok(at) } else { message("Datetime value out of range.") }
        });
        self.take("end_time", read).map(Some)
    }

    fn url(&mut self) -> Option<String> {
        self.take("url", url::required(self.json("url").as_deref()))
    }

    fn element(&mut self) -> Option<String> {
        self.take("element", text::required(self.json("element").as_deref(), MAX_ELEMENT_CHARS))
    }

    fn kind(&mut self) -> Option<InteractionKind> {
        let typed = self.typed.get("event_type");
        let kind = InteractionKind::parse(&typed);
        let told =
            if typed.is_empty() { rules::REQUIRED.to_owned() } else { format!("\"{typed}\" is not a valid choice.") };
        self.take("event_type", kind.ok_or_else(|| vec![told]))
    }

    fn metadata(&mut self) -> Option<Box<RawValue>> {
        let typed = self.typed.get("metadata");
        let typed = crate::text::trimmed(&typed);
        self.take("metadata", metadata::optional_in_form(Some(typed).filter(|typed| !typed.is_empty())))
    }
}
