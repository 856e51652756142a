//! `GET /status/`: how far the read model is behind the log.

use crate::{error::QueryError, routes::QueryApi};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use service::time_format::show;
use std::time::Duration;
use tokio::time::Instant;

/// How long the log may take to tell where it ends, all partitions together.
const PATIENCE: Duration = Duration::from_secs(2);

/// The whole answer. `null` where it is not known: the log does not answer, or nothing has been brought in yet.
#[derive(Serialize)]
struct Status {
    /// Events that wait, about: offsets are not dense.
    lag_records: Option<i64>,
    /// How old the newest event is that the slowest partition with a lag has brought in, in seconds; 0 without a lag.
    lag_seconds: Option<i64>,
    as_of: String,
    partitions: Vec<Partition>,
}

/// How far one partition is behind.
#[derive(Serialize)]
pub(crate) struct Partition {
    pub partition: i32,
    pub next_offset: i64,
    pub log_end: Option<i64>,
    pub lag_records: Option<i64>,
    pub lag_seconds: Option<i64>,
}

/// Where a partition's projection stands.
struct Checkpoint {
    partition: i32,
    next_offset: i64,
    /// When the newest event in it was taken; without one, when the end of the log was last seen.
    recorded_at: Option<DateTime<Utc>>,
}

/// `GET /status/`.
pub(crate) async fn status(State(api): State<QueryApi>) -> Result<Response, QueryError> {
    let now = Utc::now();
    let partitions = partitions(&api, now).await?;
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

/// Every partition.
pub(crate) async fn partitions(api: &QueryApi, now: DateTime<Utc>) -> Result<Vec<Partition>, QueryError> {
    let checkpoints: Vec<(i32, i64, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT partition, next_offset, coalesce(recorded_at, caught_up_at) FROM checkpoint ORDER BY partition",
    )
    .fetch_all(&api.inner.pool)
    .await?;
    let deadline = Instant::now() + PATIENCE;
    let mut partitions = Vec::with_capacity(checkpoints.len());
    for (partition, next_offset, recorded_at) in checkpoints {
        let checkpoint = Checkpoint { partition, next_offset, recorded_at };
        let log_end = log_end(api, checkpoint.partition, deadline).await;
        partitions.push(behind(&checkpoint, log_end, now));
    }
    Ok(partitions)
}

async fn log_end(api: &QueryApi, partition: i32, deadline: Instant) -> Option<i64> {
    // a log that did not answer for one partition is not asked for the next
    let log = api.inner.log.as_ref().filter(|_| Instant::now() < deadline)?;
    let asked = tokio::time::timeout_at(deadline, log.watermarks(u16::try_from(partition).ok()?)).await;
    match asked {
        Ok(Ok(watermarks)) => Some(watermarks.high),
        Ok(Err(error)) => {
            tracing::debug!(%error, "the log does not tell where it ends");
            None
        }
        Err(_) => None,
    }
}

fn behind(checkpoint: &Checkpoint, log_end: Option<i64>, now: DateTime<Utc>) -> Partition {
    let lag_records = log_end.map(|end| (end - checkpoint.next_offset).max(0));
    let lag_seconds = match lag_records {
        None => None,
        Some(0) => Some(0),
        Some(_) => checkpoint.recorded_at.map(|recorded_at| (now - recorded_at).num_seconds().max(0)),
    };
    Partition {
        partition: checkpoint.partition,
        next_offset: checkpoint.next_offset,
        log_end,
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
        let checkpoint = Checkpoint { partition: 3, next_offset: 10, recorded_at: DateTime::from_timestamp(940, 0) };
        let of = |end| {
            let found = behind(&checkpoint, end, now);
            (found.lag_records, found.lag_seconds)
        };
        assert_eq!(of(Some(15)), (Some(5), Some(60)));
        assert_eq!(of(Some(10)), (Some(0), Some(0)));
        assert_eq!(of(None), (None, None));
        let nothing = behind(&Checkpoint { recorded_at: None, ..checkpoint }, Some(15), now);
        assert_eq!((nothing.lag_records, nothing.lag_seconds), (Some(5), None));
    }
}
