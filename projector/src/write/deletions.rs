//! Rows that go, with what they have contributed.

use super::{admin::kind_of, attempt::Effects, sessions};
use crate::{
    model::ReadModel,
    projection::{FactCount, Session, When},
};
use chrono::{DateTime, Utc};
use schema::EventType;
use sqlx::{Executor, PgConnection};

/// Facts that one step deletes at most.
const STEP: u32 = 5_000;

/// Deletes a session and what has an id below that of its deletion.
pub(super) async fn session(
    connection: &mut PgConnection,
    model: &ReadModel,
    below: i64,
    session: &Session,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    let zone = model.made_for.zone;
    let mut facts = Facts::open(connection, "page_view", "url_id, NULL::text", session.id, below).await?;
    while let Some(gone) = facts.delete_some(connection).await? {
        for (_, at, url_id, _) in gone {
            let when = When::of(zone, at);
            effects.rollups.page_views_changed(when, url_id, -1);
            let fact = FactCount { day: when.day, kind: None, count: 1 };
            effects.rollups.facts_changed(session.agent.client_id, &[fact], -1);
            effects.tally.removed(EventType::PageViewRecorded, 1);
        }
        effects.pulse.beat();
    }
    let mut facts = Facts::open(connection, "interaction", "element_id, event_type", session.id, below).await?;
    while let Some(gone) = facts.delete_some(connection).await? {
        for (_, at, element_id, kind) in gone {
            let (when, kind) = (When::of(zone, at), kind_of(&kind.unwrap_or_default())?);
            effects.rollups.interactions_changed(when, element_id, kind, -1);
            let fact = FactCount { day: when.day, kind: Some(kind), count: 1 };
            effects.rollups.facts_changed(session.agent.client_id, &[fact], -1);
            effects.tally.removed(EventType::InteractionRecorded, 1);
        }
        effects.pulse.beat();
    }
    effects.rollups.session_changed(zone, Some(session), None);
    sqlx::query("DELETE FROM session WHERE id = $1").bind(session.id).execute(connection).await.map(drop)
}

/// Facts of a session that are to go: found once and deleted step by step. Looking for the next ones anew in each
/// step would pass all those that the same transaction has deleted already.
struct Facts {
    table: &'static str,
}

/// Id, time, dimension, kind.
type Fact = (i64, DateTime<Utc>, i64, Option<String>);

impl Facts {
    /// Finds them. `columns` are those of the dimension and the kind.
    async fn open(
        connection: &mut PgConnection,
        table: &'static str,
        columns: &'static str,
        session: i64,
        below: i64,
    ) -> sqlx::Result<Self> {
        let declare = format!(
            "DECLARE gone_{table} NO SCROLL CURSOR FOR
             SELECT id, \"timestamp\", {columns} FROM {table} WHERE session = {session} AND id < {below}"
        );
        connection.execute(declare.as_str()).await?;
        Ok(Self { table })
    }

    /// Deletes the next ones and gives them; `None` when there are no more.
    async fn delete_some(&mut self, connection: &mut PgConnection) -> sqlx::Result<Option<Vec<Fact>>> {
        let table = self.table;
        let gone: Vec<Fact> = sqlx::query_as(&format!("FETCH {STEP} FROM gone_{table}"))
            // what it gives is the cursor's matter, so it is not to be remembered
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?;
        let times = gone.iter().map(|fact| fact.1);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else {
            connection.execute(format!("CLOSE gone_{table}").as_str()).await?;
            return Ok(None);
        };
        // the times keep it to the months in question
        sqlx::query(&format!("DELETE FROM {table} WHERE id = ANY($1) AND \"timestamp\" BETWEEN $2 AND $3"))
            .bind(gone.iter().map(|fact| fact.0).collect::<Vec<_>>())
            .bind(first)
            .bind(last)
            .execute(connection)
            .await?;
        Ok(Some(gone))
    }
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
