//! The services' roles in PostgreSQL: each may do what its service needs, and nothing else, before and after a rebuild.

use crate::common::{Ended, Place, Process, SOON, post};
use schema::migrations::READ_MODEL_SCHEMA;
use serde_json::json;
use sqlx::{Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{fs, process::Command};
use tempfile::TempDir;
use test_support::{eventually, unique_name};

const PASSWORD: &str = "it's a \"secret\" \\ 'of' some length";

/// What each may do, and what PostgreSQL is to forbid.
const MARK: &str = "INSERT INTO footfall_accounts.dead_letter_mark (log_id, partition, \"offset\", mark, account)
                    VALUES ('x', 0, 0, 'sent', 'ann') ON CONFLICT DO NOTHING";
const OF_QUERY_API: &[&str] = &[
    "SELECT count(*) FROM session JOIN page_view ON page_view.session = session.id",
    "SELECT count(*) FROM _sqlx_migrations",
    "SELECT fold('A')",
    "INSERT INTO footfall_accounts.account (name, role) VALUES ('bob', 'user') ON CONFLICT DO NOTHING",
    "UPDATE footfall_accounts.account SET role = 'staff' WHERE name = 'bob'",
    "DELETE FROM footfall_accounts.spent_token WHERE expires_at < now()",
    MARK,
];
const OF_PROJECTOR: &[&str] = &[
    "INSERT INTO url (hash, text) VALUES ('\\x00', 'x') ON CONFLICT DO NOTHING",
    "UPDATE checkpoint SET caught_up_at = now() WHERE next_offset < 0",
    "DELETE FROM url WHERE text = 'x'",
    "CREATE TABLE page_view_1999_01 (LIKE page_view INCLUDING DEFAULTS)",
    "ALTER TABLE page_view ATTACH PARTITION page_view_1999_01
     FOR VALUES FROM ('1999-01-01 00:00:00+00') TO ('1999-02-01 00:00:00+00')",
    "DROP TABLE page_view_1999_01",
];
const OF_NEITHER: &[&str] = &[
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "DROP TABLE session",
    "ALTER TABLE session ADD COLUMN mine text",
    "TRUNCATE session",
    "INSERT INTO skip (partition, \"offset\") VALUES (0, 0)",
    "DELETE FROM _sqlx_migrations",
    "SELECT * FROM footfall_accounts.service_role",
    "UPDATE footfall_accounts._sqlx_migrations SET success = false",
    "COPY session TO PROGRAM 'cat'",
];
const NOT_OF_QUERY_API: &[&str] = &[
    "INSERT INTO url (hash, text) VALUES ('\\x01', 'y')",
    "UPDATE session SET user_id = 'ann'",
    "DELETE FROM page_view",
    "UPDATE checkpoint SET next_offset = 0",
    "CREATE TABLE mine (a int)",
    "ALTER TABLE page_view ADD COLUMN mine text",
];
const NOT_OF_PROJECTOR: &[&str] = &[
    "SELECT password_hash FROM footfall_accounts.account",
    "INSERT INTO footfall_accounts.account (name, role) VALUES ('eve', 'staff')",
    "DELETE FROM footfall_accounts.spent_token",
    MARK,
];

/// A place whose database belongs to somebody who is no superuser, with roles that no other test has.
struct Site {
    place: Place,
    server: PgConnectOptions,
    owner: String,
    projector: String,
    query_api: String,
    folder: TempDir,
}

impl Site {
    async fn new() -> Self {
        let place = Place::new().await;
        let server: PgConnectOptions = place.database_url.parse().unwrap();
        let [owner, projector, query_api] = ["owner", "projector", "query"].map(unique_name);
        let folder = tempfile::tempdir().unwrap();
        let site = Self { place, server, owner, projector, query_api, folder };
        let name = site.server.get_database().unwrap();
        let quoted = PASSWORD.replace('\'', "''");
        site.as_superuser(&format!("CREATE ROLE \"{}\" LOGIN CREATEROLE", site.owner)).await;
        site.as_superuser(&format!("ALTER ROLE \"{}\" PASSWORD '{quoted}'", site.owner)).await;
        site.as_superuser(&format!("ALTER DATABASE \"{name}\" OWNER TO \"{}\"", site.owner)).await;
        fs::write(site.folder.path().join("password"), format!("{PASSWORD}\n")).unwrap();
        site
    }

    async fn as_superuser(&self, statement: &str) {
        let mut server = PgConnection::connect_with(&self.server).await.unwrap();
        server.execute(statement).await.unwrap();
        server.close().await.unwrap();
    }

    fn password_file(&self) -> String {
        self.folder.path().join("password").to_str().unwrap().to_owned()
    }

    /// The program as this role.
    fn command(&self, role: &str, arguments: &[&str]) -> Command {
        let mut command = self.place.command(arguments);
        let (_, server) = self.place.database_url.split_once('@').unwrap();
        command
            .env("FOOTFALL_DATABASE_URL", format!("postgres://{role}@{server}"))
            .env("FOOTFALL_DATABASE_PASSWORD_FILE", self.password_file());
        command
    }

    fn start(&self, role: &str, arguments: &[&str]) -> Process {
        Process::start(arguments[0], self.command(role, arguments))
    }

    async fn run(&self, role: &str, arguments: &[&str]) -> Ended {
        self.start(role, arguments).ended().await
    }

    async fn connect(&self, role: &str) -> PgConnection {
        let options = self.server.clone().username(role).password(PASSWORD);
        PgConnection::connect_with(&options.options([("search_path", READ_MODEL_SCHEMA)])).await.unwrap()
    }

    async fn each_may_what_it_needs_alone(&self) {
        for (role, allowed, forbidden) in
            [(&self.query_api, OF_QUERY_API, NOT_OF_QUERY_API), (&self.projector, OF_PROJECTOR, NOT_OF_PROJECTOR)]
        {
            let mut connection = self.connect(role).await;
            for statement in allowed {
                connection.execute(*statement).await.unwrap_or_else(|error| panic!("{role}: {statement}: {error}"));
            }
            for statement in forbidden.iter().chain(OF_NEITHER) {
                let error = connection.execute(*statement).await.err();
                let error = error.unwrap_or_else(|| panic!("{role} may: {statement}"));
                let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
                assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {error}");
            }
            connection.close().await.unwrap();
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // what belongs to the roles goes with the database; they themselves belong to the server
        let name = self.server.get_database().unwrap().to_owned();
        let server = self.server.clone().database("postgres");
        let roles =
            [&self.projector, &self.query_api, &self.owner].map(|role| format!("DROP ROLE IF EXISTS \"{role}\""));
        let drop_all = async move {
            let mut connection = PgConnection::connect_with(&server).await?;
            connection.execute(format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)").as_str()).await?;
            for role in roles {
                connection.execute(role.as_str()).await?;
            }
            Ok::<_, sqlx::Error>(())
        };
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(drop_all)
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("could not drop the roles: {error}");
        }
    }
}

#[tokio::test]
async fn a_services_role_may_do_what_the_service_needs_and_nothing_else() {
    let site = Site::new().await;
    let file = site.password_file();
    let with_roles = [
        "migrate",
        "--partitions=2",
        "--projector-role",
        &site.projector,
        "--projector-password-file",
        &file,
        "--query-api-role",
        &site.query_api,
        "--query-api-password-file",
        &file,
    ];
    site.run(&site.owner, &with_roles).await.well();
    site.each_may_what_it_needs_alone().await;
    // a second time, and by somebody who says nothing of roles: nothing changes
    site.run(&site.owner, &with_roles).await.well();
    site.run(&site.owner, &["migrate"]).await.well();

    for session in ["before the rebuild", "after it"] {
        let mut ingest = site.start("nobody", &["ingest", "--partitions=2"]);
        let mut projector = site.start(&site.projector, &["projector", "--partitions=2"]);
        let mut query_api = site.start(&site.query_api, &["query-api", "--partitions=2"]);
        for service in [&mut ingest, &mut projector, &mut query_api] {
            service.until_ready().await;
        }
        let event = json!({"session_id": session, "url": "https://shop.example/"});
        assert_eq!(post(ingest.address("http").await, "/pageviews/", &event).await.status, 202);
        let path = format!("/sessions/?session_id={}", session.replace(' ', "%20"));
        site.place.until_listed(query_api.address("http").await, &path, 1).await;
        for service in [ingest, projector, query_api] {
            service.stop().await;
        }
        site.each_may_what_it_needs_alone().await;
        eventually("nobody holds the read model any more, and it is rebuilt", SOON, async || {
            (site.run(&site.owner, &["rebuild"]).await.code == Some(0)).then_some(())
        })
        .await;
        site.each_may_what_it_needs_alone().await;
    }
    site.run(&site.owner, &["verify"]).await.well();

    for (role, command) in [(&site.query_api, "migrate"), (&site.projector, "migrate"), (&site.projector, "rebuild")] {
        let ended = site.run(role, &[command]).await;
        assert_eq!(ended.code, Some(1), "{role} may {command}: {ended:?}");
        assert!(ended.last_line().contains("permission denied"), "{role}: {command}: {ended:?}");
    }
}
