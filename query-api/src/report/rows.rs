//! What the roll-ups say about a window of days.

use super::model::Window;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::{Connection, Executor, FromRow, PgConnection, PgPool, Row, postgres::PgRow};

/// Sums over the shards of the roll-ups.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// By type name.
    pub interactions_by_type: Vec<(String, i64)>,
    /// By day, oldest first.
    pub interactions_by_day: Vec<(NaiveDate, i64)>,
    /// By day, oldest first.
    pub page_views_by_day: Vec<DayOfPageViews>,
    /// By day and URL.
    pub urls: Vec<(NaiveDate, String, i64)>,
    /// By day, oldest first.
    pub sessions: Vec<DayOfSessions>,
    /// Most used first.
    pub browsers: Vec<(String, i64)>,
    /// When the newest event was taken that has been brought in.
    pub newest_event_at: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(crate) struct DayOfPageViews {
    pub day: NaiveDate,
    pub page_views: i64,
    pub urls: i64,
}

#[derive(Debug)]
pub(crate) struct DayOfSessions {
    pub day: NaiveDate,
    pub sessions: i64,
    /// Those with an end.
    pub ended: i64,
    /// The mean duration of those, in whole minutes, cut; 0 when it would be negative.
    pub mean_minutes: String,
}

impl FromRow<'_, PgRow> for DayOfPageViews {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self { day: row.try_get("day")?, page_views: row.try_get("page_views")?, urls: row.try_get("urls")? })
    }
}

impl FromRow<'_, PgRow> for DayOfSessions {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            day: row.try_get("day")?,
            sessions: row.try_get("sessions")?,
            ended: row.try_get("ended")?,
            mean_minutes: row.try_get::<Option<String>, _>("mean_minutes")?.unwrap_or_else(|| "0".to_owned()),
        })
    }
}

const INTERACTIONS_BY_TYPE: &str = "SELECT event_type, sum(interactions)::bigint AS n FROM daily_interaction \
    WHERE day BETWEEN $1 AND $2 GROUP BY event_type HAVING sum(interactions) > 0 ORDER BY event_type COLLATE \"C\"";

const INTERACTIONS_BY_DAY: &str = "SELECT day, sum(interactions)::bigint FROM daily_interaction \
    WHERE day BETWEEN $1 AND $2 GROUP BY day HAVING sum(interactions) > 0 ORDER BY day";

const PAGE_VIEWS_BY_DAY: &str = "SELECT day, sum(n)::bigint AS page_views, count(*) AS urls FROM (\
        SELECT day, url_id, sum(page_views) AS n FROM daily_page_view WHERE day BETWEEN $1 AND $2 \
        GROUP BY day, url_id HAVING sum(page_views) > 0) a GROUP BY day ORDER BY day";

/// `$3` is how many of the most viewed a day may have.
const URLS: &str = "SELECT day, text, n FROM (\
        SELECT day, text, n, row_number() OVER (PARTITION BY day ORDER BY n DESC, text COLLATE \"C\") AS place FROM (\
            SELECT day, url_id, sum(page_views)::bigint AS n FROM daily_page_view WHERE day BETWEEN $1 AND $2 \
            GROUP BY day, url_id HAVING sum(page_views) > 0) a JOIN url ON url.id = url_id) b \
    WHERE $3::bigint IS NULL OR place <= $3 ORDER BY day, text COLLATE \"C\"";

const SESSIONS: &str = "SELECT day, sum(sessions)::bigint AS sessions, sum(ended)::bigint AS ended, \
    greatest(trunc(sum(duration_us) / nullif(sum(ended), 0) / 60000000), 0)::text AS mean_minutes \
    FROM daily_session WHERE day BETWEEN $1 AND $2 GROUP BY day HAVING sum(sessions) > 0 ORDER BY day";

const BROWSERS: &str = "SELECT browser, sum(sessions)::bigint AS n FROM daily_browser WHERE day BETWEEN $1 AND $2 \
    GROUP BY browser HAVING sum(sessions) > 0 ORDER BY n DESC, browser COLLATE \"C\"";

impl Rows {
    /// Reads all of it in one snapshot; of the URLs the `urls_a_day` most viewed of each day, or all.
    pub async fn read(pool: &PgPool, window: Window, urls_a_day: Option<i64>) -> sqlx::Result<Self> {
        let mut connection = pool.acquire().await?;
        let mut snapshot = connection.begin().await?;
        snapshot.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        let newest = sqlx::query_scalar("SELECT max(recorded_at) FROM checkpoint").fetch_one(&mut *snapshot).await?;
        let rows = Self {
            interactions_by_type: of(&mut snapshot, INTERACTIONS_BY_TYPE, window).await?,
            interactions_by_day: of(&mut snapshot, INTERACTIONS_BY_DAY, window).await?,
            page_views_by_day: of(&mut snapshot, PAGE_VIEWS_BY_DAY, window).await?,
            urls: sqlx::query_as(URLS)
                .bind(window.first)
                .bind(window.last)
                .bind(urls_a_day)
                .fetch_all(&mut *snapshot)
                .await?,
            sessions: of(&mut snapshot, SESSIONS, window).await?,
            browsers: of(&mut snapshot, BROWSERS, window).await?,
            newest_event_at: newest,
        };
        snapshot.commit().await?;
        Ok(rows)
    }
}

async fn of<T>(connection: &mut PgConnection, sql: &'static str, window: Window) -> sqlx::Result<Vec<T>>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    sqlx::query_as(sql).bind(window.first).bind(window.last).fetch_all(connection).await
}
