use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{fmt, net::IpAddr};

/// What happened, in its current form; [`crate::stored`] has the forms in which it lies on the log.
#[derive(Clone, Debug)]
pub enum Event {
    /// A client told who a session is. The envelope's `occurred_at` is the session's start.
    SessionAnnounced(SessionAnnounced),
    /// A session ended, at the envelope's `occurred_at`.
    SessionEnded,
    /// The admin corrected fields of a session.
    SessionCorrected(SessionCorrected),
    /// The admin deleted a session with everything in it that has a smaller id.
    SessionDeleted,
    /// A page was viewed.
    PageViewRecorded(PageViewRecorded),
    /// The admin corrected a page view.
    PageViewCorrected(PageViewCorrected),
    /// The admin deleted the page view with this id.
    PageViewDeleted {
        /// Public id of the page view.
        id: i64,
    },
    /// Somebody did something on a page.
    InteractionRecorded(InteractionRecorded),
    /// The admin corrected an interaction.
    InteractionCorrected(InteractionCorrected),
    /// The admin deleted the interaction with this id.
    InteractionDeleted {
        /// Public id of the interaction.
        id: i64,
    },
}

/// Who a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionAnnounced {
    /// As the client gave it, not empty.
    pub user_agent: String,
    /// As the client gave it.
    pub ip_address: IpAddr,
    /// The client's own name for the user; may be empty.
    pub user_id: Option<String>,
    /// When the session ended, if that is known already; may precede its start.
    pub end_time: Option<DateTime<Utc>>,
}

/// Fields of a session that the admin set; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionCorrected {
    /// New user agent.
    pub user_agent: Option<String>,
    /// New address.
    pub ip_address: Option<IpAddr>,
    /// New user, or nobody.
    pub user_id: Option<Option<String>>,
    /// New end, or none.
    pub end_time: Option<Option<DateTime<Utc>>>,
}

/// A page was viewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageViewRecorded {
    /// As sent, at most 2,000 characters.
    pub url: String,
}

/// A page view as the admin wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageViewCorrected {
    /// Public id of the page view; it lies on the partition of this event.
    pub id: i64,
    /// New URL.
    pub url: String,
}

/// Somebody did something on a page.
#[derive(Clone, Debug)]
pub struct InteractionRecorded {
    /// What was done.
    pub kind: InteractionKind,
    /// What it was done to, at most 2,000 characters.
    pub element: String,
    /// Any JSON, as sent.
    pub metadata: Box<RawValue>,
}

/// Fields of an interaction that the admin set; `None` leaves a field as it is.
#[derive(Clone, Debug)]
pub struct InteractionCorrected {
    /// Public id of the interaction; it lies on the partition of this event.
    pub id: i64,
    /// New kind.
    pub kind: Option<InteractionKind>,
    /// New element.
    pub element: Option<String>,
    /// New metadata.
    pub metadata: Option<Box<RawValue>>,
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[doc = concat!("`", $text, "`")] #[serde(rename = $text)] $variant),* }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the wire, on the log and in the tables.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The one with this name, which must match to the letter.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }
    };
}

names! {
    /// The types of events, by the names that they have on the log.
    EventType {
        SessionAnnounced = "session.announced",
        SessionEnded = "session.ended",
        SessionCorrected = "session.corrected",
        SessionDeleted = "session.deleted",
        PageViewRecorded = "page_view.recorded",
        PageViewCorrected = "page_view.corrected",
        PageViewDeleted = "page_view.deleted",
        InteractionRecorded = "interaction.recorded",
        InteractionCorrected = "interaction.corrected",
        InteractionDeleted = "interaction.deleted",
    }
}

names! {
    /// What can be done on a page: the contract's `event_type`.
    InteractionKind {
        Click = "click",
        Scroll = "scroll",
        MouseMove = "mouse_move",
        FormSubmit = "form_submit",
        InputChange = "input_change",
        PageResize = "page_resize",
        Keypress = "keypress",
        Hover = "hover",
    }
}

impl Event {
    /// The type that the event is written under.
    pub fn event_type(&self) -> EventType {
        match self {
            Self::SessionAnnounced(_) => EventType::SessionAnnounced,
            Self::SessionEnded => EventType::SessionEnded,
            Self::SessionCorrected(_) => EventType::SessionCorrected,
            Self::SessionDeleted => EventType::SessionDeleted,
            Self::PageViewRecorded(_) => EventType::PageViewRecorded,
            Self::PageViewCorrected(_) => EventType::PageViewCorrected,
            Self::PageViewDeleted { .. } => EventType::PageViewDeleted,
            Self::InteractionRecorded(_) => EventType::InteractionRecorded,
            Self::InteractionCorrected(_) => EventType::InteractionCorrected,
            Self::InteractionDeleted { .. } => EventType::InteractionDeleted,
        }
    }
}

impl PartialEq for Event {
    /// Equal when they would be written alike: raw JSON compares by its text.
    fn eq(&self, other: &Self) -> bool {
        self.event_type() == other.event_type()
            && crate::stored::payload_text(self) == crate::stored::payload_text(other)
    }
}
