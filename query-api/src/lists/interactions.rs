//! Interactions.

use super::{
    Order,
    sessions::{COLUMNS, Session},
};
use chrono_tz::Tz;
use serde::Serialize;
use serde_json::value::RawValue;
use service::time_format::show;
use sqlx::{Row, postgres::PgRow};

pub(super) const BY_ID: &str = "SELECT i.id, i.event_type, e.text AS element, i.metadata::text AS metadata, i.timestamp, \
     s.id AS s_id, s.session_id, a.text AS user_agent, host(s.ip_address) AS ip_address, s.start_time, s.end_time, s.user_id \
     FROM interaction i JOIN element e ON e.id = i.element_id JOIN session s ON s.id = i.session \
     JOIN user_agent a ON a.id = s.user_agent_id WHERE i.id = $1";

/// A page of interactions: `$1` is its size, `$2` how many come before it.
pub(super) fn page_sql(order: &Order) -> String {
    format!(
        "SELECT i.id, i.event_type, e.text AS element, i.metadata::text AS metadata, i.timestamp, {COLUMNS} \
         FROM (SELECT * FROM interaction t ORDER BY {} LIMIT $1 OFFSET $2) i \
         JOIN element e ON e.id = i.element_id JOIN session s ON s.id = i.session \
         JOIN user_agent a ON a.id = s.user_agent_id ORDER BY {}",
        order.sql("t"),
        order.sql("i")
    )
}

/// An interaction as clients see it. The metadata goes out as PostgreSQL wrote it, without being read.
#[derive(Serialize)]
pub(super) struct Interaction<'r> {
    id: i64,
    session: Session<'r>,
    event_type: &'r str,
    element: &'r str,
    metadata: Box<RawValue>,
    timestamp: String,
}

impl<'r> Interaction<'r> {
    pub fn of(row: &'r PgRow, zone: Tz) -> sqlx::Result<Self> {
        let metadata: String = row.try_get("metadata")?;
        Ok(Self {
            id: row.try_get("id")?,
            session: Session::of(row, zone)?,
            event_type: row.try_get("event_type")?,
            element: row.try_get("element")?,
            metadata: RawValue::from_string(metadata).map_err(|error| sqlx::Error::Decode(error.into()))?,
            timestamp: show(row.try_get("timestamp")?, zone),
        })
    }
}
