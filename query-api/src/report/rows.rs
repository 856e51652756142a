//! What the roll-ups say about some days, narrowed as was asked. Nothing in here looks at sessions or facts.

use super::{
    day::{Count, DayRows, Hour},
    embed::Most,
    kept::Kept,
    ranking::{self, Ranked},
    state::State,
    window::Window,
};
use crate::text::{Part, pattern};
use chrono::{DateTime, NaiveDate, Utc};
use schema::InteractionKind;
use sqlx::{Executor, PgConnection, PgPool, Postgres, Transaction};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Rows of the list of pages, and of each other list, in the report.
const PAGES: usize = 25;
const ROWS: usize = 15;

/// The numbers of a day.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Day {
    pub page_views: i64,
    /// Interactions by type name.
    pub interactions: BTreeMap<&'static str, i64>,
    /// Sessions that began on it, and sums over them.
    pub sessions: i64,
    /// Those with an end.
    pub ended: i64,
    /// How long those were, together, in microseconds.
    pub duration_us: i128,
    /// Page views of the sessions, on whatever day.
    pub viewed: i64,
    /// Sessions with one page view.
    pub single_page: i64,
    /// How many sessions by class of their duration. None under a filter that it cannot follow.
    pub classes: BTreeMap<i16, i64>,
}

/// The days on which anything happened.
pub(crate) type Days = BTreeMap<NaiveDate, Day>;

/// Everything that the report is made of.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub days: Days,
    /// Of the period before, when it is asked for.
    pub before: Option<Days>,
    /// Of a single day and of the one before; whatever the filter.
    pub hours: Vec<Hour>,
    pub hours_before: Vec<Hour>,
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

/// A snapshot: everything that is read in it belongs together.
pub(crate) async fn snapshot(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut snapshot = pool.begin().await?;
    snapshot.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
    Ok(snapshot)
}

/// The ids of what a question is narrowed to; `None` where it is not narrowed.
struct Narrowed {
    clients: Option<HashSet<i64>>,
    urls: Option<HashSet<i64>>,
}

impl Narrowed {
    async fn find(connection: &mut PgConnection, state: &State) -> sqlx::Result<Self> {
        let clients = match state.client() {
            Some((column, value)) => {
                let sql = format!("SELECT id FROM client WHERE {column} = $1");
                let found: Vec<i64> = sqlx::query_scalar(&sql).bind(value).fetch_all(&mut *connection).await?;
                Some(found.into_iter().collect())
            }
            None => None,
        };
        let urls = match state.url() {
            Some(url) => Some(like(connection, "url", &pattern(Part::Start, url)).await?),
            None => None,
        };
        Ok(Self { clients, urls })
    }

    fn has_client(&self, id: i64) -> bool {
        self.clients.as_ref().is_none_or(|clients| clients.contains(&id))
    }

    fn has_url(&self, id: i64) -> bool {
        self.urls.as_ref().is_none_or(|urls| urls.contains(&id))
    }

    /// What a day comes to.
    fn numbers(&self, rows: &DayRows) -> Day {
        let mut day = Day::default();
        for client in rows.clients.iter().filter(|client| self.has_client(client.client_id)) {
            day.sessions += client.sessions;
            day.ended += client.ended;
            day.duration_us += client.duration_us;
            day.viewed += client.viewed;
            day.single_page += client.single_page;
            day.page_views += client.page_views;
            for (kind, count) in InteractionKind::ALL.iter().zip(client.interactions).filter(|(_, count)| *count > 0) {
                *day.interactions.entry(kind.as_str()).or_default() += count;
            }
        }
        if self.urls.is_some() {
            day.page_views = rows.urls.iter().filter(|url| self.has_url(url.id)).map(|url| url.count).sum();
        }
        if self.clients.is_none() {
            day.classes = rows.classes.iter().copied().collect();
        }
        day
    }
}

/// Ids of the texts that are like a pattern.
async fn like(connection: &mut PgConnection, table: &'static str, pattern: &str) -> sqlx::Result<HashSet<i64>> {
    let sql = format!("SELECT id FROM {table} WHERE fold(text) LIKE fold($1)");
    let found: Vec<i64> = sqlx::query_scalar(&sql).bind(pattern).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

/// Counts of several days, added up.
#[derive(Default)]
struct Sums {
    urls: HashMap<i64, i64>,
    elements: HashMap<(i64, u8), i64>,
    /// Sessions by client.
    clients: HashMap<i64, i64>,
}

impl Sums {
    fn add(&mut self, rows: &DayRows, narrowed: &Narrowed) {
        for Count { id, count, .. } in rows.urls.iter().filter(|url| narrowed.has_url(url.id)) {
            *self.urls.entry(*id).or_default() += count;
        }
        for Count { id, kind, count } in &rows.elements {
            *self.elements.entry((*id, *kind)).or_default() += count;
        }
        for client in rows.clients.iter().filter(|client| narrowed.has_client(client.client_id)) {
            *self.clients.entry(client.client_id).or_default() += client.sessions;
        }
    }
}

impl Rows {
    /// Reads all of it; of the URLs the most viewed of each day, as many as `of_a_day` says.
    pub async fn read(
        kept: &Kept,
        snapshot: &mut PgConnection,
        state: &State,
        window: Window,
        of_a_day: Most,
    ) -> sqlx::Result<Self> {
        let newest = sqlx::query_scalar("SELECT max(recorded_at) FROM checkpoint").fetch_one(&mut *snapshot).await?;
        let mut rows = Self { newest_event_at: newest, ..Self::default() };
        let narrowed = Narrowed::find(snapshot, state).await?;
        // what a visitor looked at is not kept: under such a filter days have no URLs, and pages are those of all
        let of_a_day = if state.client().is_some() { Most::NONE } else { of_a_day };
        let single = window.length() == 1;
        let before = if state.compare { Some(window.before()) } else { None };
        let windows: Vec<Window> = [window].into_iter().chain(before).collect();
        let mut days = kept.days(&mut *snapshot, &windows).await?;
        let mut sums = Sums::default();
        let mut listed: Vec<(NaiveDate, Count)> = Vec::new();
        for date in window.days() {
            let Some(day) = days.get(date).await? else { continue };
            rows.days.insert(date, narrowed.numbers(&day));
            sums.add(&day, &narrowed);
            if single {
                rows.hours.clone_from(&day.hours);
            }
            if of_a_day.urls > 0 {
                let of_day = || day.urls.iter().filter(|url| narrowed.has_url(url.id));
                rows.urls_of.insert(date, i64::try_from(of_day().count()).unwrap_or(i64::MAX));
                listed.extend(of_day().take(of_a_day.urls).map(|url| (date, *url)));
            }
        }
        if let Some(window) = before {
            let mut before = Days::new();
            for date in window.days() {
                let Some(day) = days.get(date).await? else { continue };
                before.insert(date, narrowed.numbers(&day));
                if single {
                    rows.hours_before.clone_from(&day.hours);
                }
            }
            rows.before = Some(before);
        }
        rows.urls = with_texts(snapshot, listed, of_a_day).await?;
        rows.pages = pages(snapshot, state, sums.urls).await?;
        rows.elements = elements(snapshot, state, sums.elements).await?;
        rows.visitors(snapshot, sums.clients).await?;
        Ok(rows)
    }

    /// The lists of visitors.
    async fn visitors(&mut self, connection: &mut PgConnection, sessions: HashMap<i64, i64>) -> sqlx::Result<()> {
        let ids: Vec<i64> = sessions.iter().filter(|(_, count)| **count > 0).map(|(id, _)| *id).collect();
        let clients: Vec<(i64, String, String, String, String)> =
            sqlx::query_as("SELECT id, browser, family, os, device FROM client WHERE id = ANY($1)")
                .bind(ids)
                .fetch_all(connection)
                .await?;
        let mut lists: [BTreeMap<&str, i64>; 5] = Default::default();
        for (id, browser, family, os, device) in &clients {
            let count = sessions.get(id).copied().unwrap_or_default();
            let of: &[(usize, &str)] = if device == "bot" {
                &[(0, browser), (4, family)]
            } else {
                &[(0, browser), (1, family), (2, os), (3, device)]
            };
            for (list, name) in of {
                *lists[*list].entry(name).or_default() += count;
            }
        }
        let lists = lists.map(|counts| Ranked::of_names(counts, ROWS));
        [self.browsers, self.families, self.systems, self.devices, self.bots] = lists;
        Ok(())
    }
}

/// By day and text, as far as they fit; each day's most viewed ones come first in `counts`.
async fn with_texts(
    connection: &mut PgConnection,
    counts: Vec<(NaiveDate, Count)>,
    of_a_day: Most,
) -> sqlx::Result<Vec<(NaiveDate, String, i64)>> {
    let ids: HashSet<i64> = counts.iter().map(|(_, count)| count.id).collect();
    let texts = ranking::texts(connection, "url", ids.into_iter().collect()).await?;
    let days = counts.iter().map(|(day, _)| day).collect::<HashSet<_>>().len();
    let of_a_day = of_a_day.shared_by(days);
    let mut room: BTreeMap<NaiveDate, Most> = BTreeMap::new();
    let of = |(day, count): (NaiveDate, Count)| {
        let text = texts.get(&count.id)?;
        room.entry(day).or_insert(of_a_day).takes(text).then(|| (day, text.clone(), count.count))
    };
    let mut urls: Vec<(NaiveDate, String, i64)> = counts.into_iter().filter_map(of).collect();
    urls.sort_unstable();
    Ok(urls)
}

/// The most viewed pages that a search finds; their total is that of all pages.
async fn pages(connection: &mut PgConnection, state: &State, counts: HashMap<i64, i64>) -> sqlx::Result<Ranked> {
    let total = counts.values().sum();
    let found = searched(connection, "url", &state.search).await?;
    let counts = counts.into_iter().map(|(id, count)| Count { id, kind: 0, count });
    let counts: Vec<Count> = counts.filter(|url| found.as_ref().is_none_or(|ids| ids.contains(&url.id))).collect();
    let of = i64::try_from(counts.len()).unwrap_or(i64::MAX);
    Ok(Ranked { rows: ranking::first(connection, "url", counts, PAGES).await?, of, total })
}

/// The same of elements.
async fn elements(
    connection: &mut PgConnection,
    state: &State,
    counts: HashMap<(i64, u8), i64>,
) -> sqlx::Result<Ranked> {
    let total = counts.values().sum();
    let found = searched(connection, "element", &state.element).await?;
    let counts = counts.into_iter().map(|((id, kind), count)| Count { id, kind, count });
    let counts: Vec<Count> = counts.filter(|of| found.as_ref().is_none_or(|ids| ids.contains(&of.id))).collect();
    let of = i64::try_from(counts.len()).unwrap_or(i64::MAX);
    Ok(Ranked { rows: ranking::first(connection, "element", counts, ROWS).await?, of, total })
}

async fn searched(
    connection: &mut PgConnection,
    table: &'static str,
    text: &str,
) -> sqlx::Result<Option<HashSet<i64>>> {
    if text.is_empty() {
        return Ok(None);
    }
    like(connection, table, &pattern(Part::Anywhere, text)).await.map(Some)
}
