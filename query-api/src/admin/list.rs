//! `GET /admin/sessions/` and the other two: one page of a list.

use super::{
    kinds::{Column, Kind},
    origin::Origin,
    panel::{self, Panel},
    shell::Shell,
    show::Cell,
    sorted::{self, Way},
    write,
};
use crate::{
    error::QueryError,
    lists::{Count, Order, Rows, TOO_SLOW},
    paging::Parameters,
    report::grouped,
    resolve,
    routes::QueryApi,
    settings::FieldNames,
    sign_in::page_response,
    text::trimmed,
};
use askama::Template;
use axum::{extract::Request, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use service::{access::Identity, resource::Resource};
use sqlx::{Row as _, postgres::PgRow};

#[derive(Template)]
#[template(path = "admin/list.html")]
struct ListPage<'a> {
    shell: &'a Shell,
    kind: Kind,
    path: String,
    panel: Panel,
    errors: Vec<String>,
    /// Why the order is another one than was asked for.
    unsorted: String,
    ordering: String,
    headings: Vec<Heading>,
    rows: Vec<Row>,
    /// Where one is added, and comes back from.
    add: String,
    count: String,
    place: String,
    previous: Option<String>,
    next: Option<String>,
}

struct Heading {
    label: &'static str,
    link: String,
    /// For `aria-sort`.
    sorted: &'static str,
    mark: &'static str,
}

struct Row {
    link: String,
    first: Cell,
    cells: Vec<Cell>,
}

/// The page.
pub(super) async fn page(resource: Resource, api: QueryApi, request: Request) -> Result<Response, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    let (kind, zone, pool) = (Kind::of(resource), api.inner.zone, &api.inner.pool);
    let parameters = Parameters::parse(request.uri().query());
    let narrowed = panel::read(kind, &parameters, Utc::now(), zone);
    let names: Vec<&'static str> = kind.columns.iter().map(|column| column.name).collect();
    let ordering = parameters.get("ordering").map(trimmed).unwrap_or_default().to_owned();
    let size = i64::from(api.inner.settings.admin.admin_page_size);
    let number = parameters.get("page").and_then(crate::paging::integer).unwrap_or(1).clamp(1, i64::MAX / size);
    let mut shell = Shell::of(&api, &identity);
    shell.notice = write::notice(&api, &parameters).await?;

    let (mut rows, mut counted, mut unsorted) = (Vec::new(), None, String::new());
    if narrowed.errors.is_empty() {
        let conditions = resolve::all(pool, narrowed.conditions, api.inner.settings.statement_timeout()).await?;
        // the roll-ups know how many there are of all; others are counted as far as anybody wants to turn pages
        let count = if conditions.is_empty() { Count::Exact } else { Count::Capped };
        let found = count.run(pool, resource, &conditions).await?;
        counted = Some(found);
        // one more, which tells whether there is another page
        let (limit, offset) = (size + 1, (number - 1) * size);
        let mut fields = ordering.as_str();
        let few = !found.capped && found.count.is_some_and(|count| count <= sorted::FEW);
        let way = sorted::way(fields, &names, !conditions.is_empty(), few, limit.saturating_add(offset));
        if way == Way::TooMany {
            unsorted = too_many(fields);
            fields = "";
        }
        rows = if let Way::Walk { column, descending } = way {
            sorted::walk(&api, resource, (column, descending), limit, offset).await?
        } else {
            let order = Order::of(Some(&sorted::with_time(fields)), &FieldNames::of(&names), resource);
            let question = Rows { resource, conditions: &conditions, order: &order, limit, offset, cursor: None };
            question.fetch(pool).await.map_err(|error| QueryError::of_question(error, TOO_SLOW))?
        };
    }
    let more = rows.len() > usize::try_from(size).unwrap_or(usize::MAX);
    rows.truncate(usize::try_from(size).unwrap_or(usize::MAX));
    let link = |page: i64| address(&api, kind, &parameters.clone().with("page", Some(page)));
    let (count, pages) = counted.map_or((String::new(), None), |counted| {
        let count = counted.count.unwrap_or_default();
        let whole = grouped(count);
        if counted.capped { (format!("more than {whole}"), None) } else { (whole, Some((count + size - 1) / size)) }
    });
    let there = Origin::of_list(&parameters).query(Parameters::default());
    let status = if narrowed.errors.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let page = ListPage {
        path: format!("{}{}", api.inner.base_path, kind.path()),
        headings: headings(&api, kind, &parameters, &ordering),
        rows: rows.iter().map(|row| shown(&api, kind, row, zone, &there)).collect::<sqlx::Result<_>>()?,
        add: format!("{}{}add/{there}", api.inner.base_path, kind.path()),
        count,
        place: match pages {
            Some(pages) => format!("Page {} of {}", grouped(number), grouped(pages.max(1))),
            None => format!("Page {}", grouped(number)),
        },
        previous: (number > 1).then(|| link(number - 1)),
        next: more.then(|| link(number + 1)),
        shell: &shell,
        kind,
        panel: narrowed.panel,
        errors: narrowed.errors,
        unsorted,
        ordering,
    };
    Ok(page_response(status, page.render()))
}

/// What is said of an order that would take too long.
fn too_many(ordering: &str) -> String {
    let first = ordering.split(',').next().unwrap_or_default();
    let column = Kind::label(crate::text::trimmed(first).trim_start_matches('-'));
    format!(
        "These are too many to be sorted by {column}: the newest come first instead. Narrow them down to 10\u{202f}000 or \
         fewer, or look at the first 10\u{202f}000 of all."
    )
}

/// The list's address; what has been done is told once.
fn address(api: &QueryApi, kind: Kind, parameters: &Parameters) -> String {
    let parameters = parameters.clone().with("done", None::<&str>).with("at", None::<&str>);
    format!("{}{}?{}", api.inner.base_path, kind.path(), parameters.to_query())
}

/// A click on a heading sorts by it, and a second one the other way round.
fn headings(api: &QueryApi, kind: Kind, parameters: &Parameters, ordering: &str) -> Vec<Heading> {
    let of = |column: &Column| {
        let (sorted, mark) = match ordering.strip_prefix('-') {
            Some(name) if name == column.name => ("descending", " ↓"),
            None if ordering == column.name => ("ascending", " ↑"),
            _ => ("none", ""),
        };
        let descending = format!("-{}", column.name);
        let next = if sorted == "ascending" { descending.as_str() } else { column.name };
        let parameters = parameters.clone().with("ordering", Some(next)).with("page", None::<&str>);
        Heading { label: column.label, link: address(api, kind, &parameters), sorted, mark }
    };
    kind.columns.iter().map(of).collect()
}

fn shown(api: &QueryApi, kind: Kind, row: &PgRow, zone: Tz, there: &str) -> sqlx::Result<Row> {
    let id: i64 = row.try_get("row_id")?;
    let mut cells = kind.columns.iter().map(|column| cell(column.name, row, zone)).collect::<sqlx::Result<Vec<_>>>()?;
    let first = cells.remove(0);
    Ok(Row { link: format!("{}{}{id}/{there}", api.inner.base_path, kind.path()), first, cells })
}

fn cell(name: &str, row: &PgRow, zone: Tz) -> sqlx::Result<Cell> {
    Ok(match name {
        "start_time" | "timestamp" => Cell::time(row.try_get(name)?, zone),
        "end_time" => match row.try_get::<Option<DateTime<Utc>>, _>(name)? {
            Some(at) => Cell::time(at, zone),
            None => Cell::optional(None),
        },
        "session" | "session_id" => Cell::session_id(row.try_get("session_id")?),
        _ => Cell::optional(row.try_get(name)?),
    })
}
