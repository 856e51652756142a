//! A Footfall where nothing has happened yet, and what can happen to it.

use crate::{
    site::{NAME, add_account},
    up::{JSON, Up, post},
};
use sqlx::{ConnectOptions, Executor, PgConnection};
use tempfile::TempDir;
use test_support::TestDatabase;
use tokio::runtime::Runtime;

/// One process on a database of its own, in which the log is too.
pub struct Fresh {
    up: Option<Up>,
    address: String,
    /// While it is there, the projector cannot write.
    lock: Option<PgConnection>,
    runtime: Runtime,
    folder: TempDir,
    url: String,
    // last, so that nobody is connected any more
    database: TestDatabase,
}

impl Fresh {
    pub fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(TestDatabase::create());
        let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
        let up = Up::start(folder.path(), &["--database-url", &url]);
        add_account(&url, NAME, "staff");
        let address = up.address.clone();
        Self { up: Some(up), address, lock: None, runtime, folder, url, database }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Somebody looks at a page, which is seen.
    pub fn is_looked_at(&self) {
        self.takes_a_page_view();
        self.up.as_ref().unwrap().caught_up();
    }

    /// From here on nothing is brought in any more; an event has been waiting for that for ten minutes.
    pub fn falls_behind(&mut self) {
        self.lock = Some(self.tells("BEGIN; LOCK TABLE footfall.checkpoint IN SHARE MODE"));
        self.takes_a_page_view();
        self.tells("UPDATE footfall_log.record SET appended_at = appended_at - interval '10 minutes'");
    }

    /// As `kill -9` does.
    pub fn dies(&mut self) {
        self.up.take().unwrap().kill();
    }

    /// At the same address.
    pub fn comes_back(&mut self) {
        self.up = Some(Up::start_at(&self.address, self.folder.path(), &["--database-url", &self.url]));
    }

    /// The connection on which the database was told this.
    fn tells(&self, sql: &str) -> PgConnection {
        self.runtime.block_on(async {
            let mut connection = self.database.options().connect().await.unwrap();
            connection.execute(sql).await.unwrap();
            connection
        })
    }

    fn takes_a_page_view(&self) {
        let body = r#"{"session_id": "first", "url": "https://shop.example/"}"#;
        assert_eq!(post(&self.address, "/pageviews/", JSON, body).0, 202);
    }
}
