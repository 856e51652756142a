//! `GET /report/csv/?table=…`: a table of the report, all of its rows. RFC 4180, UTF-8, with a line of names.

use super::{
    Moment, Report, asked_by_program, by_day,
    embed::Most,
    object::HourNumbers,
    rows::{self, Rows},
    state::State as Asked,
    totals::percentage,
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
use sqlx::{FromRow, Postgres, Row as _, Transaction, postgres::PgRow};

/// Every table.
pub(super) const TABLES: [&str; 10] =
    ["days", "hours", "pages", "types", "elements", "browsers", "families", "systems", "devices", "bots"];

/// A row of a list.
struct Row {
    name: String,
    /// The type of interaction, of an element.
    kind: String,
    count: i64,
    total: i64,
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            count: row.try_get("count")?,
            total: row.try_get("total")?,
        })
    }
}

const PAGES: &str = "WITH counted AS MATERIALIZED ( \
        SELECT text, n FROM (SELECT url_id, sum(page_views)::bigint AS n FROM daily_page_view \
            WHERE day BETWEEN $1 AND $2 GROUP BY url_id HAVING sum(page_views) > 0) a JOIN url ON url.id = url_id \
        WHERE $3::text IS NULL OR fold(text) LIKE fold($3)) \
    SELECT text AS name, '' AS kind, n AS count, (SELECT sum(n)::bigint FROM counted) AS total \
    FROM counted WHERE $4::text IS NULL OR fold(text) LIKE fold($4) ORDER BY n DESC, text COLLATE \"C\"";

const ELEMENTS: &str = "SELECT text AS name, event_type AS kind, n AS count, total FROM ( \
        SELECT element_id, event_type, sum(interactions)::bigint AS n, \
               (sum(sum(interactions)) OVER ())::bigint AS total FROM daily_element \
        WHERE day BETWEEN $1 AND $2 GROUP BY element_id, event_type HAVING sum(interactions) > 0) a \
    JOIN element ON element.id = element_id WHERE $3::text IS NULL OR fold(text) LIKE fold($3) \
    ORDER BY n DESC, text COLLATE \"C\", event_type COLLATE \"C\"";

/// Sessions by a column of `client`: `$3` is what the filter asks for.
const VISITORS: &str = "SELECT {column} AS name, '' AS kind, sum(sessions)::bigint AS count, \
        (sum(sum(sessions)) OVER ())::bigint AS total \
    FROM daily_session JOIN client c ON c.id = client_id WHERE day BETWEEN $1 AND $2 AND {whose} \
        AND ($3::text IS NULL OR client_id IN (SELECT id FROM client WHERE {narrowed} = $3)) \
    GROUP BY 1 HAVING sum(sessions) > 0 ORDER BY count DESC, {column} COLLATE \"C\"";

/// Whose sessions count.
const PEOPLE: &str = "c.device <> 'bot'";
const BOTS: &str = "c.device = 'bot'";

fn visitors(state: &Asked, column: &str, whose: &str) -> String {
    let narrowed = state.client().map_or("browser", |(column, _)| column);
    VISITORS.replace("{column}", column).replace("{narrowed}", narrowed).replace("{whose}", whose)
}

/// The handler.
pub(crate) async fn csv(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let (state, Moment { now, today }) = asked_by_program(&api, &request)?;
    let parameters = Parameters::parse(request.uri().query());
    let asked = parameters.get("table").unwrap_or("days");
    let Some(table) = TABLES.into_iter().find(|table| *table == asked) else {
        let body = serde_json::json!({ "table": [format!("Choose one of {}.", TABLES.join(", "))] });
        return Err(Problem { status: StatusCode::BAD_REQUEST, body, headers: Vec::new() }.into());
    };
    let turn = stream::turn(&api.inner.long_answers).await?;
    let window = state.window(today);
    let mut snapshot = rows::snapshot(&api.inner.pool).await?;
    let rows = Rows::read(&api.inner.report_days, &mut snapshot, &state, window, Most::NONE).await;
    let rows = rows.map_err(|error| QueryError::of_question(error, super::TOO_SLOW))?;
    let report = Report::of(rows, &state, window, api.inner.zone, now);
    stream::take_time(&mut snapshot).await?;
    let mut response = stream::answer(turn, |sink| write(sink, snapshot, table, state, window, report));
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
    report: Report,
) -> anyhow::Result<stream::Sink> {
    let (totals, before) = (&report.tail.totals, report.tail.before.as_ref());
    match table {
        "days" => {
            let names_before = before.map(|_| format!(",{}", by_day::names(&state, "_before"))).unwrap_or_default();
            sink.put(&format!("{}{names_before}\r\n", by_day::names(&state, ""))).await?;
            for (place, day) in report.tail.days.iter().enumerate() {
                let before = before.and_then(|before| before.days.get(place));
                let before = before.map(|day| format!(",{}", by_day::line(day))).unwrap_or_default();
                sink.put(&format!("{}{before}\r\n", by_day::line(day))).await?;
            }
        }
        "hours" => {
            sink.put(&heading(&state, table, &["hour"], &["page_views", "sessions", "interactions"])).await?;
            for HourNumbers { timestamp, page_views, sessions, interactions } in &report.tail.hours {
                sink.put(&format!("{timestamp},{page_views},{sessions},{interactions}\r\n")).await?;
            }
        }
        "types" => {
            sink.put(&heading(&state, table, &["interaction"], &["count", "percentage"])).await?;
            for of in &report.head.interaction_data {
                let share = percentage(of.count, totals.interactions);
                sink.put(&format!("{},{},{share}\r\n", field(&of.interaction), of.count)).await?;
            }
        }
        _ => {
            let (texts, count, sql) = match table {
                "pages" => (&["url"][..], "count", PAGES.to_owned()),
                "elements" => (&["element", "interaction"][..], "count", ELEMENTS.to_owned()),
                "browsers" => (&["browser"][..], "sessions", visitors(&state, "browser", "true")),
                "systems" => (&["system"][..], "sessions", visitors(&state, "os", PEOPLE)),
                "devices" => (&["device"][..], "sessions", visitors(&state, "device", PEOPLE)),
                "bots" => (&["bot"][..], "sessions", visitors(&state, "family", BOTS)),
                _ => (&["browser"][..], "sessions", visitors(&state, "family", PEOPLE)),
            };
            sink.put(&heading(&state, table, texts, &[count, "percentage"])).await?;
            let query = sqlx::query_as::<_, Row>(&sql).bind(window.first).bind(window.last);
            let query = match table {
                "pages" => query.bind(state.url().map(|url| pattern(Part::Start, url))).bind(
                    Some(&state.search).filter(|text| !text.is_empty()).map(|text| pattern(Part::Anywhere, text)),
                ),
                "elements" => query.bind(
                    Some(&state.element).filter(|text| !text.is_empty()).map(|text| pattern(Part::Anywhere, text)),
                ),
                _ => query.bind(state.client().map(|(_, value)| value.to_owned())),
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

/// The line of names of any other table. Its numbers say it when they are of the whole site although there is a filter.
fn heading(state: &Asked, table: &str, texts: &[&str], numbers: &[&str]) -> String {
    let key = if table == "types" { "interaction_data" } else { table };
    let key = if key == "browsers" { "browser_data" } else { key };
    let numbers = numbers.iter().map(|name| by_day::named(name, state.leaves_whole(key)));
    let names: Vec<String> = texts.iter().map(|name| (*name).to_owned()).chain(numbers).collect();
    format!("{}\r\n", names.join(","))
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
