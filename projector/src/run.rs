//! The projector's life: get ready, then one worker for each partition that is ours.

use crate::{
    checkpoint,
    crew::Crew,
    health::{Health, postgres_away},
    lease::Lease,
    model::{MadeFor, PrepareError, ReadModel},
    patience::look,
    same_log::{NotTheSameLog, start_offset},
    settings::ProjectorSettings,
    slices,
    worker::Worker,
    write::backoff,
};
use anyhow::{Context, bail};
use chrono::Utc;
use chrono_tz::Tz;
use event_log::{Change, EventLog, EventReader, ReadError, Sharing};
use schema::migrations::READ_MODEL_SCHEMA;
use service::{
    database::{Database, is_refused},
    lifecycle::Shutdown,
    ops::Component,
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::timeout;

/// How often tables are made ahead and dropped behind.
const MAINTENANCE_EVERY: Duration = Duration::from_hours(1);

/// How long workers may take to let go of their partitions before they are stopped where they are.
const LET_GO_WITHIN: Duration = Duration::from_secs(8);

/// Runs the projector until the shutdown begins.
///
/// Waits for the log and for PostgreSQL, for ever, and says so in `component`. An error is one that waiting does not
/// mend: a read model without tables or made for something else, a log that is not the one that was projected.
pub async fn run(
    settings: &ProjectorSettings,
    zone: Tz,
    database: Database,
    log: Arc<dyn EventLog>,
    component: Component,
    shutdown: &Shutdown,
) -> anyhow::Result<()> {
    let health = Health::new(component);
    health.set("start", Some("starting"));
    let token = shutdown.token();
    let result = tokio::select! {
        biased;
        () = token.cancelled() => return Ok(()),
        started = start(settings, zone, &database, &*log, &health) => started,
    };
    let Started { model, lease, reader } = result?;
    health.ready();
    tracing::info!(log = %log.log_id(), partitions = log.partitions(), "projecting");
    let mut team =
        Team { settings, model: model.clone(), reader: reader.clone(), health: health.clone(), crew: Crew::default() };
    let result = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        result = team.follow_assignment() => result,
        result = lease.keep(database, &health) => result,
        () = maintain(&model) => Ok(()),
    };
    let all = team.crew.partitions();
    team.let_go(&all).await;
    reader.close().await;
    model.pool.close().await;
    result
}

struct Started {
    model: Arc<ReadModel>,
    lease: Lease,
    reader: Arc<dyn EventReader>,
}

async fn start(
    settings: &ProjectorSettings,
    zone: Tz,
    database: &Database,
    log: &dyn EventLog,
    health: &Health,
) -> anyhow::Result<Started> {
    let patience = settings.patience();
    let pool = database.writing_pool(
        READ_MODEL_SCHEMA,
        "footfall projector",
        settings.projector_connections,
        patience.statement,
    );
    let made_for = MadeFor {
        zone,
        log_id: log.log_id().clone(),
        partitions: log.partitions(),
        deduplication_days: settings.deduplication_days,
    };
    let mut waits = backoff();
    let lease = loop {
        match Lease::shared(database).await {
            Ok(Some(lease)) => break lease,
            Ok(None) => health.set("start", Some("a rebuild is at work")),
            Err(error) if is_refused(&error) => return Err(error).context("--database-url (FOOTFALL_DATABASE_URL)"),
            Err(error) => wait_for_postgres(health, &error),
        }
        tokio::time::sleep(waits.next().unwrap_or(LET_GO_WITHIN)).await;
    };
    let model = loop {
        match timeout(patience.step, ReadModel::prepare(pool.clone(), made_for.clone())).await {
            Ok(Ok(model)) => break Arc::new(ReadModel { patience, ..model }),
            Err(_) => wait_for_postgres(health, &sqlx::Error::PoolTimedOut),
            Ok(Err(PrepareError::Unavailable(error))) => wait_for_postgres(health, &error),
            Ok(Err(error)) => return Err(error.into()),
        }
        tokio::time::sleep(waits.next().unwrap_or(LET_GO_WITHIN)).await;
    };
    let reader = loop {
        let error = match log.reader(Sharing::Group(settings.projector_group.clone())).await {
            Ok(reader) => match check_all(&model, &*reader).await? {
                None => break reader,
                Some(error) => {
                    reader.close().await;
                    error
                }
            },
            Err(error @ ReadError::Fatal(_)) => return Err(error).context("the log cannot be read"),
            Err(error) => error.to_string(),
        };
        tracing::warn!(error, "waiting");
        health.set("start", Some(&error));
        tokio::time::sleep(waits.next().unwrap_or(LET_GO_WITHIN)).await;
    };
    if let Err(error) = in_time(&model, slices::make_ahead(&model, Utc::now())).await {
        tracing::warn!(%error, "the next months could not be made yet");
    }
    Ok(Started { model, lease, reader })
}

fn wait_for_postgres(health: &Health, error: &sqlx::Error) {
    tracing::warn!(%error, "PostgreSQL is not available, waiting");
    health.set("start", Some(&postgres_away(error)));
}

/// Looks whether the log is the one that was projected, on all partitions, before anything is written. `Some`: that
/// could not be found out now.
async fn check_all(model: &ReadModel, reader: &dyn EventReader) -> anyhow::Result<Option<String>> {
    for partition in 0..model.made_for.partitions {
        let found = match look(checkpoint::read(&model.pool, partition)).await {
            Ok(found) => found,
            Err(error) => return Ok(Some(postgres_away(&error))),
        };
        match start_offset(reader, partition, &found).await {
            Ok(_) => {}
            Err(NotTheSameLog::Read(error @ ReadError::Unavailable(_))) => return Ok(Some(error.to_string())),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// Makes months ahead and drops what is past. What fails is tried again the next time; a batch that needs a month
/// makes it itself.
async fn maintain(model: &ReadModel) {
    loop {
        tokio::time::sleep(MAINTENANCE_EVERY).await;
        if let Err(error) = in_time(model, slices::make_ahead(model, Utc::now())).await {
            tracing::warn!(%error, "the next months could not be made");
        }
        if let Err(error) = in_time(model, slices::drop_passed_days(model)).await {
            tracing::warn!(%error, "days of seen event ids could not be dropped");
        }
    }
}

async fn in_time<T>(model: &ReadModel, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(model.patience.step, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// The workers.
struct Team<'a> {
    settings: &'a ProjectorSettings,
    model: Arc<ReadModel>,
    reader: Arc<dyn EventReader>,
    health: Health,
    crew: Crew,
}

impl Team<'_> {
    async fn follow_assignment(&mut self) -> anyhow::Result<()> {
        let mut waits = backoff();
        loop {
            let change = tokio::select! {
                Some(ended) = self.crew.ended() => {
                    ended.context("a worker failed")?;
                    continue;
                }
                change = self.reader.assignment() => change,
            };
            match change {
                Ok(Change::Assigned(partitions)) => {
                    tracing::info!(?partitions, "assigned");
                    self.health.set("log", None);
                    waits = backoff();
                    self.take(&partitions);
                }
                Ok(Change::Revoked { partitions, done }) => {
                    tracing::info!(?partitions, "revoked");
                    self.let_go(&partitions).await;
                    // nobody waits for it any more when the reader has given up
                    let _ = done.send(());
                }
                Err(error @ ReadError::Unavailable(_)) => {
                    tracing::warn!(%error, "waiting");
                    self.health.set("log", Some(&error.to_string()));
                    tokio::time::sleep(waits.next().unwrap_or(LET_GO_WITHIN)).await;
                }
                Err(error) => bail!("{error}"),
            }
        }
    }

    fn take(&mut self, partitions: &[u16]) {
        for partition in partitions.iter().copied() {
            let (model, reader) = (self.model.clone(), self.reader.clone());
            let (health, limits) = (self.health.partition(partition), self.settings.limits());
            self.crew.put(partition, |token| Worker { model, reader, partition, health, limits, token }.run());
        }
    }

    /// Ends the workers of these partitions.
    async fn let_go(&mut self, partitions: &[u16]) {
        let late = self.crew.let_go(partitions, LET_GO_WITHIN).await;
        if !late.is_empty() {
            tracing::warn!(partitions = ?late, "workers did not end in time and were stopped; nothing is lost by it");
        }
        for partition in partitions {
            self.health.partition(*partition).ready();
        }
    }
}
