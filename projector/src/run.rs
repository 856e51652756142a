//! The projector's life: get ready, then one worker for each partition that is ours.

use crate::{
    checkpoint,
    health::{Health, postgres_away},
    lease::Lease,
    model::{MadeFor, PrepareError, ReadModel},
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
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

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
    let mut team = Team {
        settings,
        model: model.clone(),
        reader: reader.clone(),
        health: health.clone(),
        workers: JoinSet::new(),
        tokens: HashMap::new(),
        ended: HashSet::new(),
    };
    let result = tokio::select! {
        biased;
        () = token.cancelled() => Ok(()),
        result = team.follow_assignment() => result,
        result = lease.keep(database, &health) => result,
        () = maintain(&model) => Ok(()),
    };
    let all: Vec<u16> = team.tokens.keys().copied().collect();
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
    let pool = database.pool(READ_MODEL_SCHEMA, "footfall projector", settings.projector_connections);
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
        match ReadModel::prepare(pool.clone(), made_for.clone()).await {
            Ok(model) => break Arc::new(model),
            Err(PrepareError::Unavailable(error)) => wait_for_postgres(health, &error),
            Err(error) => return Err(error.into()),
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
    if let Err(error) = slices::make_ahead(&model, Utc::now()).await {
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
        let found = match checkpoint::read(&model.pool, partition).await {
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
        if let Err(error) = slices::make_ahead(model, Utc::now()).await {
            tracing::warn!(%error, "the next months could not be made");
        }
        if let Err(error) = slices::drop_passed_days(model).await {
            tracing::warn!(%error, "days of seen event ids could not be dropped");
        }
    }
}

/// The workers.
struct Team<'a> {
    settings: &'a ProjectorSettings,
    model: Arc<ReadModel>,
    reader: Arc<dyn EventReader>,
    health: Health,
    workers: JoinSet<u16>,
    tokens: HashMap<u16, CancellationToken>,
    /// Workers that ended by themselves, having been told by the log.
    ended: HashSet<u16>,
}

impl Team<'_> {
    async fn follow_assignment(&mut self) -> anyhow::Result<()> {
        let mut waits = backoff();
        loop {
            let change = tokio::select! {
                Some(ended) = self.workers.join_next() => {
                    self.ended.insert(ended.context("a worker failed")?);
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
            let token = CancellationToken::new();
            self.ended.remove(&partition);
            if let Some(before) = self.tokens.insert(partition, token.clone()) {
                before.cancel();
            }
            let worker = Worker {
                model: self.model.clone(),
                reader: self.reader.clone(),
                partition,
                health: self.health.partition(partition),
                limits: self.settings.limits(),
                token,
            };
            self.workers.spawn(async move {
                worker.run().await;
                partition
            });
        }
    }

    /// Ends the workers of these partitions and waits for them.
    async fn let_go(&mut self, partitions: &[u16]) {
        let mut waiting: Vec<u16> = partitions.to_vec();
        for partition in partitions {
            match self.tokens.remove(partition) {
                Some(token) if !self.ended.contains(partition) => token.cancel(),
                _ => waiting.retain(|other| other != partition),
            }
        }
        let ended = async {
            while !waiting.is_empty() {
                match self.workers.join_next().await {
                    Some(Ok(partition)) => waiting.retain(|other| *other != partition),
                    Some(Err(error)) => tracing::error!(%error, "a worker failed"),
                    None => break,
                }
            }
        };
        if tokio::time::timeout(LET_GO_WITHIN, ended).await.is_err() {
            tracing::warn!(?partitions, "workers did not end in time; the checkpoint keeps them from doing harm");
        }
        for partition in partitions {
            self.health.partition(*partition).ready();
        }
    }
}
