//! A Footfall with everything that its pages can show.

use crate::{
    topics::Topics,
    up::{Up, eventually, footfall, get},
};
use chrono::Utc;
use schema::{Envelope, Event, PageViewRecorded, SessionId, Source, codec, partition_for, to_micros};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    io::Write,
    process::Stdio,
    sync::{Arc, Mutex, Weak},
};
use tempfile::TempDir;
use test_support::{TestDatabase, kafka_brokers, shop::Shop, unique_name};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Who is signed in.
pub const NAME: &str = "ann";
pub const PASSWORD: &str = "correct horse";

/// Somebody with an account that is not staff's.
pub const USER: &str = "bob";

const PARTITIONS: u16 = 4;

/// On a database and a topic of its own.
pub struct Site {
    up: Up,
    topic: String,
    /// The path of a record that is no event.
    pub garbage: String,
    /// The path of a page view that lies where its session does not.
    pub misplaced: String,
    _folder: TempDir,
    // last, so that nobody is connected any more
    database: TestDatabase,
}

impl Site {
    /// One that all tests share which run at the same time: nobody may count what others change.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Site>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        shared.upgrade().unwrap_or_else(|| {
            let site = Arc::new(Self::start());
            *shared = Arc::downgrade(&site);
            site
        })
    }

    /// One that nobody else needs.
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(TestDatabase::create());
        let (folder, url, brokers) = (tempfile::tempdir().unwrap(), database.url(), kafka_brokers());
        let topic = unique_name("people");
        let kafka = ["--kafka-brokers", &brokers, "--kafka-topic", &topic, "--partitions", &PARTITIONS.to_string()];
        let zone = ["--database-url", &url, "--time-zone", "Europe/Berlin"];
        let up = Up::start(folder.path(), &[&kafka[..], &zone].concat());
        add_account(&url, NAME, "staff");
        add_account(&url, USER, "user");
        Shop { days: 10, visits: 60 }.open(&up.address).unwrap();
        let topics = Topics::new(&brokers);
        let home = partition_for(b"lost", PARTITIONS);
        let place = |partition: u16, value: &[u8]| {
            let offset = runtime.block_on(topics.produce(&topic, partition, Some(b"lost"), Some(value)));
            format!("/admin/dead-letters/{partition}/{offset}/")
        };
        let garbage = place(home, b"page_view;https://shop.example/cart");
        let misplaced = place((home + 1) % PARTITIONS, &lost_page_view());
        up.caught_up();
        Self { up, topic, garbage, misplaced, _folder: folder, database }
    }

    /// Waits until a session is seen.
    pub fn until_session(&self, session_id: &str) {
        let path = format!("/sessions/?session_id={}", session_id.replace(' ', "%20"));
        eventually(session_id, || {
            let (status, _, body) = get(self.address(), &path, "");
            let list: serde_json::Value = serde_json::from_str(&body).ok()?;
            (status == 200 && list["count"] == 1).then_some(())
        });
    }

    /// Waits until the database is read.
    pub fn until_read(&self) {
        eventually("a list", || (get(self.address(), "/sessions/", "").0 == 200).then_some(()));
    }

    /// Ends all connections to the database, and lets nobody in.
    pub fn database_goes_away(&self) {
        let name = self.database.options().get_database().unwrap().to_owned();
        self.on_the_server(&[
            format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
            format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"),
        ]);
    }

    pub fn database_comes_back(&self) {
        let name = self.database.options().get_database().unwrap().to_owned();
        self.on_the_server(&[format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")]);
    }

    fn on_the_server(&self, statements: &[String]) {
        Runtime::new().unwrap().block_on(async {
            let mut connection =
                PgConnection::connect_with(&self.database.options().database("postgres")).await.unwrap();
            for statement in statements {
                connection.execute(statement.as_str()).await.unwrap();
            }
        });
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.up.address
    }

    /// How many page views there are that a list finds.
    pub fn page_views(&self, query: &str) -> u64 {
        let (status, _, body) = get(self.address(), &format!("/pageviews/?{query}"), "");
        let list: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        list["count"].as_u64().unwrap_or_else(|| panic!("{status} {body}"))
    }

    /// Waits until so many page views are found.
    pub fn until_page_views(&self, query: &str, count: u64) {
        eventually(query, || (self.page_views(query) == count).then_some(()));
    }
}

/// An account with [`PASSWORD`].
pub fn add_account(database_url: &str, name: &str, role: &str) {
    let mut adding = footfall(["account", "add", name, "--role", role, "--database-url", database_url])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(adding.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(adding.wait().unwrap().success());
}

impl Drop for Site {
    fn drop(&mut self) {
        Topics::new(&kafka_brokers()).delete_later(&self.topic);
    }
}

fn lost_page_view() -> Vec<u8> {
    let now = to_micros(Utc::now());
    codec::encode(&Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse("lost").unwrap(),
        occurred_at: now,
        recorded_at: now,
        source: Source::default(),
        event: Event::PageViewRecorded(PageViewRecorded { url: "https://shop.example/lost-and-found".into() }),
    })
}
