//! What must be there after some events: slow, and obviously right. It knows the rules of contract § 3 and nothing of
//! batches, partitions, roll-ups or SQL.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use schema::{Envelope, Event};
use std::collections::BTreeMap;

/// User agents with what the report tells of them: browser, family, system, device.
pub const AGENTS: [[&str; 5]; 5] = [
    [
        "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
        "Firefox",
        "Firefox",
        "Linux",
        "desktop",
    ],
    [
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        "Firefox",
        "Firefox",
        "Linux",
        "desktop",
    ],
    [
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
        "Chrome",
        "Chrome Mobile",
        "Android",
        "phone",
    ],
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Unknown",
        "Googlebot",
        "Other",
        "bot",
    ],
    // what the requests themselves tell
    ["curl/8.5.0", "Unknown", "curl", "Other", "other"],
];

pub struct Session {
    pub start: DateTime<Utc>,
    pub end: Option<DateTime<Utc>>,
    pub agent: String,
    announced: bool,
    agent_is_final: bool,
    end_is_final: bool,
}

pub struct PageView {
    pub session: String,
    pub at: DateTime<Utc>,
    pub url: String,
}

pub struct Interaction {
    pub session: String,
    pub at: DateTime<Utc>,
    pub kind: &'static str,
    pub element: String,
}

/// Everything that is there.
#[derive(Default)]
pub struct Facts {
    pub sessions: BTreeMap<String, Session>,
    pub page_views: BTreeMap<i64, PageView>,
    pub interactions: BTreeMap<i64, Interaction>,
}

impl Facts {
    /// An event with its public id happens.
    pub fn apply(&mut self, id: i64, envelope: &Envelope) {
        let (name, at) = (envelope.session_id.as_str().to_owned(), envelope.occurred_at);
        let from_client = matches!(
            envelope.event,
            Event::SessionAnnounced(_)
                | Event::SessionEnded
                | Event::PageViewRecorded(_)
                | Event::InteractionRecorded(_)
        );
        if from_client {
            self.sessions.entry(name.clone()).or_insert_with(|| Session {
                start: at,
                end: None,
                agent: envelope.source.user_agent.clone().unwrap(),
                announced: false,
                agent_is_final: false,
                end_is_final: false,
            });
        }
        let session = self.sessions.get_mut(&name);
        match &envelope.event {
            Event::SessionAnnounced(event) => {
                let session = session.unwrap();
                if !session.announced {
                    session.announced = true;
                    session.start = session.start.min(at);
                    if !session.agent_is_final {
                        session.agent.clone_from(&event.user_agent);
                    }
                }
                if event.end_time.is_some() && !session.end_is_final {
                    session.end = event.end_time;
                }
            }
            Event::SessionEnded => {
                let session = session.unwrap();
                if !session.end_is_final {
                    session.end = Some(at);
                }
            }
            Event::SessionCorrected(event) => {
                let Some(session) = session else { return };
                if let Some(agent) = &event.user_agent {
                    session.agent.clone_from(agent);
                    session.agent_is_final = true;
                }
                if let Some(end) = event.end_time {
                    session.end = end;
                    session.end_is_final = true;
                }
            }
            Event::SessionDeleted => {
                self.sessions.remove(&name);
                self.page_views.retain(|_, fact| fact.session != name);
                self.interactions.retain(|_, fact| fact.session != name);
            }
            Event::PageViewRecorded(event) => {
                self.page_views.insert(id, PageView { session: name, at, url: event.url.clone() });
            }
            Event::InteractionRecorded(event) => {
                let (kind, element) = (event.kind.as_str(), event.element.clone());
                self.interactions.insert(id, Interaction { session: name, at, kind, element });
            }
            Event::PageViewCorrected(event) => {
                if let Some(fact) = self.page_views.get_mut(&event.id) {
                    fact.url.clone_from(&event.url);
                }
            }
            Event::InteractionCorrected(event) => {
                let Some(fact) = self.interactions.get_mut(&event.id) else { return };
                fact.kind = event.kind.map_or(fact.kind, |kind| kind.as_str());
                fact.element = event.element.clone().unwrap_or_else(|| fact.element.clone());
            }
            Event::PageViewDeleted { id } => drop(self.page_views.remove(id)),
            Event::InteractionDeleted { id } => drop(self.interactions.remove(id)),
        }
    }

    /// What the report tells of a session's visitor: user agent, browser, family, system, device.
    pub fn visitor(&self, session: &str) -> [&'static str; 5] {
        let agent = &self.sessions[session].agent;
        AGENTS.into_iter().find(|known| known[0] == agent).unwrap()
    }
}

/// The calendar's day in a zone.
pub fn day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}
