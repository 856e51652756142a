//! Rows of `session`: read, insert, update.

use crate::projection::{Agent, Corrected, Session};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

/// A session's row with its text.
#[derive(Debug)]
pub(super) struct SessionRow {
    pub session_id: String,
    pub session: Session,
}

impl FromRow<'_, PgRow> for SessionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let session = Session {
            id: row.try_get("id")?,
            announced_id: row.try_get("announced_id")?,
            agent: Agent { id: row.try_get("user_agent_id")?, client_id: row.try_get("client_id")? },
            ip_address: row.try_get("ip_address")?,
            user_id: row.try_get("user_id")?,
            start_time: row.try_get("start_time")?,
            end_time: row.try_get("end_time")?,
            last_event_at: row.try_get("last_event_at")?,
            first_recorded_at: row.try_get("first_recorded_at")?,
            page_views: row.try_get("page_views")?,
            interactions: row.try_get("interactions")?,
            corrected: Corrected(row.try_get("corrected")?),
        };
        Ok(Self { session_id: row.try_get("session_id")?, session })
    }
}

/// The rows of these sessions, as far as there are any, in no order.
pub(super) async fn load(connection: &mut PgConnection, session_ids: &[&str]) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as(
        "SELECT s.*, a.client_id FROM session s JOIN user_agent a ON a.id = s.user_agent_id WHERE s.session_id = ANY($1)",
    )
    .bind(session_ids)
    .fetch_all(connection)
    .await
}

/// The row of the session with this id.
pub(super) async fn load_one(connection: &mut PgConnection, id: i64) -> sqlx::Result<Session> {
    let row: SessionRow = sqlx::query_as(
        "SELECT s.*, a.client_id FROM session s JOIN user_agent a ON a.id = s.user_agent_id WHERE s.id = $1",
    )
    .bind(id)
    .fetch_one(connection)
    .await?;
    Ok(row.session)
}

/// Sessions as columns, the way that `UNNEST` takes them.
struct Columns<'a> {
    ids: Vec<i64>,
    announced_ids: Vec<Option<i64>>,
    user_agent_ids: Vec<i64>,
    ip_addresses: Vec<Option<std::net::IpAddr>>,
    user_ids: Vec<Option<&'a str>>,
    start_times: Vec<DateTime<Utc>>,
    end_times: Vec<Option<DateTime<Utc>>>,
    last_event_ats: Vec<DateTime<Utc>>,
    first_recorded_ats: Vec<DateTime<Utc>>,
    page_views: Vec<i64>,
    interactions: Vec<i64>,
    corrected: Vec<i16>,
}

impl<'a> Columns<'a> {
    fn of(sessions: impl Iterator<Item = &'a Session> + Clone) -> Self {
        Self {
            ids: sessions.clone().map(|s| s.id).collect(),
            announced_ids: sessions.clone().map(|s| s.announced_id).collect(),
            user_agent_ids: sessions.clone().map(|s| s.agent.id).collect(),
            ip_addresses: sessions.clone().map(|s| s.ip_address).collect(),
            user_ids: sessions.clone().map(|s| s.user_id.as_deref()).collect(),
            start_times: sessions.clone().map(|s| s.start_time).collect(),
            end_times: sessions.clone().map(|s| s.end_time).collect(),
            last_event_ats: sessions.clone().map(|s| s.last_event_at).collect(),
            first_recorded_ats: sessions.clone().map(|s| s.first_recorded_at).collect(),
            page_views: sessions.clone().map(|s| s.page_views).collect(),
            interactions: sessions.clone().map(|s| s.interactions).collect(),
            corrected: sessions.map(|s| s.corrected.0).collect(),
        }
    }
}

/// Inserts new sessions, in the order of their ids.
pub(super) async fn insert(connection: &mut PgConnection, new: &[(&str, &Session)]) -> sqlx::Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(new.iter().map(|(_, session)| *session));
    sqlx::query(
        "INSERT INTO session (session_id, id, announced_id, user_agent_id, ip_address, user_id, start_time, end_time,
                              last_event_at, page_views, interactions, corrected, first_recorded_at)
         SELECT * FROM UNNEST($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::inet[], $6::text[],
                              $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::bigint[], $11::bigint[],
                              $12::smallint[], $13::timestamptz[])",
    )
    .bind(new.iter().map(|(session_id, _)| *session_id).collect::<Vec<_>>())
    .bind(columns.ids)
    .bind(columns.announced_ids)
    .bind(columns.user_agent_ids)
    .bind(columns.ip_addresses)
    .bind(columns.user_ids)
    .bind(columns.start_times)
    .bind(columns.end_times)
    .bind(columns.last_event_ats)
    .bind(columns.page_views)
    .bind(columns.interactions)
    .bind(columns.corrected)
    .bind(columns.first_recorded_ats)
    .execute(connection)
    .await
    .map(drop)
}

/// Writes sessions over their rows.
pub(super) async fn update(connection: &mut PgConnection, changed: &[&Session]) -> sqlx::Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(changed.iter().copied());
    sqlx::query(
        "UPDATE session s
         SET announced_id = n.announced_id, user_agent_id = n.user_agent_id, ip_address = n.ip_address,
             user_id = n.user_id, start_time = n.start_time, end_time = n.end_time,
             last_event_at = n.last_event_at, page_views = n.page_views, interactions = n.interactions,
             corrected = n.corrected, first_recorded_at = n.first_recorded_at
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::inet[], $5::text[], $6::timestamptz[],
                     $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::bigint[], $11::smallint[], $12::timestamptz[])
              AS n(id, announced_id, user_agent_id, ip_address, user_id, start_time, end_time, last_event_at,
                   page_views, interactions, corrected, first_recorded_at)
         WHERE s.id = n.id",
    )
    .bind(columns.ids)
    .bind(columns.announced_ids)
    .bind(columns.user_agent_ids)
    .bind(columns.ip_addresses)
    .bind(columns.user_ids)
    .bind(columns.start_times)
    .bind(columns.end_times)
    .bind(columns.last_event_ats)
    .bind(columns.page_views)
    .bind(columns.interactions)
    .bind(columns.corrected)
    .bind(columns.first_recorded_ats)
    .execute(connection)
    .await
    .map(drop)
}
