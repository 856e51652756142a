//! The columns that lists are ordered by and whose times are compared.

/// A column of a session, a page view or an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Id,
    SessionId,
    EventType,
    StartTime,
    EndTime,
    Timestamp,
    UserId,
    Address,
    UserAgent,
    Url,
    Element,
    SessionOfEvent,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
    Time,
}

impl Column {
    /// By the name of its field.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "id" => Self::Id,
            "session_id" => Self::SessionId,
            "event_type" => Self::EventType,
            "start_time" => Self::StartTime,
            "end_time" => Self::EndTime,
            "timestamp" => Self::Timestamp,
            "user_id" => Self::UserId,
            "ip_address" => Self::Address,
            "user_agent" => Self::UserAgent,
            "url" => Self::Url,
            "element" => Self::Element,
            "session" => Self::SessionOfEvent,
            _ => return None,
        })
    }

    /// What it holds.
    pub fn kind(self) -> Kind {
        match self {
            Self::Id => Kind::Number,
            Self::SessionId
            | Self::EventType
            | Self::UserId
            | Self::Address
            | Self::UserAgent
            | Self::Url
            | Self::Element
            | Self::SessionOfEvent => Kind::Text,
            Self::StartTime | Self::EndTime | Self::Timestamp => Kind::Time,
        }
    }

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::SessionId => "session_id",
            Self::EventType => "event_type",
            Self::StartTime => "start_time",
            Self::EndTime => "end_time",
            Self::Timestamp => "\"timestamp\"",
            Self::UserId => "user_id",
            Self::Address => "ip_address",
            Self::UserAgent => "user_agent_id",
            Self::Url => "url_id",
            Self::Element => "element_id",
            Self::SessionOfEvent => "session",
        }
    }

    /// How it is compared in the table that is called `table`: without a null, so that what has no end comes last
    /// ascending and first descending, as the contract has it, and one index finds every place.
    pub fn compared(self, table: &str) -> String {
        match self {
            Self::EndTime => format!("coalesce({table}.end_time, 'infinity'::timestamptz)"),
            // what these are called stands in another table; no index has that order, so only the admin offers it
            Self::UserAgent => other(table, self, "user_agent", "text"),
            Self::Url => other(table, self, "url", "text"),
            Self::Element => other(table, self, "element", "text"),
            Self::SessionOfEvent => other(table, self, "session", "session_id"),
            _ => format!("{table}.{}", self.name()),
        }
    }
}

fn other(table: &str, column: Column, other: &str, text: &str) -> String {
    format!("(SELECT x.{text} FROM {other} x WHERE x.id = {table}.{})", column.name())
}
