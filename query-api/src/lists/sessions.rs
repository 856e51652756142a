//! Sessions, in lists and inside of the other two.

use super::shown::object;
use crate::settings::FieldNames;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use service::time_format::show;
use sqlx::{Row, postgres::PgRow};

/// The columns of a session `s` and its user agent `a`, by the names that [`Session::of`] reads.
pub(super) const COLUMNS: &str = "s.id AS s_id, s.session_id, a.text AS user_agent, host(s.ip_address) AS ip_address, \
     s.start_time, s.end_time, s.user_id";

/// A session as clients see it, in the contract's order of keys.
pub(super) struct Session<'r> {
    /// All of it when `None`.
    shown: Option<&'r FieldNames>,
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
    pub fn of(row: &'r PgRow, zone: Tz, shown: Option<&'r FieldNames>) -> sqlx::Result<Self> {
        let end_time: Option<DateTime<Utc>> = row.try_get("end_time")?;
        Ok(Self {
            shown,
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

impl Serialize for Session<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object!(serializer, self.shown, {
            "id": &self.id,
            "session_id": self.session_id,
            "user_agent": self.user_agent,
            "ip_address": &self.ip_address,
            "start_time": &self.start_time,
            "end_time": &self.end_time,
            "user_id": &self.user_id,
        })
    }
}
