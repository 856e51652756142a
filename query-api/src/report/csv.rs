//! `GET /report/csv/?table=…`: a table of the report, all of its rows. RFC 4180, UTF-8, with a line of names.

use super::{
    Moment, asked_by_program, rows,
    rows::{BOTS, PEOPLE, Row},
    state::State as Asked,
    totals::{DayNumbers, Totals, percentage},
    window::Window,
};
use crate::{
    error::QueryError,
    paging::Parameters,
    routes::QueryApi,
    stream,
    text::{Part, pattern},
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures::TryStreamExt;
use service::http::Problem;
use sqlx::{Postgres, Transaction};

/// Every table.
pub(super) const TABLES: [&str; 9] =
    ["days", "pages", "types", "elements", "browsers", "families", "systems", "devices", "bots"];

const PAGES: &str = "WITH counted AS MATERIALIZED ( \
        SELECT text, n FROM (SELECT url_id, sum(page_views)::bigint AS n FROM daily_page_view \
            WHERE day BETWEEN $1 AND $2 GROUP BY url_id HAVING sum(page_views) > 0) a JOIN url ON url.id = url_id \
        WHERE $3::text IS NULL OR fold(text) LIKE fold($3)) \
    SELECT text AS name, '' AS kind, n AS count, 0::bigint AS of, (SELECT sum(n)::bigint FROM counted) AS total \
    FROM counted WHERE $4::text IS NULL OR fold(text) LIKE fold($4) ORDER BY n DESC, text COLLATE \"C\"";

/// The handler.
pub(crate) async fn csv(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let (state, Moment { today, .. }) = asked_by_program(&api, &request)?;
    let parameters = Parameters::parse(request.uri().query());
    let asked = parameters.get("table").unwrap_or("days");
    let Some(table) = TABLES.into_iter().find(|table| *table == asked) else {
        let body = serde_json::json!({ "table": [format!("Choose one of {}.", TABLES.join(", "))] });
        return Err(Problem { status: StatusCode::BAD_REQUEST, body, headers: Vec::new() }.into());
    };
    let turn = stream::turn(&api.inner.long_answers).await?;
    let window = state.window(today);
    let mut snapshot = rows::snapshot(&api.inner.pool).await?;
    let days = rows::days(&mut snapshot, &state, window).await;
    let days = days.map_err(|error| QueryError::of_question(error, super::TOO_SLOW))?;
    stream::take_time(&mut snapshot).await?;
    let mut response = stream::answer(turn, |sink| write(sink, snapshot, table, state, window, days));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8; header=present"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let name = format!("attachment; filename=\"footfall-{table}-{}-{}.csv\"", window.first, window.last);
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn write(
    mut sink: stream::Sink,
    mut snapshot: Transaction<'static, Postgres>,
    table: &'static str,
    state: Asked,
    window: Window,
    days: rows::Days,
) -> anyhow::Result<stream::Sink> {
    let totals = Totals::of(&days);
    match table {
        "days" => {
            sink.put(DAY_NAMES).await?;
            for day in DayNumbers::all(&days, window) {
                sink.put(&of_day(&day)).await?;
            }
        }
        "types" => {
            sink.put("interaction,count,percentage\r\n").await?;
            for of in super::model::by_type(&days) {
                let share = percentage(of.count, totals.interactions);
                sink.put(&format!("{},{},{share}\r\n", field(&of.interaction), of.count)).await?;
            }
        }
        _ => {
            let (names, sql) = match table {
                "pages" => ("url,count,percentage\r\n", PAGES.to_owned()),
                "elements" => ("element,interaction,count,percentage\r\n", rows::elements_sql()),
                "browsers" => ("browser,sessions,percentage\r\n", rows::visitors_sql(&state, "browser", "true")),
                "systems" => ("system,sessions,percentage\r\n", rows::visitors_sql(&state, "os", PEOPLE)),
                "devices" => ("device,sessions,percentage\r\n", rows::visitors_sql(&state, "device", PEOPLE)),
                "bots" => ("bot,sessions,percentage\r\n", rows::visitors_sql(&state, "family", BOTS)),
                _ => ("browser,sessions,percentage\r\n", rows::visitors_sql(&state, "family", PEOPLE)),
            };
            sink.put(names).await?;
            let query = sqlx::query_as::<_, Row>(&sql).bind(window.first).bind(window.last);
            let query = match table {
                "pages" => query.bind(state.url().map(|url| pattern(Part::Start, url))).bind(
                    Some(&state.search).filter(|text| !text.is_empty()).map(|text| pattern(Part::Anywhere, text)),
                ),
                "elements" => query.bind(None::<i64>),
                _ => query.bind(state.client().map(|(_, value)| value.to_owned())).bind(None::<i64>),
            };
            let mut found = query.fetch(&mut *snapshot);
            while let Some(row) = found.try_next().await? {
                let whole = if table == "bots" { totals.sessions } else { row.total };
                let kind = if row.kind.is_empty() { String::new() } else { format!(",{}", field(&row.kind)) };
                let share = percentage(row.count, whole);
                sink.put(&format!("{}{kind},{},{share}\r\n", field(&row.name), row.count)).await?;
            }
        }
    }
    snapshot.commit().await?;
    Ok(sink)
}

const DAY_NAMES: &str = "day,page_views,sessions,interactions,ended,pages_per_session,single_page_percentage,\
                         mean_seconds,median_seconds\r\n";

fn of_day(day: &DayNumbers) -> String {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    format!(
        "{},{},{},{},{},{},{},{},{}\r\n",
        day.date,
        day.page_views,
        day.sessions,
        day.interactions,
        day.ended,
        number(day.pages_per_session),
        number(day.single_page_percentage),
        number(day.mean_seconds),
        number(day.median_seconds)
    )
}

/// A text as a field. What a spreadsheet would take for a formula gets an apostrophe in front: it comes from outside.
fn field(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains(['"', ',', '\n', '\r']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_hold_any_text_and_no_formula() {
        for (text, expected) in [
            ("plain ä", "plain ä"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("a\"b\n", "\"a\"\"b\n\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("-1", "\"'-1\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
