//! Corrections and deletions, one at a time: rare, so simple beats fast.
//!
//! What they name may be gone or never have been; then they have no effect. Rows of other partitions are none of
//! this worker's business, whatever an event says.

use super::{
    attempt::Effects,
    deletions, facts,
    history::{self, Change},
    seen, sessions,
};
use crate::{
    dimensions::Interned,
    model::ReadModel,
    projection::{FactCount, Session, When},
};
use chrono::{DateTime, Utc};
use schema::{Envelope, Event, InteractionCorrected, InteractionKind, PageViewCorrected, Position, SessionCorrected};
use sqlx::PgConnection;

/// Applies a correction or deletion that stands at `position`.
pub(super) async fn apply(
    connection: &mut PgConnection,
    model: &ReadModel,
    position: Position,
    envelope: &Envelope,
    interned: &Interned<'_>,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let (first, last) = Position::ids_of(position.partition);
    let here = |id: i64| (first..=last).contains(&id);
    let id = position.id();
    let change = match &envelope.event {
        Event::SessionCorrected(event) => match load(connection, envelope).await? {
            Some(session) => {
                let change = history::session_corrected(connection, &session, event).await?;
                correct_session(connection, model, session, event, interned, effects).await?;
                Some(change)
            }
            None => None,
        },
        Event::SessionDeleted => match load(connection, envelope).await? {
            Some(session) => {
                seen::note_session(connection, envelope.session_id.as_str(), session.first_recorded_at).await?;
                let change = history::session_deleted(&session);
                deletions::session(connection, model, id, &session, effects).await?;
                Some(change)
            }
            None => None,
        },
        Event::PageViewCorrected(event) if here(event.id) => {
            let change = history::page_view_corrected(connection, event).await?;
            correct_page_view(connection, model, event, interned, effects).await?;
            change
        }
        Event::InteractionCorrected(event) if here(event.id) => {
            let change = history::interaction_corrected(connection, event).await?;
            correct_interaction(connection, model, event, interned, effects).await?;
            change
        }
        Event::PageViewDeleted { id } if here(*id) => {
            let change = history::page_view_deleted(connection, *id).await?;
            deletions::page_view(connection, model, *id, effects).await?;
            change
        }
        Event::InteractionDeleted { id } if here(*id) => {
            let change = history::interaction_deleted(connection, *id).await?;
            deletions::interaction(connection, model, *id, effects).await?;
            change
        }
        _ => None,
    };
    history::note(connection, id, envelope, change.unwrap_or_else(Change::without_effect)).await
}

async fn load(connection: &mut PgConnection, envelope: &Envelope) -> sqlx::Result<Option<Session>> {
    let rows = sessions::load(connection, &[envelope.session_id.as_str()]).await?;
    Ok(rows.into_iter().next().map(|row| row.session))
}

async fn correct_session(
    connection: &mut PgConnection,
    model: &ReadModel,
    old: Session,
    event: &SessionCorrected,
    interned: &Interned<'_>,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let agent = event.user_agent.as_deref().and_then(|text| interned.agents.get(text)).copied();
    let mut new = old.clone();
    new.corrected(event, agent);
    let zone = model.made_for.zone;
    effects.rollups.session_changed(zone, Some(&old), Some(&new));
    facts::follow_clients(connection, zone, &[(&old, &new)], &mut effects.rollups).await?;
    sessions::update(connection, &[&new]).await
}

async fn correct_page_view(
    connection: &mut PgConnection,
    model: &ReadModel,
    event: &PageViewCorrected,
    interned: &Interned<'_>,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let url_id = interned.urls.get(event.url.as_str()).copied().unwrap_or_default();
    let old: Option<(i64, DateTime<Utc>)> = sqlx::query_as("SELECT url_id, \"timestamp\" FROM page_view WHERE id = $1")
        .bind(event.id)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((old_url_id, at)) = old else { return Ok(()) };
    let when = When::of(model.made_for.zone, at);
    effects.rollups.page_views_changed(when, old_url_id, -1);
    effects.rollups.page_views_changed(when, url_id, 1);
    sqlx::query("UPDATE page_view SET url_id = $1 WHERE id = $2 AND \"timestamp\" = $3")
        .bind(url_id)
        .bind(event.id)
        .bind(at)
        .execute(connection)
        .await
        .map(drop)
}

async fn correct_interaction(
    connection: &mut PgConnection,
    model: &ReadModel,
    event: &InteractionCorrected,
    interned: &Interned<'_>,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let old: Option<(i64, String, i64, DateTime<Utc>)> =
        sqlx::query_as("SELECT session, event_type, element_id, \"timestamp\" FROM interaction WHERE id = $1")
            .bind(event.id)
            .fetch_optional(&mut *connection)
            .await?;
    let Some((session, old_kind, old_element_id, at)) = old else { return Ok(()) };
    let element_id = event.element.as_deref().and_then(|text| interned.elements.get(text)).copied();
    let (when, old_kind) = (When::of(model.made_for.zone, at), kind_of(&old_kind)?);
    let client_id = sessions::load_one(connection, session).await?.agent.client_id;
    let new = (element_id.unwrap_or(old_element_id), event.kind.unwrap_or(old_kind));
    for ((element_id, kind), sign) in [((old_element_id, old_kind), -1), (new, 1)] {
        effects.rollups.interactions_changed(when, element_id, kind, sign);
        effects.rollups.facts_changed(client_id, &[FactCount { day: when.day, kind: Some(kind), count: 1 }], sign);
    }
    sqlx::query(
        "UPDATE interaction
         SET event_type = COALESCE($1, event_type), element_id = COALESCE($2, element_id),
             metadata = COALESCE($3::text::jsonb, metadata)
         WHERE id = $4 AND \"timestamp\" = $5",
    )
    .bind(event.kind.map(InteractionKind::as_str))
    .bind(element_id)
    .bind(event.metadata.as_ref().map(|metadata| metadata.get()))
    .bind(event.id)
    .bind(at)
    .execute(connection)
    .await
    .map(drop)
}

/// The kind in a row. Only this program writes it, so another one is a column that cannot be decoded.
pub(super) fn kind_of(name: &str) -> sqlx::Result<InteractionKind> {
    InteractionKind::parse(name).ok_or_else(|| sqlx::Error::ColumnDecode {
        index: "event_type".to_owned(),
        source: format!("{name:?} is no kind of interaction").into(),
    })
}
