//! Who changed what of an object, and when: contract § 10. The projector writes it.

use super::{
    kinds::Kind,
    show::{self, Cell},
};
use crate::routes::QueryApi;
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, Row as _, postgres::PgRow};

/// Changes that a page shows.
const MOST: i64 = 100;

/// Characters of a value that are told.
const CUT: usize = 200;

/// A change in words.
pub(super) struct Entry {
    pub at: Cell,
    pub account: String,
    pub what: String,
    /// One line a field.
    pub fields: Vec<Told>,
    /// The object on the other end of a move.
    pub other: Option<(String, String)>,
}

/// What became of a field.
pub(super) struct Told {
    pub label: String,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// The history of an object.
pub(super) struct History {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// There are more.
    pub more: bool,
    /// The id of the newest change of the object itself; 0 without one.
    pub newest: i64,
}

struct Change {
    id: i64,
    object: Option<i64>,
    session_id: String,
    action: String,
    account: Option<String>,
    changed_at: DateTime<Utc>,
    moved_from: Option<i64>,
    effective: bool,
    changes: Value,
}

impl FromRow<'_, PgRow> for Change {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            object: row.try_get("object")?,
            session_id: row.try_get("session_id")?,
            action: row.try_get("action")?,
            account: row.try_get("account")?,
            changed_at: row.try_get("changed_at")?,
            moved_from: row.try_get("moved_from")?,
            effective: row.try_get("effective")?,
            changes: row.try_get("changes")?,
        })
    }
}

/// Reads it.
pub(super) async fn of(api: &QueryApi, kind: Kind, object: i64) -> sqlx::Result<History> {
    let mut rows: Vec<Change> = sqlx::query_as(
        "SELECT id, object, session_id, action, account, changed_at, moved_from, effective, changes
         FROM admin_change WHERE resource = $1 AND (object = $2 OR moved_from = $2) ORDER BY id DESC LIMIT $3",
    )
    .bind(kind.table)
    .bind(object)
    .bind(MOST + 1)
    .fetch_all(&api.inner.pool)
    .await?;
    // two halves of a move stand on two partitions, whose ids say nothing about time
    rows.sort_by_key(|row| std::cmp::Reverse((row.changed_at, row.id)));
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let newest = newest(rows.iter().filter(|row| row.object == Some(object)).map(|row| row.id));
    let entries = rows.into_iter().map(|row| entry(api, kind, object, row)).collect();
    Ok(History { entries, more, newest })
}

/// All changes of an object stand on its partition, so the greatest id is the newest.
fn newest(ids: impl Iterator<Item = i64>) -> i64 {
    ids.max().unwrap_or(0)
}

fn entry(api: &QueryApi, kind: Kind, object: i64, row: Change) -> Entry {
    let link = |id: i64| (format!("{}{}{id}/", api.inner.base_path, kind.path()), format!("{} {id}", kind.one));
    let moved_away = row.object != Some(object);
    let (what, other) = match (row.action.as_str(), row.moved_from) {
        ("added", Some(_)) if moved_away => {
            (format!("moved to the session {}, as", show::cut(&row.session_id, CUT).0), row.object.map(link))
        }
        ("added", Some(from)) => {
            (format!("moved here, to the session {}, from", show::cut(&row.session_id, CUT).0), Some(link(from)))
        }
        (action, _) => (action.to_owned(), None),
    };
    let what = if row.effective { what } else { format!("{what} (without effect: it was gone already)") };
    Entry {
        at: Cell::time(row.changed_at, api.inner.zone),
        account: row.account.unwrap_or_else(|| "nobody known".to_owned()),
        what,
        fields: if moved_away { Vec::new() } else { told(api, &row.changes) },
        other,
    }
}

fn told(api: &QueryApi, changes: &Value) -> Vec<Told> {
    let of = |change: &Value| {
        let name = change.get("field")?.as_str()?;
        let value = |end: &str| {
            let text = change.get(end)?.as_str()?;
            let time = (name == "end_time").then(|| text.parse::<DateTime<Utc>>().ok()).flatten();
            Some(time.map_or_else(|| show::cut(text, CUT).0, |at| show::time(at, api.inner.zone)))
        };
        Some(Told { label: Kind::label(name).to_owned(), from: value("from"), to: value("to") })
    };
    changes.as_array().into_iter().flatten().filter_map(of).collect()
}
