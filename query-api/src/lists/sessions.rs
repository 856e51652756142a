//! Sessions, in lists and inside of the other two.

use super::shown::object as shown_object;
use crate::settings::FieldNames;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use service::{
    openapi::schemas::{integer, object, or_null, text, time},
    time_format::show,
};
use sqlx::{Row, postgres::PgRow};
use utoipa::openapi::schema::ObjectBuilder;

/// The columns of a session `s`, by the names that [`Session::of`] reads; `user_agent` has to be there besides.
pub(super) const COLUMNS: &str = "s.id AS s_id, s.session_id, host(s.ip_address) AS ip_address, s.start_time, s.end_time, \
     s.user_id";

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
    /// Out of a row with [`COLUMNS`] and `user_agent`.
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
        shown_object!(serializer, self.shown, {
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

/// A session in OpenAPI.
pub(super) fn schema() -> ObjectBuilder {
    object([
        ("id", integer().minimum(Some(1)).into()),
        ("session_id", text().into()),
        ("user_agent", text().into()),
        ("ip_address", or_null(text().description(Some("IPv4 or IPv6."))).into()),
        ("start_time", time().into()),
        ("end_time", or_null(time()).into()),
        ("user_id", or_null(text()).into()),
    ])
}

/// A session as an example.
pub(super) fn example() -> Value {
    json!({
        "id": 4_503_599_627_370_497_i64, "session_id": "s-1", "user_agent": "Mozilla/5.0 Firefox/140.0",
        "ip_address": "192.0.2.1", "start_time": "2026-11-24T09:30:00Z", "end_time": null, "user_id": "ann"
    })
}
