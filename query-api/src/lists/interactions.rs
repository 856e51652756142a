//! Interactions.

use super::{sessions::Session, shown::object as shown_object};
use crate::settings::FieldNames;
use chrono_tz::Tz;
use schema::InteractionKind;
use serde::{Serialize, Serializer};
use serde_json::{Value, json, value::RawValue};
use service::{
    openapi::schemas::{integer, named, object, one_of_these, text, time},
    time_format::show,
};
use sqlx::{Row, postgres::PgRow};
use utoipa::openapi::schema::ObjectBuilder;

/// An interaction as clients see it. The metadata goes out as PostgreSQL wrote it, without being read.
pub(super) struct Interaction<'r> {
    shown: &'r FieldNames,
    id: i64,
    session: Session<'r>,
    event_type: &'r str,
    element: &'r str,
    metadata: Box<RawValue>,
    timestamp: String,
}

impl<'r> Interaction<'r> {
    pub fn of(row: &'r PgRow, zone: Tz, shown: &'r FieldNames) -> sqlx::Result<Self> {
        let metadata: String = row.try_get("metadata")?;
        Ok(Self {
            shown,
            id: row.try_get("row_id")?,
            session: Session::of(row, zone, None)?,
            event_type: row.try_get("event_type")?,
            element: row.try_get("element")?,
            metadata: RawValue::from_string(metadata).map_err(|error| sqlx::Error::Decode(error.into()))?,
            timestamp: show(row.try_get("timestamp")?, zone),
        })
    }
}

impl Serialize for Interaction<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        shown_object!(serializer, Some(self.shown), {
            "id": &self.id,
            "session": &self.session,
            "event_type": self.event_type,
            "element": self.element,
            "metadata": &self.metadata,
            "timestamp": &self.timestamp,
        })
    }
}

/// An interaction in OpenAPI.
pub(super) fn schema() -> ObjectBuilder {
    object([
        ("id", integer().minimum(Some(1)).into()),
        ("session", named("Session")),
        ("event_type", one_of_these(InteractionKind::ALL.iter().map(|kind| kind.as_str())).into()),
        ("element", text().into()),
        ("metadata", named("Json")),
        ("timestamp", time().into()),
    ])
}

/// An interaction as an example.
pub(super) fn example() -> Value {
    json!({
        "id": 4_503_599_627_370_499_i64, "session": super::sessions::example(), "event_type": "click", "element": "#buy",
        "metadata": {"price": 9.5}, "timestamp": "2026-11-24T09:32:00Z"
    })
}
