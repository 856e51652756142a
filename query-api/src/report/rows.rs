//! What the roll-ups say about some days. Nothing in here looks at sessions or facts.

use super::{state::State, window::Window};
use crate::text::{Part, pattern};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Executor, FromRow, PgConnection, PgPool, Postgres, Row as _, Transaction, postgres::PgRow};
use std::collections::BTreeMap;

/// Rows of the list of pages, and of each other list, in the report.
const PAGES: i64 = 25;
const ROWS: i64 = 15;

/// The numbers of a day, summed over the shards.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Day {
    pub page_views: i64,
    /// Interactions by type name.
    pub interactions: BTreeMap<String, i64>,
    /// Sessions that began on it, and sums over them.
    pub sessions: i64,
    /// Those with an end.
    pub ended: i64,
    /// How long those were, together.
    pub ended_seconds: f64,
    /// Their mean duration in whole minutes, cut; 0 when it would be negative.
    pub mean_minutes: String,
    /// Page views of the sessions, on whatever day.
    pub viewed: i64,
    /// Sessions with one page view.
    pub single_page: i64,
    /// How many sessions by class of their duration. None under a filter that it cannot follow.
    pub classes: BTreeMap<i16, i64>,
}

/// The days on which anything happened.
pub(crate) type Days = BTreeMap<NaiveDate, Day>;

/// The first rows of a list, by count, and how long it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ranked {
    pub rows: Vec<Row>,
    /// How many rows there would be.
    pub of: i64,
    /// The sum of their counts.
    pub total: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub name: String,
    /// The type of interaction, in the list of elements.
    pub kind: String,
    pub count: i64,
    pub of: i64,
    pub total: i64,
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            name: row.try_get("name")?,
            kind: row.try_get("kind")?,
            count: row.try_get("count")?,
            of: row.try_get("of")?,
            total: row.try_get("total")?,
        })
    }
}

/// Everything that the report is made of.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub days: Days,
    /// Of the period before, when it is asked for.
    pub before: Option<Days>,
    /// By day and URL, by text, as many of a day as were asked for.
    pub urls: Vec<(NaiveDate, String, i64)>,
    /// How many URLs a day has.
    pub urls_of: BTreeMap<NaiveDate, i64>,
    pub pages: Ranked,
    pub elements: Ranked,
    /// All sessions by the contract's browser.
    pub browsers: Ranked,
    /// Sessions of people: by family, system, device.
    pub families: Ranked,
    pub systems: Ranked,
    pub devices: Ranked,
    /// Sessions of bots, by family.
    pub bots: Ranked,
    /// When the newest event was taken that has been brought in.
    pub newest_event_at: Option<DateTime<Utc>>,
}

const SESSIONS: &str = "SELECT day, sum(sessions)::bigint, sum(ended)::bigint, (sum(duration_us) / 1000000)::float8, \
        greatest(trunc(sum(duration_us) / nullif(sum(ended), 0) / 60000000), 0)::text, \
        sum(page_views)::bigint, sum(single_page)::bigint \
    FROM daily_session WHERE day BETWEEN $1 AND $2 AND {client} GROUP BY day HAVING sum(sessions) > 0";

const PAGE_VIEWS: &str = "SELECT day, sum(page_views)::bigint FROM daily_client_page_view \
    WHERE day BETWEEN $1 AND $2 AND {client} GROUP BY day HAVING sum(page_views) > 0";

const PAGE_VIEWS_OF_URLS: &str = "SELECT day, sum(page_views)::bigint FROM daily_page_view JOIN url ON url.id = url_id \
    WHERE day BETWEEN $1 AND $2 AND fold(text) LIKE fold($3) GROUP BY day HAVING sum(page_views) > 0";

const INTERACTIONS: &str = "SELECT day, event_type, sum(interactions)::bigint FROM {table} \
    WHERE day BETWEEN $1 AND $2 AND {client} GROUP BY day, event_type HAVING sum(interactions) > 0";

const CLASSES: &str = "SELECT day, class, sum(sessions)::bigint FROM daily_duration \
    WHERE day BETWEEN $1 AND $2 GROUP BY day, class HAVING sum(sessions) > 0";

/// The most viewed URLs of each day (`$3` of them), and those of all days (`$4`) that begin with `$5` and have `$6` in
/// them. The roll-up is added up once for both.
const URLS: &str = "WITH counted AS MATERIALIZED ( \
        SELECT day, url_id, text, n FROM ( \
            SELECT day, url_id, sum(page_views)::bigint AS n FROM daily_page_view WHERE day BETWEEN $1 AND $2 \
            GROUP BY day, url_id HAVING sum(page_views) > 0) a JOIN url ON url.id = url_id \
        WHERE $5::text IS NULL OR fold(text) LIKE fold($5)), \
    of_days AS ( \
        SELECT day, text, n, count(*) OVER (PARTITION BY day) AS urls, \
               row_number() OVER (PARTITION BY day ORDER BY n DESC, text COLLATE \"C\") AS place FROM counted), \
    pages AS ( \
        SELECT text, sum(n)::bigint AS n, count(*) OVER () AS urls, \
               (SELECT sum(n)::bigint FROM counted) AS total FROM counted \
        WHERE $6::text IS NULL OR fold(text) LIKE fold($6) GROUP BY url_id, text \
        ORDER BY n DESC, text COLLATE \"C\" LIMIT $4) \
    SELECT day, text, n, urls, total FROM (SELECT day, text, n, urls, 0::bigint AS total FROM of_days WHERE place <= $3 \
        UNION ALL SELECT NULL::date, text, n, urls, total FROM pages) b ORDER BY day, text COLLATE \"C\"";

const ELEMENTS: &str = "SELECT text AS name, event_type AS kind, n AS count, of, total FROM ( \
        SELECT element_id, event_type, sum(interactions)::bigint AS n, count(*) OVER () AS of, \
               (sum(sum(interactions)) OVER ())::bigint AS total FROM daily_element \
        WHERE day BETWEEN $1 AND $2 GROUP BY element_id, event_type HAVING sum(interactions) > 0) a \
    JOIN element ON element.id = element_id ORDER BY n DESC, text COLLATE \"C\", event_type COLLATE \"C\" LIMIT $3";

const VISITORS: &str = "SELECT {column} AS name, '' AS kind, sum(sessions)::bigint AS count, count(*) OVER () AS of, \
        (sum(sum(sessions)) OVER ())::bigint AS total \
    FROM daily_session JOIN client c ON c.id = client_id WHERE day BETWEEN $1 AND $2 AND {client} AND {whose} \
    GROUP BY 1 HAVING sum(sessions) > 0 ORDER BY count DESC, {column} COLLATE \"C\" LIMIT $4";

/// The condition on `client_id`: `$3` is what the filter asks for.
fn client_condition(state: &State) -> String {
    let column = state.client().map_or("browser", |(column, _)| column);
    format!("($3::text IS NULL OR client_id IN (SELECT id FROM client WHERE {column} = $3))")
}

/// A snapshot: everything that is read in it belongs together.
pub(crate) async fn snapshot(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut snapshot = pool.begin().await?;
    snapshot.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
    Ok(snapshot)
}

impl Rows {
    /// Reads all of it; of the URLs the `urls_a_day` most viewed of each day.
    pub async fn read(
        snapshot: &mut PgConnection,
        state: &State,
        window: Window,
        urls_a_day: i64,
    ) -> sqlx::Result<Self> {
        let newest = sqlx::query_scalar("SELECT max(recorded_at) FROM checkpoint").fetch_one(&mut *snapshot).await?;
        let mut rows = Self {
            days: days(snapshot, state, window).await?,
            before: None,
            elements: elements(snapshot, window).await?,
            browsers: visitors(snapshot, state, window, "browser", "true").await?,
            families: visitors(snapshot, state, window, "family", PEOPLE).await?,
            systems: visitors(snapshot, state, window, "os", PEOPLE).await?,
            devices: visitors(snapshot, state, window, "device", PEOPLE).await?,
            bots: visitors(snapshot, state, window, "family", BOTS).await?,
            newest_event_at: newest,
            ..Self::default()
        };
        if state.compare {
            rows.before = Some(days(snapshot, state, window.before()).await?);
        }
        // what a visitor looked at is not kept: under such a filter days have no URLs, and pages are those of all
        let urls_a_day = if state.client().is_some() { 0 } else { urls_a_day };
        let found: Vec<(Option<NaiveDate>, String, i64, i64, i64)> = sqlx::query_as(URLS)
            .bind(window.first)
            .bind(window.last)
            .bind(urls_a_day)
            .bind(PAGES)
            .bind(state.url().map(|url| pattern(Part::Start, url)))
            .bind(Some(&state.search).filter(|text| !text.is_empty()).map(|text| pattern(Part::Anywhere, text)))
            .fetch_all(&mut *snapshot)
            .await?;
        for (day, name, count, of, total) in found {
            if let Some(day) = day {
                rows.urls_of.insert(day, of);
                rows.urls.push((day, name, count));
            } else {
                (rows.pages.of, rows.pages.total) = (of, total);
                rows.pages.rows.push(Row { name, kind: String::new(), count, of, total });
            }
        }
        rows.pages.rows.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.name.cmp(&other.name)));
        Ok(rows)
    }
}

/// Whose sessions count.
pub(crate) const PEOPLE: &str = "c.device <> 'bot'";
pub(crate) const BOTS: &str = "c.device = 'bot'";

/// A row of [`SESSIONS`].
type OfSessions = (NaiveDate, i64, i64, f64, Option<String>, i64, i64);

/// The numbers of each day on which anything happened.
pub(crate) async fn days(snapshot: &mut PgConnection, state: &State, window: Window) -> sqlx::Result<Days> {
    let client = client_condition(state);
    let value = state.client().map(|(_, value)| value);
    let mut days = Days::new();

    let sql = SESSIONS.replace("{client}", &client);
    let found: Vec<OfSessions> = bound(snapshot, &sql, window, value).await?;
    for (day, sessions, ended, ended_seconds, mean_minutes, viewed, single_page) in found {
        let mean_minutes = mean_minutes.unwrap_or_else(|| "0".to_owned());
        let of_sessions = Day { sessions, ended, ended_seconds, mean_minutes, viewed, single_page, ..Day::default() };
        days.insert(day, of_sessions);
    }
    let beginning = state.url().map(|url| pattern(Part::Start, url));
    let found: Vec<(NaiveDate, i64)> = match &beginning {
        Some(beginning) => bound(snapshot, PAGE_VIEWS_OF_URLS, window, Some(beginning)).await?,
        None => bound(snapshot, &PAGE_VIEWS.replace("{client}", &client), window, value).await?,
    };
    for (day, count) in found {
        days.entry(day).or_default().page_views = count;
    }
    let sql = match value {
        Some(_) => INTERACTIONS.replace("{table}", "daily_client_interaction").replace("{client}", &client),
        None => INTERACTIONS.replace("{table}", "daily_interaction").replace("{client}", "$3::text IS NULL"),
    };
    let found: Vec<(NaiveDate, String, i64)> = bound(snapshot, &sql, window, value).await?;
    for (day, kind, count) in found {
        days.entry(day).or_default().interactions.insert(kind, count);
    }
    if value.is_none() {
        let found: Vec<(NaiveDate, i16, i64)> =
            sqlx::query_as(CLASSES).bind(window.first).bind(window.last).fetch_all(snapshot).await?;
        for (day, class, count) in found {
            days.entry(day).or_default().classes.insert(class, count);
        }
    }
    Ok(days)
}

async fn bound<T>(connection: &mut PgConnection, sql: &str, window: Window, value: Option<&str>) -> sqlx::Result<Vec<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    sqlx::query_as(sql).bind(window.first).bind(window.last).bind(value).fetch_all(connection).await
}

/// Sessions by a column of `client`: `$1` to `$2` are the days, `$3` is what the filter asks for, `$4` how many rows.
pub(crate) fn visitors_sql(state: &State, column: &'static str, whose: &'static str) -> String {
    VISITORS.replace("{column}", column).replace("{client}", &client_condition(state)).replace("{whose}", whose)
}

async fn visitors(
    connection: &mut PgConnection,
    state: &State,
    window: Window,
    column: &'static str,
    whose: &'static str,
) -> sqlx::Result<Ranked> {
    let rows: Vec<Row> = sqlx::query_as(&visitors_sql(state, column, whose))
        .bind(window.first)
        .bind(window.last)
        .bind(state.client().map(|(_, value)| value))
        .bind(ROWS)
        .fetch_all(connection)
        .await?;
    Ok(Ranked::of(rows))
}

/// Interactions by element and type: `$1` to `$2` are the days, `$3` is how many rows.
pub(crate) fn elements_sql() -> String {
    ELEMENTS.to_owned()
}

async fn elements(connection: &mut PgConnection, window: Window) -> sqlx::Result<Ranked> {
    let found = sqlx::query_as(ELEMENTS).bind(window.first).bind(window.last).bind(ROWS);
    Ok(Ranked::of(found.fetch_all(connection).await?))
}

impl Ranked {
    fn of(rows: Vec<Row>) -> Self {
        let (of, total) = rows.first().map_or((0, 0), |row| (row.of, row.total));
        Self { rows, of, total }
    }
}
