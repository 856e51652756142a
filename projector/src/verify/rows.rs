//! The rows of one partition in the order of their ids, a page at a time.

use crate::projection::Corrected;
use chrono::{DateTime, Utc};
use schema::EventType;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use std::{collections::VecDeque, net::IpAddr};

/// Rows that are in memory of each table.
const PAGE: i64 = 5_000;

/// A fact as the tables have it.
#[derive(Clone, Debug)]
pub struct FactRow {
    /// Its id.
    pub id: i64,
    /// The session's text; `None` when there is no such session.
    pub session_id: Option<String>,
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// When it was taken.
    pub recorded_at: DateTime<Utc>,
    /// The URL or the element; `None` when it is not interned.
    pub text: Option<String>,
    /// An interaction's kind; empty for a page view.
    pub kind: String,
}

impl FromRow<'_, PgRow> for FactRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            session_id: row.try_get("session_id")?,
            timestamp: row.try_get("timestamp")?,
            recorded_at: row.try_get("recorded_at")?,
            text: row.try_get("text")?,
            kind: row.try_get("kind")?,
        })
    }
}

/// Page views of the ids above `$1` up to `$2`.
pub const PAGE_VIEWS: &str = "
    SELECT f.id, s.session_id, f.\"timestamp\", f.recorded_at, u.text, '' AS kind
    FROM (SELECT * FROM page_view WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) f
    LEFT JOIN session s ON s.id = f.session LEFT JOIN url u ON u.id = f.url_id ORDER BY f.id";

/// Interactions of the ids above `$1` up to `$2`.
pub const INTERACTIONS: &str = "
    SELECT f.id, s.session_id, f.\"timestamp\", f.recorded_at, e.text, f.event_type AS kind
    FROM (SELECT * FROM interaction WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) f
    LEFT JOIN session s ON s.id = f.session LEFT JOIN element e ON e.id = f.element_id ORDER BY f.id";

/// Walks through facts by id.
#[derive(Debug)]
pub struct Facts {
    sql: &'static str,
    after: i64,
    last: i64,
    page: VecDeque<FactRow>,
    exhausted: bool,
}

impl Facts {
    /// Facts with ids from `first` to `last`, both inclusive.
    pub fn new(sql: &'static str, first: i64, last: i64) -> Self {
        Self { sql, after: first - 1, last, page: VecDeque::new(), exhausted: false }
    }

    /// The next row, left in place.
    async fn peek(&mut self, connection: &mut PgConnection) -> sqlx::Result<Option<&FactRow>> {
        if self.page.is_empty() && !self.exhausted {
            let rows: Vec<FactRow> =
                sqlx::query_as(self.sql).bind(self.after).bind(self.last).bind(PAGE).fetch_all(connection).await?;
            self.exhausted = rows.is_empty();
            self.after = rows.last().map_or(self.after, |row| row.id);
            self.page = rows.into();
        }
        Ok(self.page.front())
    }

    /// The row with this id, if there is one. The ids of rows before it go into `extra`: the log does not ask for
    /// them.
    pub async fn take(
        &mut self,
        connection: &mut PgConnection,
        id: i64,
        extra: &mut Vec<i64>,
    ) -> sqlx::Result<Option<FactRow>> {
        while let Some(row) = self.peek(connection).await? {
            let found = row.id;
            if found > id {
                return Ok(None);
            }
            let row = self.page.pop_front();
            if found == id {
                return Ok(row);
            }
            extra.push(found);
        }
        Ok(None)
    }

    /// What is left at the end.
    pub async fn rest(&mut self, connection: &mut PgConnection, extra: &mut Vec<i64>) -> sqlx::Result<()> {
        self.take(connection, i64::MAX, extra).await.map(drop)
    }
}

/// A session as the tables have it.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// Its id.
    pub id: i64,
    /// Its text.
    pub session_id: String,
    /// Id of its announcement.
    pub announced_id: Option<i64>,
    /// SHA-256 of its user agent; `None` when that is not interned.
    pub agent: Option<Vec<u8>>,
    /// Its address.
    pub ip_address: Option<IpAddr>,
    /// Its user.
    pub user_id: Option<String>,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// When its last event was.
    pub last_event_at: DateTime<Utc>,
    /// When its first event was taken.
    pub first_recorded_at: DateTime<Utc>,
    /// What the admin has set.
    pub corrected: Corrected,
}

impl FromRow<'_, PgRow> for SessionRow {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            session_id: row.try_get("session_id")?,
            announced_id: row.try_get("announced_id")?,
            agent: row.try_get("agent")?,
            ip_address: row.try_get("ip_address")?,
            user_id: row.try_get("user_id")?,
            start_time: row.try_get("start_time")?,
            end_time: row.try_get("end_time")?,
            last_event_at: row.try_get("last_event_at")?,
            first_recorded_at: row.try_get("first_recorded_at")?,
            corrected: Corrected(row.try_get("corrected")?),
        })
    }
}

/// The next sessions with ids above `after` up to `last`, by id.
pub async fn sessions(connection: &mut PgConnection, after: i64, last: i64) -> sqlx::Result<Vec<SessionRow>> {
    sqlx::query_as(
        "SELECT s.*, sha256(convert_to(a.text, 'UTF8')) AS agent
         FROM (SELECT * FROM session WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3) s
         LEFT JOIN user_agent a ON a.id = s.user_agent_id ORDER BY s.id",
    )
    .bind(after)
    .bind(last)
    .bind(PAGE)
    .fetch_all(connection)
    .await
}

/// The facts of a type with these ids, as far as they are there.
pub async fn facts(connection: &mut PgConnection, event_type: EventType, ids: &[i64]) -> sqlx::Result<Vec<FactRow>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = if event_type == EventType::PageViewRecorded {
        "SELECT f.id, s.session_id, f.\"timestamp\", f.recorded_at, u.text, '' AS kind
         FROM page_view f LEFT JOIN session s ON s.id = f.session LEFT JOIN url u ON u.id = f.url_id
         WHERE f.id = ANY($1)"
    } else {
        "SELECT f.id, s.session_id, f.\"timestamp\", f.recorded_at, e.text, f.event_type AS kind
         FROM interaction f LEFT JOIN session s ON s.id = f.session LEFT JOIN element e ON e.id = f.element_id
         WHERE f.id = ANY($1)"
    };
    sqlx::query_as(sql).bind(ids).fetch_all(connection).await
}
