//! Sessions, in lists and inside of the other two.

use super::Order;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use service::time_format::show;
use sqlx::{Row, postgres::PgRow};

/// The columns of a session `s` and its user agent `a`, by the names that [`Session::of`] reads.
pub(super) const COLUMNS: &str = "s.id AS s_id, s.session_id, a.text AS user_agent, host(s.ip_address) AS ip_address, \
     s.start_time, s.end_time, s.user_id";

pub(super) const BY_ID: &str = "SELECT s.id AS s_id, s.session_id, a.text AS user_agent, host(s.ip_address) AS ip_address, \
     s.start_time, s.end_time, s.user_id \
     FROM session s JOIN user_agent a ON a.id = s.user_agent_id WHERE s.id = $1";

/// A page of sessions: `$1` is its size, `$2` how many come before it.
pub(super) fn page_sql(order: &Order) -> String {
    format!(
        "SELECT {COLUMNS} FROM (SELECT * FROM session t ORDER BY {} LIMIT $1 OFFSET $2) s \
         JOIN user_agent a ON a.id = s.user_agent_id ORDER BY {}",
        order.sql("t"),
        order.sql("s")
    )
}

/// A session as clients see it, in the contract's order of keys.
#[derive(Serialize)]
pub(super) struct Session<'r> {
    id: i64,
    session_id: &'r str,
    user_agent: &'r str,
    ip_address: Option<&'r str>,
    start_time: String,
    end_time: Option<String>,
    user_id: Option<&'r str>,
}

impl<'r> Session<'r> {
    /// Out of a row with [`COLUMNS`].
    pub fn of(row: &'r PgRow, zone: Tz) -> sqlx::Result<Self> {
        let end_time: Option<DateTime<Utc>> = row.try_get("end_time")?;
        Ok(Self {
            id: row.try_get("s_id")?,
            session_id: row.try_get("session_id")?,
            user_agent: row.try_get("user_agent")?,
            ip_address: row.try_get("ip_address")?,
            start_time: show(row.try_get("start_time")?, zone),
            end_time: end_time.map(|time| show(time, zone)),
            user_id: row.try_get("user_id")?,
        })
    }
}
