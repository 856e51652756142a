//! Page views.

use super::{
    Order,
    sessions::{COLUMNS, Session},
};
use chrono_tz::Tz;
use serde::Serialize;
use service::time_format::show;
use sqlx::{Row, postgres::PgRow};

pub(super) const BY_ID: &str = "SELECT v.id, u.text AS url, v.timestamp, \
     s.id AS s_id, s.session_id, a.text AS user_agent, host(s.ip_address) AS ip_address, s.start_time, s.end_time, s.user_id \
     FROM page_view v JOIN url u ON u.id = v.url_id JOIN session s ON s.id = v.session \
     JOIN user_agent a ON a.id = s.user_agent_id WHERE v.id = $1";

/// A page of page views: `$1` is its size, `$2` how many come before it.
pub(super) fn page_sql(order: &Order) -> String {
    format!(
        "SELECT v.id, u.text AS url, v.timestamp, {COLUMNS} \
         FROM (SELECT * FROM page_view t ORDER BY {} LIMIT $1 OFFSET $2) v \
         JOIN url u ON u.id = v.url_id JOIN session s ON s.id = v.session \
         JOIN user_agent a ON a.id = s.user_agent_id ORDER BY {}",
        order.sql("t"),
        order.sql("v")
    )
}

/// A page view as clients see it.
#[derive(Serialize)]
pub(super) struct PageView<'r> {
    id: i64,
    url: &'r str,
    timestamp: String,
    session: Session<'r>,
}

impl<'r> PageView<'r> {
    pub fn of(row: &'r PgRow, zone: Tz) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            url: row.try_get("url")?,
            timestamp: show(row.try_get("timestamp")?, zone),
            session: Session::of(row, zone)?,
        })
    }
}
