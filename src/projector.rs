//! `footfall projector`: log in, read model out, alone.

use crate::{
    process::Process,
    stores::{KafkaSettings, open_kafka},
};
use ::projector::ProjectorSettings;
use service::settings::{DatabaseSettings, ProcessSettings, ZoneSettings};
use std::{process::ExitCode, time::Duration};

/// Run a projector alone.
#[derive(clap::Args)]
pub struct Projector {
    #[command(flatten)]
    process: ProcessSettings,
    #[command(flatten)]
    kafka: KafkaSettings,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    zone: ZoneSettings,
    #[command(flatten)]
    projector: ProjectorSettings,
    /// After how long without a sign of life a projector's partitions go to the others of its group, in milliseconds
    #[arg(long, env = "FOOTFALL_PROJECTOR_SESSION_TIMEOUT_MS", default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(6_000..=300_000))]
    projector_session_timeout_ms: u64,
}

impl Projector {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let (mut kafka, database) = (self.kafka.required()?, self.database.required()?);
        kafka.session_timeout = Duration::from_millis(self.projector_session_timeout_ms);
        let Process { shutdown, readiness } = Process::start(&self.process)?;
        let component = readiness.component("projector");
        let away = |reason| component.not_ready(reason);
        let Some(log) = open_kafka(kafka, shutdown.token(), away).await? else { return Ok(ExitCode::SUCCESS) };
        let stopping = shutdown.clone();
        shutdown.spawn("projector", async move {
            ::projector::run(&self.projector, self.zone.time_zone, database, log, component, &stopping).await
        });
        shutdown.drained().await.map(|()| ExitCode::SUCCESS)
    }
}
