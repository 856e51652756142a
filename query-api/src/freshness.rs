//! `GET /status/`: how far the read model is behind the log.

use crate::{error::QueryError, routes::QueryApi};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use event_log::{EventReader, ReadError, Watermarks};
use schema::Position;
use serde::Serialize;
use service::time_format::show;
use std::time::Duration;
use tokio::time::{Instant, error::Elapsed, timeout_at};

/// How long the log may take to tell where it ends, all partitions together.
const PATIENCE: Duration = Duration::from_secs(2);

/// The whole answer. `null` where it is not known: the log does not answer, or nothing has been brought in yet.
#[derive(Serialize)]
struct Status {
    /// Events that wait, about: offsets are not dense.
    lag_records: Option<i64>,
    /// How long the oldest event has been waiting that has not been brought in yet, in seconds begun; 0 when none waits.
    lag_seconds: Option<i64>,
    as_of: String,
    partitions: Vec<Partition>,
}

#[derive(Serialize)]
struct Partition {
    partition: i32,
    next_offset: i64,
    log_end: Option<i64>,
    lag_records: Option<i64>,
    lag_seconds: Option<i64>,
}

/// Where a partition's projection stands.
struct Checkpoint {
    partition: i32,
    next_offset: i64,
}

/// What the log holds of a partition beyond its projection.
#[derive(Clone, Copy)]
struct Log {
    end: i64,
    /// When the oldest event that waits was appended.
    waits_since: Option<DateTime<Utc>>,
}

/// `GET /status/`.
pub(crate) async fn status(State(api): State<QueryApi>) -> Result<Response, QueryError> {
    let now = Utc::now();
    let checkpoints: Vec<(i32, i64)> =
        sqlx::query_as("SELECT partition, next_offset FROM checkpoint ORDER BY partition")
            .fetch_all(&api.inner.pool)
            .await?;
    let deadline = Instant::now() + PATIENCE;
    let mut partitions = Vec::with_capacity(checkpoints.len());
    for (partition, next_offset) in checkpoints {
        let checkpoint = Checkpoint { partition, next_offset };
        let log = log(&api, &checkpoint, deadline).await;
        partitions.push(behind(&checkpoint, log, now));
    }
    // without partitions no projector has ever run, and the log may hold anything
    let known = |lags: &Vec<i64>| !lags.is_empty();
    let all =
        |pick: fn(&Partition) -> Option<i64>| partitions.iter().map(pick).collect::<Option<Vec<i64>>>().filter(known);
    let status = Status {
        lag_records: all(|partition| partition.lag_records).map(|lags| lags.iter().sum()),
        lag_seconds: all(|partition| partition.lag_seconds).map(|lags| lags.into_iter().max().unwrap_or(0)),
        as_of: show(schema::to_micros(now), api.inner.zone),
        partitions,
    };
    Ok(Json(status).into_response())
}

async fn log(api: &QueryApi, checkpoint: &Checkpoint, deadline: Instant) -> Option<Log> {
    // a log that did not answer for one partition is not asked for the next
    let log = api.inner.log.get().filter(|_| Instant::now() < deadline)?;
    let partition = u16::try_from(checkpoint.partition).ok()?;
    let Watermarks { low, high: end } = told(timeout_at(deadline, log.watermarks(partition)).await)?;
    let next = checkpoint.next_offset.max(low);
    let waits_since = if next < end { oldest(&**log, Position::new(partition, next), deadline).await } else { None };
    Some(Log { end, waits_since })
}

/// When the first record at or behind a position was appended.
async fn oldest(log: &dyn EventReader, at: Position, deadline: Instant) -> Option<DateTime<Utc>> {
    if let Some(record) = told(timeout_at(deadline, log.record_at(at)).await)? {
        return Some(record.appended_at);
    }
    // offsets are not dense: the next one may be a gap
    let next = async { log.open(at.partition, at.offset).await.ok()?.next(1, 1).await.ok() };
    timeout_at(deadline, next).await.ok()??.first().map(|record| record.appended_at)
}

fn told<T>(answer: Result<Result<T, ReadError>, Elapsed>) -> Option<T> {
    match answer {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the log does not tell where it ends");
            None
        }
        Err(_) => None,
    }
}

/// Rounded up, so that nothing that waits looks as if nothing did; clocks differ.
fn begun_seconds(time: TimeDelta) -> i64 {
    let begun = i64::from(time.subsec_nanos() > 0);
    (time.num_seconds() + begun).max(1)
}

fn behind(checkpoint: &Checkpoint, log: Option<Log>, now: DateTime<Utc>) -> Partition {
    let lag_records = log.map(|log| (log.end - checkpoint.next_offset).max(0));
    let lag_seconds = match lag_records {
        Some(0) => Some(0),
        _ => log.and_then(|log| log.waits_since).map(|since| begun_seconds(now - since)),
    };
    Partition {
        partition: checkpoint.partition,
        next_offset: checkpoint.next_offset,
        log_end: log.map(|log| log.end),
        lag_records,
        lag_seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lag_is_told_in_records_and_seconds_and_nothing_is_made_up() {
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        let of = |log| {
            let found = behind(&Checkpoint { partition: 3, next_offset: 10 }, log, now);
            (found.lag_records, found.lag_seconds)
        };
        let since = |seconds| DateTime::from_timestamp(seconds, 0);
        assert_eq!(of(Some(Log { end: 15, waits_since: since(940) })), (Some(5), Some(60)));
        assert_eq!(of(Some(Log { end: 15, waits_since: since(2_000) })), (Some(5), Some(1)), "clocks differ");
        let moment_ago = DateTime::from_timestamp_millis(999_900);
        assert_eq!(of(Some(Log { end: 15, waits_since: moment_ago })), (Some(5), Some(1)), "it waits");
        assert_eq!(of(Some(Log { end: 15, waits_since: None })), (Some(5), None));
        assert_eq!(of(Some(Log { end: 10, waits_since: None })), (Some(0), Some(0)));
        assert_eq!(of(None), (None, None));
    }
}
