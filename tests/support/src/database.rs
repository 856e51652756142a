use crate::{broker::unique_name, given};
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::path::Path;

/// The address of the server that `footfall up` or a test runs on this data directory, for a process of its own.
pub fn url_of_data_dir(folder: &Path) -> String {
    let password = std::fs::read_to_string(folder.join("postgres.password")).unwrap();
    let socket = folder.join("socket").to_str().unwrap().replace('/', "%2F");
    format!("postgres://footfall:{}@localhost/footfall?host={socket}", password.trim())
}

/// An empty database of a test's own; dropped with the value.
pub struct TestDatabase {
    name: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// Makes one on the server of `FOOTFALL_TEST_DATABASE_URL`.
    pub async fn create() -> Self {
        let server: PgConnectOptions = given("FOOTFALL_TEST_DATABASE_URL").parse().unwrap();
        let name = unique_name("test").replace(['-', '.'], "_");
        let mut connection = PgConnection::connect_with(&server).await.unwrap();
        connection.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
        Self { name, server }
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// The same as an address, for a process of its own.
    pub fn url(&self) -> String {
        let mut url = given("FOOTFALL_TEST_DATABASE_URL");
        let (base, query) =
            url.split_once('?').map_or((url.clone(), String::new()), |(b, q)| (b.into(), format!("?{q}")));
        let at = base.rfind('/').unwrap();
        url = format!("{}/{}{query}", &base[..at], self.name);
        url
    }

    /// A pool of a few connections.
    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(4).connect_with(self.options()).await.unwrap()
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // a thread with a runtime of its own: the test's runtime may be gone or be busy with this very drop
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&server).await?;
                connection.execute(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)").as_str()).await.map(drop)
            })
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("could not drop {}: {error}", self.name);
        }
    }
}
