//! `GET /report/data/`: the object of the page, with every URL.

use super::{asked_by_program, embed::Most, object::Report, rows, rows::Rows, state::State as Asked, tag};
use crate::{
    error::QueryError,
    routes::QueryApi,
    stream,
    text::{Part, pattern},
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, header},
    response::Response,
};
use chrono::NaiveDate;
use futures::TryStreamExt;
use sqlx::{Postgres, Transaction};

/// URLs of days, newest day first.
const URLS: &str = "SELECT day, text, n FROM ( \
        SELECT day, url_id, sum(page_views)::bigint AS n FROM daily_page_view WHERE day BETWEEN $1 AND $2 \
        GROUP BY day, url_id HAVING sum(page_views) > 0) a JOIN url ON url.id = url_id \
    WHERE $3::text IS NULL OR fold(text) LIKE fold($3) ORDER BY day DESC, text COLLATE \"C\"";

/// The handler.
pub(crate) async fn numbers(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let (state, moment) = asked_by_program(&api, &request)?;
    let tag = tag::of(&api, &state, moment, &"numbers").await?;
    if tag::is_known(request.headers(), &tag) {
        return Ok(tag::not_modified(&tag));
    }
    let turn = stream::turn(&api.inner.long_answers).await?;
    let window = state.window(moment.today);
    let mut snapshot = rows::snapshot(&api.inner.pool).await?;
    let rows = Rows::read(&api.inner.report_days, &mut snapshot, &state, window, Most::NONE).await;
    let rows = rows.map_err(|error| QueryError::of_question(error, super::TOO_SLOW))?;
    let report = Report::of(rows, &state, window, api.inner.zone, moment.now);
    stream::take_time(&mut snapshot).await?;
    let mut response = stream::answer(turn, |sink| write(sink, snapshot, report, state));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    tag::put(headers, &tag);
    Ok(response)
}

/// The report, with the URLs put into its days as they are read.
async fn write(
    mut sink: stream::Sink,
    mut snapshot: Transaction<'static, Postgres>,
    report: Report,
    state: Asked,
) -> anyhow::Result<stream::Sink> {
    let (head, tail) = (serde_json::to_string(&report.head)?, serde_json::to_string(&report.tail)?);
    sink.put(head.trim_end_matches('}')).await?;
    sink.put(",\"page_views\":[").await?;
    let period = &report.tail.period;
    // what a visitor looked at is not kept
    if state.client().is_none() {
        let mut urls = sqlx::query_as::<_, (NaiveDate, String, i64)>(URLS)
            .bind(period.first)
            .bind(period.last)
            .bind(state.url().map(|url| pattern(Part::Start, url)))
            .fetch(&mut *snapshot);
        let mut next = urls.try_next().await?;
        for (place, day) in report.page_views.iter().enumerate() {
            let item = serde_json::to_string(day)?;
            sink.put(if place > 0 { "," } else { "" }).await?;
            sink.put(item.trim_end_matches("]}")).await?;
            let mut comma = "";
            while let Some((date, url, count)) = next.take() {
                if !day.timestamp.starts_with(&date.to_string()) {
                    next = Some((date, url, count));
                    break;
                }
                sink.put(&format!("{comma}{{\"url\":{},\"count\":{count}}}", serde_json::to_string(&url)?)).await?;
                comma = ",";
                next = urls.try_next().await?;
            }
            sink.put("]}").await?;
        }
    } else {
        let days = serde_json::to_string(&report.page_views)?;
        sink.put(days.trim_start_matches('[').trim_end_matches(']')).await?;
    }
    sink.put("],").await?;
    sink.put(tail.trim_start_matches('{')).await?;
    snapshot.commit().await?;
    Ok(sink)
}
