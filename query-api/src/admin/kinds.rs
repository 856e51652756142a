//! What the three kinds of objects are called, and which columns their lists have.

use service::resource::Resource;

/// The words for a kind.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub resource: Resource,
    /// Several of them, as a title.
    pub title: &'static str,
    /// One of them.
    pub one: &'static str,
    /// Its name in the history.
    pub table: &'static str,
    pub columns: &'static [Column],
    pub searched: &'static [&'static str],
    /// Where a search looks, in words.
    pub searched_words: &'static str,
    /// The times that its list can be narrowed down by.
    pub times: &'static [(&'static str, &'static str)],
}

/// A column of a list: the name that it is ordered by, and its heading.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub name: &'static str,
    pub label: &'static str,
}

const fn column(name: &'static str, label: &'static str) -> Column {
    Column { name, label }
}

const SESSIONS: Kind = Kind {
    resource: Resource::Sessions,
    title: "Sessions",
    one: "session",
    table: "session",
    columns: &[
        column("session_id", "Session ID"),
        column("user_agent", "User agent"),
        column("ip_address", "IP address"),
        column("start_time", "Start time"),
        column("end_time", "End time"),
        column("user_id", "User ID"),
    ],
    searched: &["session_id", "user_agent", "ip_address", "user_id"],
    searched_words: "session ID, user agent, IP address, user ID",
    times: &[("start_time", "Start time"), ("end_time", "End time")],
};

const PAGE_VIEWS: Kind = Kind {
    resource: Resource::PageViews,
    title: "Page views",
    one: "page view",
    table: "page_view",
    columns: &[column("session", "Session"), column("url", "URL"), column("timestamp", "Timestamp")],
    searched: &["url", "session_id"],
    searched_words: "URL, session ID",
    times: &[("timestamp", "Timestamp")],
};

const INTERACTIONS: Kind = Kind {
    resource: Resource::Interactions,
    title: "Interactions",
    one: "interaction",
    table: "interaction",
    columns: &[
        column("session", "Session"),
        column("event_type", "Event type"),
        column("element", "Element"),
        column("timestamp", "Timestamp"),
    ],
    searched: &["element", "session_id"],
    searched_words: "element, session ID",
    times: &[("timestamp", "Timestamp")],
};

impl Kind {
    pub fn of(resource: Resource) -> Self {
        match resource {
            Resource::Sessions => SESSIONS,
            Resource::PageViews => PAGE_VIEWS,
            Resource::Interactions => INTERACTIONS,
        }
    }

    /// Its list's address, below the base path.
    pub fn path(self) -> String {
        format!("/admin/{}/", self.resource.path())
    }

    /// "an interaction"
    pub fn a(self) -> String {
        format!("{} {}", if self.one.starts_with('i') { "an" } else { "a" }, self.one)
    }

    /// What a field is called.
    pub fn label(name: &str) -> &str {
        match name {
            "session_id" => "Session ID",
            "user_agent" => "User agent",
            "ip_address" => "IP address",
            "user_id" => "User ID",
            "start_time" => "Start time",
            "end_time" => "End time",
            "session" => "Session",
            "url" => "URL",
            "event_type" => "Event type",
            "element" => "Element",
            "metadata" => "Metadata",
            "timestamp" => "Timestamp",
            "page_views" => "Page views",
            "interactions" => "Interactions",
            other => other,
        }
    }
}
