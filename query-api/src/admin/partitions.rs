//! `GET /admin/partitions/`: how far each partition is behind the log.

use super::{shell::Shell, show};
use crate::{error::QueryError, freshness, report::grouped, routes::QueryApi, sign_in::page_response};
use askama::Template;
use axum::{Extension, extract::State, http::StatusCode, response::Response};
use chrono::{SubsecRound, TimeDelta, Utc};
use service::access::Identity;

#[derive(Template)]
#[template(path = "admin/partitions.html")]
struct Partitions<'a> {
    shell: &'a Shell,
    as_of: String,
    rows: Vec<Row>,
}

struct Row {
    partition: i32,
    next_offset: String,
    log_end: String,
    waiting: String,
    behind: String,
    late: bool,
}

/// The page.
pub(super) async fn page(
    State(api): State<QueryApi>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, QueryError> {
    let now = Utc::now();
    let number = |number: Option<i64>| number.map_or_else(|| "not known".to_owned(), grouped);
    let rows = freshness::partitions(&api, now, freshness::PATIENCE).await?.into_iter().map(|partition| Row {
        partition: partition.partition,
        next_offset: grouped(partition.next_offset),
        log_end: number(partition.log_end),
        waiting: number(partition.lag_records),
        behind: match partition.lag_seconds {
            None => "not known".to_owned(),
            Some(0) => "up to date".to_owned(),
            Some(seconds) => show::in_words(TimeDelta::seconds(seconds)),
        },
        late: partition.lag_seconds != Some(0),
    });
    let page = Partitions {
        shell: &Shell::of(&api, &identity),
        as_of: show::time(now.trunc_subsecs(0), api.inner.zone),
        rows: rows.collect(),
    };
    Ok(page_response(StatusCode::OK, page.render()))
}
