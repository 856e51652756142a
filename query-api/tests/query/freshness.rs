//! `/status/`: how far the read model is behind the log. Contract § 12.

use crate::common::{Served, Setup, Site, events::*};
use axum::body::Body;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::Parser;
use event_log::{
    EventLog, EventWriter, LogId, NewRecord, Sharing,
    postgres::{PostgresLog, PostgresLogSettings},
};
use projector::{ProjectorSettings, run};
use schema::{
    Envelope, codec,
    migrations::{LOG, LOG_SCHEMA},
};
use service::{access::Role, lifecycle::Shutdown, ops::Readiness};
use std::{sync::Arc, time::Duration};
use test_support::eventually;

const PARTITIONS: u16 = 3;
const SOON: Duration = Duration::from_secs(30);

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: ProjectorSettings,
}

/// A site with a log, and a projector that can be started.
struct Whole {
    site: Site,
    served: Served,
    log: Arc<dyn EventLog>,
    writer: Arc<dyn EventWriter>,
}

impl Whole {
    async fn new() -> Self {
        let site = Site::bare(Setup { zone: Tz::Europe__Berlin, ..Setup::default() }).await;
        site.database.migrate(LOG_SCHEMA, LOG).await.unwrap();
        let settings = PostgresLogSettings { partitions: PARTITIONS, ..PostgresLogSettings::default() };
        let log: Arc<dyn EventLog> = Arc::new(PostgresLog::open(site.test_database.options(), settings).await.unwrap());
        let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
        let served = site.app_on(site.test_database.options(), Some(reader));
        Self { site, served, log, writer }
    }

    async fn append(&self, envelopes: &[Envelope]) {
        let records = envelopes.iter().map(|envelope| NewRecord {
            key: envelope.session_id.as_str().into(),
            event_id: envelope.event_id,
            schema_version: codec::SCHEMA_VERSION,
            value: codec::encode(envelope),
        });
        for appended in self.writer.append(records.collect()).await {
            appended.unwrap();
        }
    }

    fn start(&self) -> Shutdown {
        let (database, log, shutdown) = (self.site.database.clone(), self.log.clone(), Shutdown::new(SOON));
        let (component, stopping) = (Readiness::new().component("projector"), shutdown.clone());
        shutdown.spawn("projector", async move {
            let settings = Command::parse_from(["projector"]).settings;
            run(&settings, Tz::Europe__Berlin, database, log, component, &stopping).await
        });
        shutdown
    }

    async fn status(&self) -> serde_json::Value {
        let answer = self.served.get("/status/").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    async fn caught_up(&self) {
        let caught_up = async || {
            let status = self.status().await;
            (status["partitions"].as_array().unwrap().len() == 3 && status["lag_records"] == 0).then_some(())
        };
        eventually("the projector has caught up", SOON, caught_up).await;
    }
}

fn events(number: usize, at: DateTime<Utc>) -> Vec<Envelope> {
    (0..number).map(|i| page_view(&format!("s{i}"), at, "http://a.example/")).collect()
}

#[tokio::test]
async fn the_status_tells_how_far_the_read_model_is_behind_in_records_and_seconds() {
    let whole = Whole::new().await;
    let shutdown = whole.start();
    whole.append(&events(30, Utc::now() - TimeDelta::minutes(10))).await;
    whole.caught_up().await;
    let status = whole.status().await;
    assert_eq!((&status["lag_records"], &status["lag_seconds"]), (&0.into(), &0.into()), "{status}");
    let as_of = DateTime::parse_from_rfc3339(status["as_of"].as_str().unwrap()).unwrap();
    assert!((Utc::now() - as_of.to_utc()).abs() < TimeDelta::minutes(1), "{status}");
    let offset = Utc::now().with_timezone(&Tz::Europe__Berlin).format("%:z").to_string();
    assert!(status["as_of"].as_str().unwrap().ends_with(&offset), "{status}");
    shutdown.begin();
    shutdown.drained().await.unwrap();

    whole.append(&events(30, Utc::now())).await;
    let status = whole.status().await;
    assert_eq!(status["lag_records"], 30, "{status}");
    // what was brought in last is ten minutes old, and nothing has waited for so long
    assert!((1..60).contains(&status["lag_seconds"].as_i64().unwrap()), "{status}");
    // the oldest one that waits counts, of all partitions
    let older = "UPDATE footfall_log.record r SET appended_at = appended_at - interval '10 minutes'
        FROM footfall.checkpoint c WHERE c.partition = r.partition AND r.\"offset\" = c.next_offset";
    assert_eq!(sqlx::query(older).execute(&whole.site.pool).await.unwrap().rows_affected(), 3);
    let status = whole.status().await;
    let seconds = status["lag_seconds"].as_i64().unwrap();
    assert!((600..=660).contains(&seconds), "{status}");
    // an offset that is missing is a gap, and the next one counts
    let gap = "DELETE FROM footfall_log.record r
        USING footfall.checkpoint c WHERE c.partition = r.partition AND r.\"offset\" = c.next_offset";
    assert_eq!(sqlx::query(gap).execute(&whole.site.pool).await.unwrap().rows_affected(), 3);
    let behind_gaps = whole.status().await;
    assert!((0..60).contains(&behind_gaps["lag_seconds"].as_i64().unwrap()), "{behind_gaps}");
    let partitions = status["partitions"].as_array().unwrap();
    assert_eq!(
        partitions.iter().map(|partition| partition["partition"].as_i64().unwrap()).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    for partition in partitions {
        let number = |key: &str| partition[key].as_i64().unwrap();
        assert_eq!(number("log_end") - number("next_offset"), number("lag_records"), "{partition}");
        assert!(number("lag_records") > 0 && number("lag_seconds") >= 600, "{partition}");
    }

    let report = async || {
        let staff = crate::common::get("/report/").header("authorization", whole.site.token(Role::Staff));
        whole.served.send_body(staff, Body::empty()).await.body
    };
    let page = report().await;
    let waits = page.contains("30 events wait") && !page.contains("role=\"status\"");
    assert!(waits, "seconds are no reason to worry: {page}");
    let older = "UPDATE footfall_log.record SET appended_at = appended_at - interval '10 minutes'";
    sqlx::query(older).execute(&whole.site.pool).await.unwrap();
    let page = report().await;
    assert!(page.contains("are not in these numbers yet: 10 min"), "{page}");

    let shutdown = whole.start();
    whole.caught_up().await;
    let page = report().await;
    assert!(page.contains("up to date") && !page.contains("role=\"status\""), "no reason to worry: {page}");
    shutdown.begin();
    shutdown.drained().await.unwrap();
}

#[tokio::test]
async fn a_log_of_which_nothing_has_been_brought_in_yet_is_not_called_fresh() {
    let whole = Whole::new().await;
    whole.append(&events(30, Utc::now())).await;
    let status = whole.status().await;
    assert_ne!(status["lag_records"], 0, "no projector has ever run: {status}");
    assert_ne!(status["lag_seconds"], 0, "no projector has ever run: {status}");
    let made_for = projector::model::MadeFor {
        zone: Tz::Europe__Berlin,
        log_id: LogId(whole.log.log_id().0.clone()),
        partitions: PARTITIONS,
        deduplication_days: 7,
    };
    projector::model::ReadModel::prepare(whole.site.pool.clone(), made_for).await.unwrap();
    let status = whole.status().await;
    assert_eq!(status["lag_records"], 30, "a projector has started and done nothing: {status}");
    assert_ne!(status["lag_seconds"], 0, "a projector has started and done nothing: {status}");
}

#[tokio::test]
async fn a_log_that_is_reached_later_is_told_from_then_on() {
    let whole = Whole::new().await;
    let shutdown = whole.start();
    whole.append(&events(30, Utc::now())).await;
    whole.caught_up().await;
    let api = whole.site.api_on(whole.site.test_database.options());
    let served = whole.site.serve(&api);
    let status = served.get("/status/").await.json();
    assert_eq!(status["lag_records"], serde_json::Value::Null, "{status}");
    api.follow(whole.log.reader(Sharing::Alone).await.unwrap());
    let status = served.get("/status/").await.json();
    assert_eq!((&status["lag_records"], &status["lag_seconds"]), (&0.into(), &0.into()), "{status}");
    shutdown.begin();
    shutdown.drained().await.unwrap();
}

#[tokio::test]
async fn where_the_log_does_not_tell_its_end_nothing_is_made_up() {
    let mut site = Site::new().await;
    site.project(&events(3, Utc::now())).await;
    let status = site.get("/status/").await.json();
    for key in ["lag_records", "lag_seconds"] {
        assert_eq!(status[key], serde_json::Value::Null, "{status}");
        assert_eq!(status["partitions"][0][key], serde_json::Value::Null, "{status}");
    }
    assert_eq!(status["partitions"][0]["next_offset"], 3, "{status}");
}
