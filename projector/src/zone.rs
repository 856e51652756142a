//! Whether PostgreSQL and this program know the same of a time zone. Both say on which day something happened: the
//! projector when it counts, PostgreSQL when facts are counted again. Each has data of its own.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use sqlx::PgPool;
use std::{fmt, ops::RangeInclusive};

/// The years in which they have to agree. Before, the history of zones is still being corrected; after, both only
/// guess.
const YEARS: RangeInclusive<i32> = 2000..=2037;

/// A time at which they do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// The first one found.
    pub at: DateTime<Utc>,
    /// What PostgreSQL has, in seconds east of UTC.
    pub postgres: i64,
    /// What this program has.
    pub here: i64,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, postgres, here } = self;
        write!(f, "at {at} PostgreSQL is {postgres} s east of UTC, Footfall {here} s")
    }
}

/// Looks for a time at which PostgreSQL's zone `name` is not `zone`: before and after each change that is known here,
/// and on each day for those that are not.
pub async fn disagreement(pool: &PgPool, zone: Tz, name: &str) -> sqlx::Result<Option<Disagreement>> {
    if (zone, name) == (Tz::UTC, Tz::UTC.name()) {
        return Ok(None);
    }
    let times = times(zone);
    let here: Vec<i64> = times.iter().map(|at| offset(zone, *at)).collect();
    let found: Option<(DateTime<Utc>, i64, i64)> = sqlx::query_as(
        "SELECT at, postgres, here
         FROM (SELECT at, extract(epoch FROM (at AT TIME ZONE $3) - (at AT TIME ZONE 'UTC'))::bigint AS postgres, here
               FROM UNNEST($1::timestamptz[], $2::bigint[]) AS known(at, here)) AS both_sides
         WHERE postgres <> here ORDER BY at LIMIT 1",
    )
    .bind(&times)
    .bind(here)
    .bind(name)
    .fetch_optional(pool)
    .await?;
    Ok(found.map(|(at, postgres, here)| Disagreement { at, postgres, here }))
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i64 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into()
}

/// Midnight (UTC) of each day, and the seconds around each change of the offset.
fn times(zone: Tz) -> Vec<DateTime<Utc>> {
    let first = NaiveDate::from_ymd_opt(*YEARS.start(), 1, 1).expect("it is a day").and_time(NaiveTime::MIN);
    let days = (0..).map(|day| first.and_utc() + TimeDelta::days(day));
    let mut times: Vec<DateTime<Utc>> = Vec::new();
    for day in days.take_while(|day| YEARS.contains(&day.year())) {
        if let Some(before) = times.last().copied().filter(|before| offset(zone, *before) != offset(zone, day)) {
            times.extend(change_between(zone, before, day));
        }
        times.push(day);
    }
    times
}

/// The last second of the old offset and the first of the new one.
fn change_between(zone: Tz, mut before: DateTime<Utc>, mut after: DateTime<Utc>) -> [DateTime<Utc>; 2] {
    let old = offset(zone, before);
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
        if offset(zone, middle) == old {
            before = middle;
        } else {
            after = middle;
        }
    }
    [before, after]
}
