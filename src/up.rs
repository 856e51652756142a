//! `footfall up`: everything in one process.

use crate::{
    description,
    output::say,
    process::{self, Process},
    secret,
    sign_in_link::where_to_look,
    stores::{StoreSettings, migrate_tables, migrate_topic, named},
};
use ::ingest::IngestSettings;
use ::projector::ProjectorSettings;
use ::query_api::{QueryApi, QuerySettings};
use anyhow::Context;
use chrono::Utc;
use event_log::{
    EventLog, EventWriter, Sharing,
    kafka::KafkaLog,
    postgres::{PostgresLog, PostgresLogSettings},
};
use local_postgres::{LocalPostgres, State};
use service::{
    access::Keys,
    database::Database,
    gate::Access,
    http,
    lifecycle::one_line,
    ops::Component,
    resource::Resource,
    settings::{KeySettings, ListenSettings, ProcessSettings, ZoneSettings, warn_if_open},
    throttle::ThrottleSettings,
};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::{net::TcpSocket, sync::watch, time::timeout};

/// Connections for what runs beside `up`: verify, rebuild, a person who looks; and those that PostgreSQL keeps back.
const SPARE_CONNECTIONS: u32 = 30;

/// A part that takes longer to be ready does not keep the greeting back.
const GREET_WITHIN: Duration = Duration::from_secs(5);

/// What decides which PostgreSQL is run; local-postgres reads it, for every command that may start one.
const ABOUT_POSTGRESQL: &str = "Without --database-url a PostgreSQL of its own is run: the one of FOOTFALL_PG_BIN (the folder \
of `postgres` and `initdb`), else one that is installed, else one that is fetched once, from FOOTFALL_PG_ARCHIVE (a file, or \
the address of a jar as zonky's embedded-postgres-binaries are) if that is set; FOOTFALL_PG_ARCHIVE_SHA256 is compared with \
its sum.";

/// Run everything in one process, on servers of its own or on yours.
#[derive(clap::Args)]
#[command(after_help = ABOUT_POSTGRESQL)]
pub struct Up {
    #[command(flatten)]
    listen: ListenSettings,
    #[command(flatten)]
    process: ProcessSettings,
    #[command(flatten)]
    stores: StoreSettings,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    zone: ZoneSettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
    #[command(flatten)]
    ingest: IngestSettings,
    #[command(flatten)]
    projector: ProjectorSettings,
    #[command(flatten)]
    query: QuerySettings,
}

impl Up {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        // what is wrong with a setting is said before anything is made
        self.query.check().map_err(anyhow::Error::msg)?;
        self.keys.keys()?;
        self.stores.kafka.log_settings()?;
        let database = self.stores.database.database()?;
        let port = process::reserve(&self.listen)?;
        let process = Process::start(&self.process)?;
        // from here on, so that nothing that is ready earlier is taken for all of it
        let listening = process.readiness.component("http");
        let data_dir = local_postgres::prepare_data_dir(&self.stores.data_dir.path()?)?;
        let own = match database {
            Some(_) => None,
            None => Some(start_postgres(&data_dir, self.connections()?, &process).await?),
        };
        let ended = match own {
            // told to stop while the database was starting
            Some(None) => Ok(()),
            own => {
                let own = own.flatten();
                let ended = self.run_on(&process, (port, listening), own.as_ref(), &data_dir).await;
                // the database goes last: whoever uses it has ended by now
                if let Some(own) = own {
                    own.stop().await?;
                }
                ended
            }
        };
        ended.map(|()| ExitCode::SUCCESS)
    }

    /// Connections that the parts of the process take at most, and some to spare. No setting goes so far that it is not
    /// possible.
    fn connections(&self) -> anyhow::Result<u16> {
        let parts = [
            self.query.connections(),
            self.projector.connections(),
            event_log::postgres::CONNECTIONS,
            SPARE_CONNECTIONS,
        ];
        Ok(u16::try_from(parts.iter().sum::<u32>())?)
    }

    async fn run_on(
        self,
        process: &Process,
        port: (TcpSocket, Component),
        own: Option<&LocalPostgres>,
        data_dir: &Path,
    ) -> anyhow::Result<()> {
        let database = match own {
            Some(own) => Database::new(own.options()),
            None => self.stores.database.required()?,
        };
        let keys = secret::keys_or_make(&self.keys, data_dir)?;
        let Some(log) = process.shutdown.token().run_until_cancelled(self.open_log(&database)).await else {
            return Ok(());
        };
        let log = log?;
        let writer = log.writer().await?;
        let started = self.start_parts(process, port, &database, &keys, log, Arc::clone(&writer)).await;
        if let Err(error) = started {
            process.shutdown.begin();
            let _ = process.shutdown.drained().await;
            writer.close().await;
            return Err(error);
        }
        let ended = process.shutdown.drained().await;
        writer.close().await;
        ended
    }

    async fn open_log(&self, database: &Database) -> anyhow::Result<Arc<dyn EventLog>> {
        let kafka = self.stores.kafka.definite()?;
        let migrated = migrate_tables(database, kafka.is_none()).await;
        // of a database of our own no setting is to blame
        match self.stores.database.database()? {
            Some(_) => migrated.context("--database-url (FOOTFALL_DATABASE_URL)")?,
            None => migrated?,
        }
        if let Some(kafka) = kafka {
            migrate_topic(&kafka, 1).await?;
            return Ok(Arc::new(KafkaLog::open(kafka).await.map_err(named)?));
        }
        let settings = PostgresLogSettings {
            partitions: self.stores.kafka.partitions.unwrap_or(schema::limits::DEFAULT_PARTITIONS),
            append_deadline: Duration::from_millis(self.stores.kafka.append_deadline_ms),
            ..PostgresLogSettings::default()
        };
        Ok(Arc::new(PostgresLog::open(database.options().clone(), settings).await?))
    }

    async fn start_parts(
        self,
        process: &Process,
        (port, listening): (TcpSocket, Component),
        database: &Database,
        keys: &Keys,
        log: Arc<dyn EventLog>,
        writer: Arc<dyn EventWriter>,
    ) -> anyhow::Result<()> {
        let Process { shutdown, readiness } = process;
        let zone = self.zone.time_zone;
        let [taking, answering, projecting] =
            ["event log", "read model", "projector"].map(|part| readiness.component(part));
        let (read, write) = (
            Resource::ALL.map(|resource| self.query.read_access.get(resource)),
            Resource::ALL.map(|resource| self.ingest.write_access(resource)),
        );
        let access = Access { read: Some(read), write: Some(write) };
        let ingest = ::ingest::Ingest::new(self.ingest, zone, Arc::clone(&writer), shutdown.clone());
        shutdown.spawn("ingest", ingest.clone().watch_readiness(taking));

        let heads = log.reader(Sharing::Alone).await?;
        let query = QueryApi::new(self.query, zone, database, keys.clone(), &self.listen.base_path, Some(heads))
            .writing_to(writer);
        let (watched, stopping) = (query.clone(), shutdown.token().clone());
        shutdown.spawn("query-api", async move { watched.watch_readiness(answering, stopping).await });

        let (database, stopping) = (database.clone(), shutdown.clone());
        shutdown.spawn("projector", async move {
            ::projector::run(&self.projector, zone, database, log, projecting, &stopping).await
        });

        warn_if_open(self.listen.listen, access);
        let routes = ingest.routes().merge(query.routes(&description::openapi()));
        let app = process::app(routes, &self.listen, keys.clone(), access, &self.throttle);
        let listener = process::open(port)?;
        let address = listener.local_addr()?;
        http::spawn_server("http", listener, app, shutdown);
        listening.ready();
        // settings that do not fit the read model end the process here, before anybody is told that it is up
        let ready = timeout(GREET_WITHIN, readiness.all_ready());
        if shutdown.token().run_until_cancelled(ready).await.is_none() {
            return Ok(());
        }
        greet(address, &self.listen.base_path, &::query_api::accounts::issue_link(keys, Utc::now()));
        Ok(())
    }
}

async fn start_postgres(
    data_dir: &Path,
    max_connections: u16,
    process: &Process,
) -> anyhow::Result<Option<LocalPostgres>> {
    let component = process.readiness.component("PostgreSQL");
    let settings = local_postgres::Settings { max_connections, ..local_postgres::Settings::new(data_dir) };
    let start = LocalPostgres::start(settings);
    let Some(started) = process.shutdown.token().run_until_cancelled(start).await else { return Ok(None) };
    let postgres = started?;
    let (state, stopping) = (postgres.state(), process.shutdown.token().clone());
    process.shutdown.spawn("PostgreSQL", async move {
        stopping.run_until_cancelled(tell_state(state, component)).await;
        Ok(())
    });
    Ok(Some(postgres))
}

/// Keeps the readiness in step with our own PostgreSQL: others see only that it is away, and this one why.
async fn tell_state(mut state: watch::Receiver<State>, component: Component) {
    loop {
        match &*state.borrow_and_update() {
            State::Running => component.ready(),
            State::Restarting { reason } => component.not_ready(reason),
            State::Stopped => component.not_ready("stopped"),
        }
        if state.changed().await.is_err() {
            // nobody looks after it any more: the end of the process is near
            return std::future::pending().await;
        }
    }
}

/// Where to look, and a line to paste.
fn greet(mut address: SocketAddr, base: &str, link: &str) {
    // "any address" is none that a browser could go to
    match address.ip() {
        IpAddr::V4(any) if any.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(any) if any.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let site = format!("http://{address}{base}");
    let event = r#"{"session_id": "first", "url": "https://shop.example/"}"#;
    let told = say(format_args!(
        "Footfall is up.\n\n{}\n\n  \
         Send a first event:\n\n    curl -X POST {site}/pageviews/ -H 'Content-Type: application/json' -d '{event}'\n\n  Ctrl-C stops it.",
        where_to_look(&site, link)
    ));
    // nobody reads it, and everything works all the same
    if let Err(error) = told {
        tracing::warn!(error = one_line(&error), "the greeting could not be shown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        up: Up,
    }

    #[test]
    fn its_own_postgresql_has_room_for_what_the_settings_ask_for() {
        let room = |arguments: &[&str]| {
            let up =
                Command::try_parse_from([&["up"], arguments].concat()).unwrap_or_else(|error| panic!("{error}")).up;
            i64::from(up.connections().unwrap())
        };
        let usual = room(&[]);
        assert_eq!(room(&["--query-connections", "200", "--projector-connections", "100"]) - usual, 192 + 94);
        // verify takes three, rebuild those of a projector; and PostgreSQL keeps three back
        assert!(usual >= (8 + 2) + (6 + 1) + 8 + 3 + 7 + 3, "{usual}");
    }
}
