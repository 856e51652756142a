//! `footfall ingest`: HTTP in, log out, alone.

use crate::{
    process::{self, Process},
    stores::{KafkaSettings, open_kafka},
};
use ::ingest::IngestSettings;
use service::{
    gate::Access,
    http,
    resource::Resource,
    settings::{KeySettings, ListenSettings, ProcessSettings, ZoneSettings, warn_if_open},
    throttle::ThrottleSettings,
};
use std::process::ExitCode;

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
        let listener = process::bind(&self.listen).await?;
        let Process { shutdown, readiness } = Process::start(&self.process).await?;
        let log_part = readiness.component("event log");
        let Some(log) = open_kafka(kafka, shutdown.token()).await? else { return Ok(ExitCode::SUCCESS) };
        let writer = log.writer().await?;
        let access =
            Access { write: Some(Resource::ALL.map(|resource| self.ingest.write_access(resource))), read: None };
        let ingest = ::ingest::Ingest::new(self.ingest, self.zone.time_zone, writer.clone(), shutdown.clone());
        shutdown.spawn("ingest", ingest.clone().watch_readiness(log_part));
        warn_if_open(self.listen.listen, access);
        let app = process::app(ingest.routes(), &self.listen, keys, access, &self.throttle);
        http::spawn_server("http", listener, app, &shutdown);
        let ended = shutdown.drained().await;
        writer.close().await;
        ended.map(|()| ExitCode::SUCCESS)
    }
}
