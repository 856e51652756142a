//! The rows of one partition in the order of their ids, a page at a time.

use chrono::{DateTime, Utc};
use schema::EventType;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};
use std::collections::VecDeque;

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

/// The next sessions with ids above `after` up to `last`, by id: id and text.
pub async fn sessions(connection: &mut PgConnection, after: i64, last: i64) -> sqlx::Result<Vec<(i64, String)>> {
    sqlx::query_as("SELECT id, session_id FROM session WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3")
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
