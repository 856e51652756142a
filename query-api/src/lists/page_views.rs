//! Page views.

use super::{sessions::Session, shown::object as shown_object};
use crate::settings::FieldNames;
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use service::{
    openapi::schemas::{integer, named, object, text, time},
    time_format::show,
};
use sqlx::{Row, postgres::PgRow};
use utoipa::openapi::schema::ObjectBuilder;

/// A page view as clients see it.
pub(super) struct PageView<'r> {
    shown: &'r FieldNames,
    id: i64,
    url: &'r str,
    timestamp: String,
    session: Session<'r>,
}

impl<'r> PageView<'r> {
    pub fn of(row: &'r PgRow, zone: Tz, shown: &'r FieldNames) -> sqlx::Result<Self> {
        Ok(Self {
            shown,
            id: row.try_get("row_id")?,
            url: row.try_get("url")?,
            timestamp: show(row.try_get("timestamp")?, zone),
            session: Session::of(row, zone, None)?,
        })
    }
}

impl Serialize for PageView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        shown_object!(serializer, Some(self.shown), {
            "id": &self.id,
            "url": self.url,
            "timestamp": &self.timestamp,
            "session": &self.session,
        })
    }
}

/// A page view in OpenAPI.
pub(super) fn schema() -> ObjectBuilder {
    object([
        ("id", integer().minimum(Some(1)).into()),
        ("url", text().into()),
        ("timestamp", time().into()),
        ("session", named("Session")),
    ])
}

/// A page view as an example.
pub(super) fn example() -> Value {
    json!({
        "id": 4_503_599_627_370_498_i64, "url": "https://shop.example/", "timestamp": "2026-11-24T09:31:00Z",
        "session": super::sessions::example()
    })
}
