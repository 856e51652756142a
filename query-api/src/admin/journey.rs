//! A session's journey: its page views and interactions in the order in which they happened, and the gaps between.

use super::show::{self, Cell};
use crate::{error::QueryError, lists::TOO_SLOW, paging::Parameters, routes::QueryApi};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, Row as _, postgres::PgRow};

/// Events that a page shows.
const MOST: i64 = 500;

/// Gaps shorter than this are not worth a word.
const GAP: TimeDelta = TimeDelta::seconds(1);

/// Events of a session.
pub(super) struct Journey {
    pub steps: Vec<Step>,
    /// Behind these there are more: where they begin, as a part of an address.
    pub next: Option<String>,
    /// This is not the beginning.
    pub later: bool,
}

/// An event.
pub(super) struct Step {
    /// How long after the one before, if that is worth a word.
    pub gap: Option<String>,
    pub at: Cell,
    pub what: String,
    pub text: Cell,
    pub link: String,
}

struct Row {
    id: i64,
    at: DateTime<Utc>,
    kind: Option<String>,
    text: String,
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            at: row.try_get("at")?,
            kind: row.try_get("kind")?,
            text: row.try_get("text")?,
        })
    }
}

/// Reads what comes behind the place that the address names, or the beginning.
pub(super) async fn of(api: &QueryApi, session: i64, parameters: &Parameters) -> Result<Journey, QueryError> {
    let after = parameters.get("after").and_then(place);
    let (at, id) = after.unwrap_or_default();
    let mut rows: Vec<Row> = sqlx::query_as(
        "SELECT e.id, e.at, e.kind, CASE WHEN e.kind IS NULL THEN u.text ELSE l.text END AS text FROM (
             (SELECT id, \"timestamp\" AS at, NULL AS kind, url_id AS text_id FROM page_view
              WHERE session = $1 AND ($2::bigint IS NULL OR (\"timestamp\", id) > ($3, $4))
              ORDER BY \"timestamp\", id LIMIT $5)
             UNION ALL
             (SELECT id, \"timestamp\", event_type, element_id FROM interaction
              WHERE session = $1 AND ($2::bigint IS NULL OR (\"timestamp\", id) > ($3, $4))
              ORDER BY \"timestamp\", id LIMIT $5)
             ORDER BY at, id LIMIT $5) e
         LEFT JOIN url u ON e.kind IS NULL AND u.id = e.text_id
         LEFT JOIN element l ON e.kind IS NOT NULL AND l.id = e.text_id
         ORDER BY e.at, e.id",
    )
    .bind(session)
    .bind(after.map(|(at, _)| at))
    .bind(DateTime::<Utc>::from_timestamp_micros(at).unwrap_or_default())
    .bind(id)
    .bind(MOST + 1)
    .fetch_all(&api.inner.pool)
    .await
    .map_err(|error| QueryError::of_question(error, TOO_SLOW))?;
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|last| format!("{}_{}", last.at.timestamp_micros(), last.id));
    let mut before = after.and_then(|(at, _)| DateTime::<Utc>::from_timestamp_micros(at));
    let steps = rows.into_iter().map(|row| {
        let gap = before.map(|before| row.at - before).filter(|gap| *gap >= GAP).map(show::in_words);
        before = Some(row.at);
        step(api, row, gap)
    });
    Ok(Journey { steps: steps.collect(), next, later: after.is_some() })
}

fn step(api: &QueryApi, row: Row, gap: Option<String>) -> Step {
    let kind = if row.kind.is_none() { "pageviews" } else { "interactions" };
    Step {
        gap,
        at: Cell::time(row.at, api.inner.zone),
        what: row.kind.unwrap_or_else(|| "page view".to_owned()),
        text: Cell::text(&row.text),
        link: format!("{}/admin/{kind}/{}/", api.inner.base_path, row.id),
    }
}

/// Microseconds and an id, as `next` writes them.
fn place(text: &str) -> Option<(i64, i64)> {
    let (at, id) = text.split_once('_')?;
    let (at, id) = (at.parse().ok()?, id.parse().ok()?);
    // PostgreSQL must be able to hold it
    DateTime::<Utc>::from_timestamp_micros(at).filter(|time| (1..=9999).contains(&chrono::Datelike::year(time)))?;
    Some((at, id))
}
