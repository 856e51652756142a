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
use serde_json::json;
use service::{
    openapi::{Answers, Shared, operation, schemas::named, schemas_of},
    time_format::show,
};
use std::time::Duration;
use tokio::time::{Instant, error::Elapsed, timeout_at};
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, path::OperationBuilder},
};

/// How long the log may take to tell where it ends, all partitions together.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// The whole answer. `null` where it is not known: the log does not answer, or nothing has been brought in yet.
#[derive(Serialize, ToSchema)]
struct Status {
    /// Events that wait, about: offsets are not dense.
    lag_records: Option<i64>,
    /// How long the oldest event has been waiting that has not been brought in yet, in seconds begun; 0 when none waits.
    lag_seconds: Option<i64>,
    /// When this was looked at.
    #[schema(format = "date-time")]
    as_of: String,
    partitions: Vec<Partition>,
}

/// Where one partition of the log stands.
#[derive(Serialize, ToSchema)]
pub(crate) struct Partition {
    pub partition: i32,
    /// The first record that is not in the read model yet.
    pub next_offset: i64,
    pub log_end: Option<i64>,
    pub lag_records: Option<i64>,
    pub lag_seconds: Option<i64>,
}

/// What it refers to in OpenAPI.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    schemas_of::<Status>()
}

/// The status in OpenAPI.
pub(crate) fn described() -> OperationBuilder {
    let partition = json!({"partition": 0, "next_offset": 512, "log_end": 515, "lag_records": 3, "lag_seconds": 1});
    let example = json!({
        "lag_records": 3, "lag_seconds": 1, "as_of": "2026-11-24T09:33:00.125000Z", "partitions": [partition]
    });
    let answers = Answers::default()
        .json(200, "How far it is, as a whole and by partition.", named("Status"), example)
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    operation("Service", "status", "How far the lists are behind what was taken", "").responses(answers)
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
    let partitions = partitions(&api, now, PATIENCE).await?;
    let Behind { records, seconds } = Behind::of(&partitions);
    let as_of = show(schema::to_micros(now), api.inner.zone);
    Ok(Json(Status { lag_records: records, lag_seconds: seconds, as_of, partitions }).into_response())
}

/// How far all partitions together are behind; `None` where it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Behind {
    /// Events that wait, about.
    pub records: Option<i64>,
    /// For how long the oldest of them has been waiting.
    pub seconds: Option<i64>,
}

impl Behind {
    /// Asks the log, for `patience` at most.
    pub async fn find(api: &QueryApi, now: DateTime<Utc>, patience: Duration) -> sqlx::Result<Self> {
        Ok(Self::of(&partitions(api, now, patience).await?))
    }

    fn of(partitions: &[Partition]) -> Self {
        // without partitions no projector has ever run, and the log may hold anything
        let known = |lags: &Vec<i64>| !lags.is_empty();
        let all = |pick: fn(&Partition) -> Option<i64>| {
            partitions.iter().map(pick).collect::<Option<Vec<i64>>>().filter(known)
        };
        Self {
            records: all(|partition| partition.lag_records).map(|lags| lags.iter().sum()),
            seconds: all(|partition| partition.lag_seconds).map(|lags| lags.into_iter().max().unwrap_or(0)),
        }
    }
}

/// Every partition; the log is asked for `patience` at most.
pub(crate) async fn partitions(api: &QueryApi, now: DateTime<Utc>, patience: Duration) -> sqlx::Result<Vec<Partition>> {
    let checkpoints: Vec<(i32, i64)> =
        sqlx::query_as("SELECT partition, next_offset FROM checkpoint ORDER BY partition")
            .fetch_all(&api.inner.pool)
            .await?;
    let deadline = Instant::now() + patience;
    let mut partitions = Vec::with_capacity(checkpoints.len());
    for (partition, next_offset) in checkpoints {
        let checkpoint = Checkpoint { partition, next_offset };
        let log = log(api, &checkpoint, deadline).await;
        partitions.push(behind(&checkpoint, log, now));
    }
    Ok(partitions)
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
