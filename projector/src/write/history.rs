//! Who changed what in the admin: one row for each such event, read by the history of an object's page. What the row
//! of the object was before is told as it is then, so that a rebuild tells the same.

use crate::projection::Session;
use chrono::{DateTime, SecondsFormat, Utc};
use schema::{Envelope, Event, EventType, InteractionCorrected, PageViewCorrected, SessionCorrected};
use serde_json::{Value, json};
use sqlx::PgConnection;

/// What became of an object.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// Its id; `None` when it was not there.
    object: Option<i64>,
    fields: Vec<Value>,
}

impl Change {
    /// What the event names is gone, or never was.
    pub fn without_effect() -> Self {
        Self::default()
    }

    fn of(object: i64) -> Self {
        Self { object: Some(object), fields: Vec::new() }
    }

    fn field(&mut self, name: &str, from: Option<&str>, to: Option<&str>) {
        self.fields.push(json!({ "field": name, "from": from, "to": to }));
    }
}

/// The kinds of objects, and what can be done to them.
fn kind(event: &Event) -> (&'static str, &'static str) {
    match event.event_type() {
        EventType::SessionAnnounced => ("session", "added"),
        EventType::SessionEnded | EventType::SessionCorrected => ("session", "changed"),
        EventType::SessionDeleted => ("session", "deleted"),
        EventType::PageViewRecorded => ("page_view", "added"),
        EventType::PageViewCorrected => ("page_view", "changed"),
        EventType::PageViewDeleted => ("page_view", "deleted"),
        EventType::InteractionRecorded => ("interaction", "added"),
        EventType::InteractionCorrected => ("interaction", "changed"),
        EventType::InteractionDeleted => ("interaction", "deleted"),
    }
}

/// The id that an event itself names.
fn named(event: &Event) -> Option<i64> {
    match event {
        Event::PageViewDeleted { id } | Event::InteractionDeleted { id } => Some(*id),
        Event::PageViewCorrected(event) => Some(event.id),
        Event::InteractionCorrected(event) => Some(event.id),
        _ => None,
    }
}

/// Notes what a client's kind of event did that came from the admin; its rows are there.
pub(super) async fn added(connection: &mut PgConnection, id: i64, envelope: &Envelope) -> sqlx::Result<()> {
    let mut change = match &envelope.event {
        Event::PageViewRecorded(_) | Event::InteractionRecorded(_) => Change::of(id),
        _ => {
            let session: Option<i64> = sqlx::query_scalar("SELECT id FROM session WHERE session_id = $1")
                .bind(envelope.session_id.as_str())
                .fetch_optional(&mut *connection)
                .await?;
            session.map_or_else(Change::without_effect, Change::of)
        }
    };
    match &envelope.event {
        Event::SessionAnnounced(event) => {
            change.field("user_agent", None, Some(&event.user_agent));
            change.field("ip_address", None, Some(&event.ip_address.to_string()));
            change.field("user_id", None, event.user_id.as_deref());
            change.field("end_time", None, event.end_time.map(time).as_deref());
        }
        Event::PageViewRecorded(event) => change.field("url", None, Some(&event.url)),
        Event::InteractionRecorded(event) => {
            change.field("event_type", None, Some(event.kind.as_str()));
            change.field("element", None, Some(&event.element));
        }
        _ => {}
    }
    note(connection, id, envelope, change).await
}

/// Notes what an event did.
pub(super) async fn note(
    connection: &mut PgConnection,
    id: i64,
    envelope: &Envelope,
    change: Change,
) -> sqlx::Result<()> {
    let (resource, action) = kind(&envelope.event);
    sqlx::query(
        "INSERT INTO admin_change (id, event_id, resource, object, session_id, action, account, changed_at, moved_from,
                                   effective, changes)
         VALUES ($1, $11, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(id)
    .bind(resource)
    .bind(change.object.or_else(|| named(&envelope.event)))
    .bind(envelope.session_id.as_str())
    .bind(action)
    // PostgreSQL keeps no NUL in a text
    .bind(envelope.source.user.as_deref().map(|user| user.replace('\0', "\u{fffd}")))
    .bind(envelope.recorded_at)
    .bind(envelope.source.moved_from)
    .bind(change.object.is_some())
    .bind(Value::from(change.fields))
    .bind(envelope.event_id)
    .execute(connection)
    .await
    .map(drop)
}

/// What a correction does to a session, as its row is before.
pub(super) async fn session_corrected(
    connection: &mut PgConnection,
    old: &Session,
    event: &SessionCorrected,
) -> sqlx::Result<Change> {
    let mut change = Change::of(old.id);
    if let Some(user_agent) = &event.user_agent {
        let before: String = sqlx::query_scalar("SELECT text FROM user_agent WHERE id = $1")
            .bind(old.agent.id)
            .fetch_one(connection)
            .await?;
        change.field("user_agent", Some(&before), Some(user_agent));
    }
    if let Some(ip_address) = event.ip_address {
        let before = old.ip_address.map(|address| address.to_string());
        change.field("ip_address", before.as_deref(), Some(&ip_address.to_string()));
    }
    if let Some(user_id) = &event.user_id {
        change.field("user_id", old.user_id.as_deref(), user_id.as_deref());
    }
    if let Some(end_time) = event.end_time {
        change.field("end_time", old.end_time.map(time).as_deref(), end_time.map(time).as_deref());
    }
    Ok(change)
}

/// What goes with a session.
pub(super) fn session_deleted(old: &Session) -> Change {
    let mut change = Change::of(old.id);
    change.field("page_views", Some(&old.page_views.to_string()), None);
    change.field("interactions", Some(&old.interactions.to_string()), None);
    change
}

/// What a correction does to a page view, if it is there.
pub(super) async fn page_view_corrected(
    connection: &mut PgConnection,
    event: &PageViewCorrected,
) -> sqlx::Result<Option<Change>> {
    let before = page_view(connection, event.id).await?;
    Ok(before.map(|url| {
        let mut change = Change::of(event.id);
        change.field("url", Some(&url), Some(&event.url));
        change
    }))
}

/// What a page view was that is deleted, if it is there.
pub(super) async fn page_view_deleted(connection: &mut PgConnection, id: i64) -> sqlx::Result<Option<Change>> {
    let before = page_view(connection, id).await?;
    Ok(before.map(|url| {
        let mut change = Change::of(id);
        change.field("url", Some(&url), None);
        change
    }))
}

/// What a correction does to an interaction, if it is there.
pub(super) async fn interaction_corrected(
    connection: &mut PgConnection,
    event: &InteractionCorrected,
) -> sqlx::Result<Option<Change>> {
    let Some((kind, element)) = interaction(connection, event.id).await? else { return Ok(None) };
    let mut change = Change::of(event.id);
    if let Some(new) = event.kind {
        change.field("event_type", Some(&kind), Some(new.as_str()));
    }
    if let Some(new) = &event.element {
        change.field("element", Some(&element), Some(new));
    }
    if event.metadata.is_some() {
        // it can be megabytes: that it was changed is told, not from what to what
        change.field("metadata", None, None);
    }
    Ok(Some(change))
}

/// What an interaction was that is deleted, if it is there.
pub(super) async fn interaction_deleted(connection: &mut PgConnection, id: i64) -> sqlx::Result<Option<Change>> {
    let before = interaction(connection, id).await?;
    Ok(before.map(|(kind, element)| {
        let mut change = Change::of(id);
        change.field("event_type", Some(&kind), None);
        change.field("element", Some(&element), None);
        change
    }))
}

async fn page_view(connection: &mut PgConnection, id: i64) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar("SELECT u.text FROM page_view v JOIN url u ON u.id = v.url_id WHERE v.id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await
}

async fn interaction(connection: &mut PgConnection, id: i64) -> sqlx::Result<Option<(String, String)>> {
    sqlx::query_as(
        "SELECT i.event_type, e.text FROM interaction i JOIN element e ON e.id = i.element_id WHERE i.id = $1",
    )
    .bind(id)
    .fetch_optional(connection)
    .await
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
