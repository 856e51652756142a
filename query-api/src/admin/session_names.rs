//! Sessions by a part of their ID: for who wants to name one.

use crate::{
    condition::{Condition, Text},
    error::QueryError,
    lists::{Order, Rows, TOO_SLOW},
    paging::Parameters,
    routes::QueryApi,
    settings::FieldNames,
    text::{Part, pattern, trimmed},
};
use axum::{
    Json,
    extract::{Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use service::resource::Resource;
use sqlx::{PgPool, Row};

/// Sessions that are offered.
const MOST: i64 = 20;

/// The newest sessions whose ID has this in it.
pub(super) async fn find(pool: &PgPool, part: &str) -> Result<Vec<String>, QueryError> {
    let part = trimmed(part);
    let conditions = match part {
        "" => Vec::new(),
        part if part.contains('\0') => return Ok(Vec::new()),
        part => vec![Condition::Like(Text::SessionId, pattern(Part::Anywhere, part))],
    };
    let order = Order::of(None, &FieldNames::default(), Resource::Sessions);
    let question = Rows {
        resource: Resource::Sessions,
        conditions: &conditions,
        order: &order,
        limit: MOST,
        offset: 0,
        cursor: None,
    };
    let rows = question.fetch(pool).await.map_err(|error| QueryError::of_question(error, TOO_SLOW))?;
    Ok(rows.iter().map(|row| row.try_get("session_id")).collect::<sqlx::Result<_>>()?)
}

/// `GET /admin/session-names/?part=…`: for the script that offers them while somebody types.
pub(super) async fn matching(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let parameters = Parameters::parse(request.uri().query());
    let found = find(&api.inner.pool, parameters.get("part").unwrap_or_default()).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(found)).into_response())
}
