//! Rows that go, with what they have contributed.

use super::{admin::kind_of, attempt::Effects, sessions};
use crate::{
    model::ReadModel,
    projection::{FactCount, Session, When},
};
use chrono::{DateTime, Utc};
use schema::EventType;
use sqlx::PgConnection;

/// Facts that one statement deletes at most.
const STEP: i64 = 5_000;

/// Deletes a session and what has an id below that of its deletion.
pub(super) async fn session(
    connection: &mut PgConnection,
    model: &ReadModel,
    below: i64,
    session: &Session,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let zone = model.made_for.zone;
    loop {
        let gone: Vec<(i64, DateTime<Utc>)> = sqlx::query_as(
            "DELETE FROM page_view WHERE (id, \"timestamp\") IN
                 (SELECT id, \"timestamp\" FROM page_view WHERE session = $1 AND id < $2 LIMIT $3)
             RETURNING url_id, \"timestamp\"",
        )
        .bind(session.id)
        .bind(below)
        .bind(STEP)
        .fetch_all(&mut *connection)
        .await?;
        if gone.is_empty() {
            break;
        }
        for (url_id, at) in gone {
            let when = When::of(zone, at);
            effects.rollups.page_views_changed(when, url_id, -1);
            let fact = FactCount { day: when.day, kind: None, count: 1 };
            effects.rollups.facts_changed(session.agent.client_id, &[fact], -1);
            effects.tally.removed(EventType::PageViewRecorded, 1);
        }
    }
    loop {
        let gone: Vec<(String, i64, DateTime<Utc>)> = sqlx::query_as(
            "DELETE FROM interaction WHERE (id, \"timestamp\") IN
                 (SELECT id, \"timestamp\" FROM interaction WHERE session = $1 AND id < $2 LIMIT $3)
             RETURNING event_type, element_id, \"timestamp\"",
        )
        .bind(session.id)
        .bind(below)
        .bind(STEP)
        .fetch_all(&mut *connection)
        .await?;
        if gone.is_empty() {
            break;
        }
        for (kind, element_id, at) in gone {
            let (when, kind) = (When::of(zone, at), kind_of(&kind)?);
            effects.rollups.interactions_changed(when, element_id, kind, -1);
            let fact = FactCount { day: when.day, kind: Some(kind), count: 1 };
            effects.rollups.facts_changed(session.agent.client_id, &[fact], -1);
            effects.tally.removed(EventType::InteractionRecorded, 1);
        }
    }
    effects.rollups.session_changed(zone, Some(session), None);
    sqlx::query("DELETE FROM session WHERE id = $1").bind(session.id).execute(connection).await.map(drop)
}

/// Deletes one page view, if it is there.
pub(super) async fn page_view(
    connection: &mut PgConnection,
    model: &ReadModel,
    id: i64,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let gone: Option<(i64, i64, DateTime<Utc>)> =
        sqlx::query_as("DELETE FROM page_view WHERE id = $1 RETURNING session, url_id, \"timestamp\"")
            .bind(id)
            .fetch_optional(&mut *connection)
            .await?;
    let Some((session, url_id, at)) = gone else { return Ok(()) };
    let (zone, old) = (model.made_for.zone, sessions::load_one(connection, session).await?);
    let new = Session { page_views: old.page_views - 1, ..old.clone() };
    let when = When::of(zone, at);
    effects.rollups.session_changed(zone, Some(&old), Some(&new));
    effects.rollups.page_views_changed(when, url_id, -1);
    effects.rollups.facts_changed(old.agent.client_id, &[FactCount { day: when.day, kind: None, count: 1 }], -1);
    effects.tally.removed(EventType::PageViewRecorded, 1);
    sqlx::query("UPDATE session SET page_views = page_views - 1 WHERE id = $1")
        .bind(session)
        .execute(connection)
        .await
        .map(drop)
}

/// Deletes one interaction, if it is there.
pub(super) async fn interaction(
    connection: &mut PgConnection,
    model: &ReadModel,
    id: i64,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let gone: Option<(i64, String, i64, DateTime<Utc>)> = sqlx::query_as(
        "DELETE FROM interaction WHERE id = $1 RETURNING session, event_type, element_id, \"timestamp\"",
    )
    .bind(id)
    .fetch_optional(&mut *connection)
    .await?;
    let Some((session, kind, element_id, at)) = gone else { return Ok(()) };
    let client_id = sessions::load_one(connection, session).await?.agent.client_id;
    let (when, kind) = (When::of(model.made_for.zone, at), kind_of(&kind)?);
    effects.rollups.interactions_changed(when, element_id, kind, -1);
    effects.rollups.facts_changed(client_id, &[FactCount { day: when.day, kind: Some(kind), count: 1 }], -1);
    effects.tally.removed(EventType::InteractionRecorded, 1);
    sqlx::query("UPDATE session SET interactions = interactions - 1 WHERE id = $1")
        .bind(session)
        .execute(connection)
        .await
        .map(drop)
}
