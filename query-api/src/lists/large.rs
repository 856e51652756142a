//! A page whose texts are too long to be held together: a user agent or metadata can have megabytes, and a page has up to
//! 100 of them. Each of its long objects is read again, whole, and sent before the next one is read.

use super::{
    frame::{self, Frame},
    question,
};
use crate::{error::QueryError, routes::QueryApi, stream};
use anyhow::Context;
use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use service::resource::Resource;
use sqlx::{Row, postgres::PgRow};

/// Whether something in these rows had to be left out.
pub(super) fn is_large(rows: &[PgRow]) -> sqlx::Result<bool> {
    rows.iter().try_fold(false, |large, row| Ok(large || row.try_get("is_cut")?))
}

/// The page, in pieces. An object that was deleted meanwhile cuts the answer off.
pub(super) async fn list(
    api: &QueryApi,
    resource: Resource,
    rows: Vec<PgRow>,
    frame: Frame<'_>,
) -> Result<Response, QueryError> {
    let turn = stream::turn(&api.inner.large_pages).await?;
    let (api, mut opening) = (api.clone(), frame::opening(frame)?);
    let mut response = stream::answer(turn, async move |mut sink| {
        for row in &rows {
            sink.put(&opening).await?;
            ",".clone_into(&mut opening);
            sink.put(&object(&api, resource, row).await?).await?;
        }
        sink.put("]}").await?;
        Ok(sink)
    });
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept, Cookie"));
    Ok(response)
}

async fn object(api: &QueryApi, resource: Resource, row: &PgRow) -> anyhow::Result<String> {
    let whole;
    let row = if row.try_get("is_cut")? {
        let read = question::one(&api.inner.pool, resource, row.try_get("row_id")?, &[]).await?;
        whole = read.context("an object was deleted while it was being sent")?;
        &whole
    } else {
        row
    };
    let shown = api.inner.settings.fields.shown(resource);
    Ok(String::from_utf8(frame::object(resource, row, api.inner.zone, shown)?)?)
}
