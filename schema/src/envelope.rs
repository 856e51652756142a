use crate::{Event, limits::MAX_SESSION_ID_CHARS};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};
use uuid::Uuid;

/// An event and what surrounds it on the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Names this event; two events of one session with the same client-given id are one event sent twice.
    pub event_id: Uuid,
    /// The client chose `event_id`, so repetitions are looked for.
    pub event_id_given: bool,
    /// The session that the event belongs to; also the key that places it on the log.
    pub session_id: SessionId,
    /// When it happened, in whole microseconds, as far as anyone can tell: the client's time within its window, else
    /// `recorded_at`.
    pub occurred_at: DateTime<Utc>,
    /// When ingest took it, in whole microseconds: the only time that rules use.
    pub recorded_at: DateTime<Utc>,
    /// Who sent it.
    pub source: Source,
    /// What happened.
    pub event: Event,
}

/// Who sent an event, as far as the request itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The client's address, trusted proxies taken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// The `User-Agent` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// The account or token that signed the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The program that sent it, when it is one of ours: `admin`, `load`, `import`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The public id of the row that this event's row takes the place of: the admin moved it here from another session.
    /// Its deletion follows on its own partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<i64>,
}

/// What [`Source::client`] says of changes that were made in the admin.
pub const ADMIN: &str = "admin";

impl Source {
    /// Whether the event was made in the admin.
    pub fn is_admin(&self) -> bool {
        self.client.as_deref() == Some(ADMIN)
    }
}

/// The name that a client gives its session: 1 to 255 characters without NUL, case-sensitive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SessionId(String);

/// The text is no session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id has 1 to 255 characters, none of them NUL")]
pub struct InvalidSessionId;

impl SessionId {
    /// Takes the text as it is, nothing trimmed.
    pub fn parse(text: impl Into<String>) -> Result<Self, InvalidSessionId> {
        let text = text.into();
        // a character has at most 4 bytes, so most texts need no counting
        let short = text.len() <= MAX_SESSION_ID_CHARS || text.chars().count() <= MAX_SESSION_ID_CHARS;
        if text.is_empty() || !short || text.contains('\0') { Err(InvalidSessionId) } else { Ok(Self(text)) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_id_is_measured_in_characters() {
        assert!(SessionId::parse("é".repeat(255)).is_ok());
        assert_eq!(SessionId::parse("é".repeat(256)), Err(InvalidSessionId));
        assert_eq!(SessionId::parse(""), Err(InvalidSessionId));
        assert_eq!(SessionId::parse("a\0b"), Err(InvalidSessionId));
    }
}
