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
            _ => return None,
        })
    }

    /// What it holds.
    pub fn kind(self) -> Kind {
        match self {
            Self::Id => Kind::Number,
            Self::SessionId | Self::EventType => Kind::Text,
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
        }
    }

    /// How it is compared in the table that is called `table`: without a null, so that what has no end comes last
    /// ascending and first descending, as the contract has it, and one index finds every place.
    pub fn compared(self, table: &str) -> String {
        match self {
            Self::EndTime => format!("coalesce({table}.end_time, 'infinity'::timestamptz)"),
            _ => format!("{table}.{}", self.name()),
        }
    }
}
