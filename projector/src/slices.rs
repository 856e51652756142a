//! Tables for months of facts and days of seen events: made before they are needed, dropped when they are not.
//!
//! A slice is made as a table of its own and then attached, which takes a weaker lock than creating it in place, so
//! readers go on. There is no default partition: a row without a slice is an error, never a row in the wrong place.

use crate::{model::ReadModel, patience::Pulse};
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use sqlx::{Executor, PgConnection, PgPool};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Mutex, PoisonError},
};

/// Held while slices are made, so that two projectors do not make one at the same time. Any number will do.
const SLICE_LOCK: i64 = 0x466f_6f74_0001;

/// Slices that one transaction makes at most: what it has made is there even if the next one is not made in time, and
/// the locks of many tables would be more than a server keeps.
const MADE_AT_ONCE: usize = 16;

/// How long batches may be kept waiting for a day to be dropped.
const DROP_WAITS: &str = "200ms";

/// Months that are made ahead of the present one.
const MONTHS_AHEAD: u32 = 2;

/// A part of a partitioned table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slice {
    /// A month (UTC) of page views, by its first day.
    PageViews(NaiveDate),
    /// A month (UTC) of interactions, by its first day.
    Interactions(NaiveDate),
    /// A day (UTC) of seen events.
    SeenEvents(NaiveDate),
}

impl Slice {
    /// The slice of a page view at this time.
    pub fn page_views(at: DateTime<Utc>) -> Self {
        Self::PageViews(first_of_month(at.date_naive()))
    }

    /// The slice of an interaction at this time.
    pub fn interactions(at: DateTime<Utc>) -> Self {
        Self::Interactions(first_of_month(at.date_naive()))
    }

    /// The slice of an event that was recorded at this time.
    pub fn seen_events(at: DateTime<Utc>) -> Self {
        Self::SeenEvents(at.date_naive())
    }

    fn parent(self) -> &'static str {
        match self {
            Self::PageViews(_) => "page_view",
            Self::Interactions(_) => "interaction",
            Self::SeenEvents(_) => "seen_event",
        }
    }

    fn table(self) -> String {
        match self {
            Self::PageViews(month) | Self::Interactions(month) => {
                format!("{}_{:04}_{:02}", self.parent(), month.year(), month.month())
            }
            Self::SeenEvents(day) => format!("seen_event_{:04}_{:02}_{:02}", day.year(), day.month(), day.day()),
        }
    }

    fn bounds(self) -> String {
        match self {
            Self::PageViews(month) | Self::Interactions(month) => {
                let next = month.checked_add_months(Months::new(1)).expect("events have years of at most 4 digits");
                format!("FROM ('{} 00:00:00+00') TO ('{} 00:00:00+00')", sql_date(month), sql_date(next))
            }
            Self::SeenEvents(day) => format!("IN ('{}')", sql_date(day)),
        }
    }
}

/// PostgreSQL reads years above 9999 without the sign that chrono puts before them.
fn sql_date(day: NaiveDate) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day())
}

fn first_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1).expect("every month has a first day")
}

/// The slices that are known to be there. Bounded by the number of months and days that events have.
#[derive(Debug, Default)]
pub struct Slices(Mutex<HashSet<Slice>>);

impl Slices {
    /// Looks at the tables again next time.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Makes those that are not there yet, some at a time; `pulse` beats with each time.
    pub async fn ensure(&self, pool: &PgPool, wanted: &BTreeSet<Slice>, pulse: &Pulse) -> sqlx::Result<()> {
        let missing: Vec<Slice> = {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.iter().filter(|slice| !known.contains(slice)).copied().collect()
        };
        for some in missing.chunks(MADE_AT_ONCE) {
            let mut transaction = pool.begin().await?;
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SLICE_LOCK).execute(&mut *transaction).await?;
            for slice in some {
                make(&mut transaction, *slice).await?;
            }
            transaction.commit().await?;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(some);
            pulse.beat();
        }
        Ok(())
    }
}

async fn make(connection: &mut PgConnection, slice: Slice) -> sqlx::Result<()> {
    let (table, parent) = (slice.table(), slice.parent());
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&table).fetch_one(&mut *connection).await?;
    if there {
        return Ok(());
    }
    tracing::info!(table, "making a table");
    connection.execute(format!("CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS)").as_str()).await?;
    let attach = format!("ALTER TABLE {parent} ATTACH PARTITION {table} FOR VALUES {}", slice.bounds());
    connection.execute(attach.as_str()).await.map(drop)
}

/// Makes this month and the next ones, so that batches do not have to.
pub async fn make_ahead(model: &ReadModel, now: DateTime<Utc>) -> sqlx::Result<()> {
    let this_month = first_of_month(now.date_naive());
    let months = (0..=MONTHS_AHEAD).filter_map(|ahead| this_month.checked_add_months(Months::new(ahead)));
    let mut wanted: BTreeSet<Slice> =
        months.flat_map(|month| [Slice::PageViews(month), Slice::Interactions(month)]).collect();
    if model.window().is_some() {
        wanted.extend([Slice::seen_events(now), Slice::seen_events(now + TimeDelta::days(1))]);
    }
    model.slices.ensure(&model.pool, &wanted, &Pulse::default()).await
}

/// Drops the days of seen events that every partition has passed by the window and a day. A partition has passed a
/// time when it has projected what was on the log then: what is appended later is recorded later. The `recorded_at` of
/// what it has projected proves nothing: one host with a clock that is ahead would have passed days that are still
/// needed. Not for a rebuild: its checkpoints are at the end of the log only when it is done.
pub async fn drop_passed_days(model: &ReadModel) -> sqlx::Result<Vec<String>> {
    let Some(window) = model.window() else { return Ok(Vec::new()) };
    let passed: Option<DateTime<Utc>> = sqlx::query_scalar(
        "SELECT CASE WHEN bool_and(caught_up_at IS NOT NULL) THEN min(caught_up_at) END
         FROM checkpoint WHERE projection = $1",
    )
    .bind(crate::model::PROJECTION)
    .fetch_one(&model.pool)
    .await?;
    let Some(passed) = passed else { return Ok(Vec::new()) };
    // a day ends where the next one begins, hence two
    let last_dropped = (passed - window - TimeDelta::days(2)).date_naive();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
         WHERE i.inhparent = 'seen_event'::regclass AND c.relname::text COLLATE \"C\" <= $1 ORDER BY 1",
    )
    .bind(Slice::SeenEvents(last_dropped).table())
    .fetch_all(&model.pool)
    .await?;
    let mut dropped = Vec::with_capacity(tables.len());
    for table in tables {
        match drop_day(&model.pool, &table).await {
            Err(error) if is_locked(&error) => {
                tracing::info!(table, "somebody reads the seen event ids: days that are past are dropped later");
                break;
            }
            done => done?,
        }
        tracing::info!(table, "dropped a day of seen event ids: all partitions are past its window");
        model.slices.forget();
        dropped.push(table);
    }
    Ok(dropped)
}

/// Drops one, unless somebody uses the table just then: while it waits for the lock, every batch waits behind it.
async fn drop_day(pool: &PgPool, table: &str) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    transaction.execute(format!("SET LOCAL lock_timeout = '{DROP_WAITS}'").as_str()).await?;
    transaction.execute(format!("DROP TABLE IF EXISTS {table}").as_str()).await?;
    transaction.commit().await
}

fn is_locked(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("55P03")
}
