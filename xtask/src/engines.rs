use crate::{needs::Needs, parts::Parts};
use anyhow::Context;
use local_postgres::{LocalPostgres, Settings};
use sqlx::ConnectOptions;
use std::{
    fs::{self, File, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
};
use tempfile::TempDir;
use test_support::kafka::{Node, NodeSettings};

/// The folders of all runs begin so.
const PREFIX: &str = "footfall-engines-";

/// Tests run at the same time, each with pools of its own.
const CONNECTIONS: u16 = 300;

/// PostgreSQL and Apache Kafka, with data in a temporary folder. Gone with the value.
pub(crate) struct Engines {
    kafka: Node,
    postgres: LocalPostgres,
    needs: Needs,
    // last, so that nobody writes in it any more
    _folder: Folder,
}

impl Engines {
    /// Starts both at once.
    pub(crate) async fn start(needs: Needs) -> anyhow::Result<Self> {
        let folder = Folder::make()?;
        let mut settings = Settings::new(folder.path().join("data"));
        settings.max_connections = CONNECTIONS;
        let kafka = NodeSettings {
            classpath: classpath(&needs.jars),
            folder: folder.path().join("kafka"),
            heap: 512,
            short_lived: false,
        };
        let postgres = async { LocalPostgres::start(settings).await.context("PostgreSQL") };
        let kafka = async { Node::start(kafka).await.context("Apache Kafka") };
        let (postgres, kafka) = tokio::try_join!(postgres, kafka)?;
        Ok(Self { kafka, postgres, needs, _folder: folder })
    }

    /// A database on which others can be made.
    pub(crate) fn database_url(&self) -> String {
        self.postgres.options().to_url_lossy().into()
    }

    /// What the tests want to be told.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let variable = |name: &str, value: String| (format!("FOOTFALL_TEST_{name}"), value);
        vec![
            variable("DATABASE_URL", self.database_url()),
            variable("KAFKA_BROKERS", self.kafka.brokers()),
            variable("KAFKA_CLASSPATH", classpath(&self.needs.jars)),
            variable("PYTHON", self.needs.python.display().to_string()),
            variable("AXE", self.needs.axe.display().to_string()),
        ]
    }

    /// Stops both in order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        let Self { mut kafka, postgres, needs: _, _folder } = self;
        let (kafka, postgres) = tokio::join!(kafka.stop(), postgres.stop());
        kafka?;
        Ok(postgres?)
    }
}

fn classpath(jars: &Path) -> String {
    format!("{}/*", jars.display())
}

/// `cargo xtask engines`.
pub(crate) async fn keep(interrupted: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    let packages = crate::tools::check()?;
    let mut interrupted = std::pin::pin!(interrupted);
    let mut parts = Parts::default();
    let start = async {
        let needs = parts.run("what the tests need", Needs::fetch(packages)).await?;
        parts.run("start of the engines", Engines::start(needs)).await
    };
    let engines = tokio::select! {
        engines = start => engines?,
        () = &mut interrupted => return Ok(ExitCode::FAILURE),
    };
    for (name, value) in engines.variables() {
        println!("export {name}='{value}'");
    }
    eprintln!("they run until Ctrl-C");
    interrupted.await;
    engines.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// A temporary folder that says by a lock whether its owner lives; what a killed one left is removed by the next.
struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let parent = std::env::temp_dir();
        remove_left_over(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(&parent)?;
        let lock = File::create(folder.path().join("lock"))?;
        lock.lock()?;
        // PostgreSQL may run as another user, who has to pass
        fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        Ok(Self { folder, _lock: lock })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_left_over(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX)
            && File::open(entry.path().join("lock")).is_ok_and(|lock| lock.try_lock().is_ok())
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            eprintln!("{} is left over and cannot be removed: {error}", entry.path().display());
        }
    }
}
