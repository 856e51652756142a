//! `GET /status/`: how far the read model is behind the log.

use crate::{error::QueryError, routes::QueryApi};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use service::{
    openapi::{Answers, Shared, operation, schemas::named, schemas_of},
    time_format::show,
};
use std::time::Duration;
use tokio::time::Instant;
use utoipa::{
    ToSchema,
    openapi::{RefOr, Schema, path::OperationBuilder},
};

/// How long the log may take to tell where it ends, all partitions together.
const PATIENCE: Duration = Duration::from_secs(2);

/// The whole answer. `null` where it is not known: the log does not answer, or nothing has been brought in yet.
#[derive(Serialize, ToSchema)]
struct Status {
    /// Events that wait, about: offsets are not dense.
    lag_records: Option<i64>,
    /// How old the newest event is that the slowest partition with a lag has brought in, in seconds; 0 without a lag.
    lag_seconds: Option<i64>,
    /// When this was looked at.
    #[schema(format = "date-time")]
    as_of: String,
    partitions: Vec<Partition>,
}

/// Where one partition of the log stands.
#[derive(Serialize, ToSchema)]
struct Partition {
    partition: i32,
    /// The first record that is not in the read model yet.
    next_offset: i64,
    log_end: Option<i64>,
    lag_records: Option<i64>,
    lag_seconds: Option<i64>,
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
    /// When the newest event in it was taken; without one, when the end of the log was last seen.
    recorded_at: Option<DateTime<Utc>>,
}

/// `GET /status/`.
pub(crate) async fn status(State(api): State<QueryApi>) -> Result<Response, QueryError> {
    let now = Utc::now();
    let checkpoints: Vec<(i32, i64, Option<DateTime<Utc>>)> = sqlx::query_as(
        "SELECT partition, next_offset, coalesce(recorded_at, caught_up_at) FROM checkpoint ORDER BY partition",
    )
    .fetch_all(&api.inner.pool)
    .await?;
    let deadline = Instant::now() + PATIENCE;
    let mut partitions = Vec::with_capacity(checkpoints.len());
    for (partition, next_offset, recorded_at) in checkpoints {
        let checkpoint = Checkpoint { partition, next_offset, recorded_at };
        let log_end = log_end(&api, checkpoint.partition, deadline).await;
        partitions.push(behind(&checkpoint, log_end, now));
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
