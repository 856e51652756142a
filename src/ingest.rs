//! `footfall ingest`: HTTP in, log out, alone.

use crate::{
    process::{self, Process},
    stores::{KafkaSettings, open_kafka},
};
use ::ingest::IngestSettings;
use event_log::{EventWriter, LateWriter, kafka::KafkaLogSettings};
use service::{
    gate::Access,
    http,
    resource::Resource,
    settings::{KeySettings, ListenSettings, ProcessSettings, ZoneSettings, warn_if_open},
    throttle::ThrottleSettings,
};
use std::{process::ExitCode, sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long the port stays closed at most while it is not known whether Kafka answers.
const KNOWN_WITHIN: Duration = Duration::from_secs(3);

/// Run ingest alone.
#[derive(clap::Args)]
pub struct Ingest {
    #[command(flatten)]
    listen: ListenSettings,
    #[command(flatten)]
    process: ProcessSettings,
    #[command(flatten)]
    kafka: KafkaSettings,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    zone: ZoneSettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
    #[command(flatten)]
    ingest: IngestSettings,
}

impl Ingest {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let (kafka, keys) = (self.kafka.required()?, self.keys.required()?);
        let port = process::reserve(&self.listen)?;
        let Process { shutdown, readiness } = Process::start(&self.process)?;
        let [log_part, listening] = ["event log", "http"].map(|part| readiness.component(part));
        // while Kafka is away, whoever sends something is told so at once
        let writer = Arc::new(LateWriter::default());
        let (late, known, stopping) = (Arc::clone(&writer), CancellationToken::new(), shutdown.token().clone());
        let looked = known.clone();
        shutdown.spawn("log", async move { open(&late, kafka, &looked, &stopping).await });
        let access =
            Access { write: Some(Resource::ALL.map(|resource| self.ingest.write_access(resource))), read: None };
        let ingest = ::ingest::Ingest::new(self.ingest, self.zone.time_zone, writer.clone(), shutdown.clone());
        shutdown.spawn("ingest", ingest.clone().watch_readiness(log_part));
        warn_if_open(self.listen.listen, access);
        let app = process::app(ingest.routes(), &self.listen, keys, access, &self.throttle);
        // where Kafka is there, nobody who comes early is told that it is not
        let _ = timeout(KNOWN_WITHIN, shutdown.token().run_until_cancelled(known.cancelled())).await;
        http::spawn_server("http", process::open(port)?, app, &shutdown);
        listening.ready();
        let ended = shutdown.drained().await;
        writer.close().await;
        ended.map(|()| ExitCode::SUCCESS)
    }
}

/// As soon as Kafka answers, lets events through to it. `known` is cancelled when it is known whether it does.
async fn open(
    writer: &LateWriter,
    kafka: KafkaLogSettings,
    known: &CancellationToken,
    stopping: &CancellationToken,
) -> anyhow::Result<()> {
    let away = |reason| {
        writer.not_yet(reason);
        known.cancel();
    };
    if let Some(log) = open_kafka(kafka, stopping, away).await? {
        writer.set(log.writer().await?);
        known.cancel();
    }
    stopping.cancelled().await;
    Ok(())
}
