//! Ingest on a real log in PostgreSQL.

use axum::{Router, body::Body, http::Request, response::Response};
use clap::Parser;
use event_log::{
    EventLog, Record, Sharing,
    postgres::{PostgresLog, PostgresLogSettings},
};
use ingest::{Ingest, IngestSettings};
use serde_json::{Value, value::RawValue};
use service::{database::Database, http, lifecycle::Shutdown};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use test_support::TestDatabase;
use tower::ServiceExt;

#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    ingest: IngestSettings,
}

/// The default settings, and what a test wants otherwise.
pub fn settings(arguments: &[&str]) -> IngestSettings {
    Settings::try_parse_from([&["ingest"], arguments].concat()).unwrap().ingest
}

/// Ingest and its log.
pub struct Bench {
    pub app: Router,
    pub log: Arc<PostgresLog>,
    _database: TestDatabase,
}

impl Bench {
    pub async fn new(settings: IngestSettings) -> Self {
        let database = TestDatabase::create().await;
        let tables = Database::new(database.options());
        tables.migrate(schema::migrations::LOG_SCHEMA, schema::migrations::LOG).await.unwrap();
        let log_settings =
            PostgresLogSettings { append_deadline: Duration::from_secs(2), ..PostgresLogSettings::default() };
        let log = Arc::new(PostgresLog::open(database.options(), log_settings).await.unwrap());
        let shutdown = Shutdown::new(Duration::from_secs(5));
        let ingest = Ingest::new(settings, chrono_tz::Tz::UTC, log.writer().await.unwrap(), shutdown);
        Self { app: http::finish(ingest.routes(), ""), log, _database: database }
    }

    /// Sends a body and gives status and answer.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> (u16, Value) {
        let request = Request::post(path).header("content-type", content_type).body(body.into()).unwrap();
        read(self.app.clone().oneshot(request).await.unwrap()).await
    }

    /// Everything on the log.
    pub async fn records(&self) -> Vec<Record> {
        let reader = self.log.reader(Sharing::Alone).await.unwrap();
        let mut records = Vec::new();
        for partition in 0..self.log.partitions() {
            let high = reader.watermarks(partition).await.unwrap().high;
            let mut from = 0;
            while from < high {
                let batch = reader.open(partition, from).await.unwrap().next(1_000, 1 << 24).await.unwrap();
                from = batch.last().unwrap().position.offset + 1;
                records.extend(batch);
            }
        }
        records
    }
}

pub async fn read(response: Response) -> (u16, Value) {
    let (head, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 32 << 20).await.unwrap();
    let object: BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(&body).unwrap_or_else(|e| panic!("no JSON object ({e}): {body:?}"));
    // a number that is larger than this program's can be is JSON all the same
    let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::String(raw.to_string()));
    (head.status.as_u16(), object.iter().map(|(name, raw)| (name.clone(), value(raw))).collect())
}
