//! Page views.

use super::{sessions::Session, shown::object};
use crate::settings::FieldNames;
use chrono_tz::Tz;
use serde::{Serialize, Serializer};
use service::time_format::show;
use sqlx::{Row, postgres::PgRow};

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
        object!(serializer, Some(self.shown), {
            "id": &self.id,
            "url": self.url,
            "timestamp": &self.timestamp,
            "session": &self.session,
        })
    }
}
