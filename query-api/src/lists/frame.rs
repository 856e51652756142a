//! Rows as JSON, and what stands around them.

use super::{interactions::Interaction, page_views::PageView, sessions::Session};
use crate::settings::FieldNames;
use chrono_tz::Tz;
use serde::Serialize;
use service::resource::Resource;
use sqlx::postgres::PgRow;

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    pub count: Option<i64>,
    pub next: Option<&'a str>,
    pub previous: Option<&'a str>,
}

#[derive(Serialize)]
struct List<'a, T> {
    count: Option<i64>,
    next: Option<&'a str>,
    previous: Option<&'a str>,
    results: Vec<T>,
}

/// One object.
pub(super) fn object(resource: Resource, row: &PgRow, zone: Tz, shown: &FieldNames) -> sqlx::Result<Vec<u8>> {
    match resource {
        Resource::Sessions => written(&Session::of(row, zone, Some(shown))?),
        Resource::PageViews => written(&PageView::of(row, zone, shown)?),
        Resource::Interactions => written(&Interaction::of(row, zone, shown)?),
    }
}

/// A page of objects.
pub(super) fn list(
    resource: Resource,
    rows: &[PgRow],
    zone: Tz,
    shown: &FieldNames,
    frame: Frame<'_>,
) -> sqlx::Result<Vec<u8>> {
    fn framed<T: Serialize>(frame: Frame<'_>, objects: impl Iterator<Item = sqlx::Result<T>>) -> sqlx::Result<Vec<u8>> {
        let Frame { count, next, previous } = frame;
        written(&List { count, next, previous, results: objects.collect::<sqlx::Result<_>>()? })
    }
    let rows = rows.iter();
    match resource {
        Resource::Sessions => framed(frame, rows.map(|row| Session::of(row, zone, Some(shown)))),
        Resource::PageViews => framed(frame, rows.map(|row| PageView::of(row, zone, shown))),
        Resource::Interactions => framed(frame, rows.map(|row| Interaction::of(row, zone, shown))),
    }
}

/// A page up to its first object.
pub(super) fn opening(Frame { count, next, previous }: Frame<'_>) -> sqlx::Result<String> {
    let empty = written(&List::<()> { count, next, previous, results: Vec::new() })?;
    let mut opening = String::from_utf8(empty).map_err(|error| sqlx::Error::Decode(error.into()))?;
    opening.truncate(opening.len() - "]}".len());
    Ok(opening)
}

fn written(value: &impl Serialize) -> sqlx::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| sqlx::Error::Decode(error.into()))
}
