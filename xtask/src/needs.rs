use crate::{debian, jars, npm, python};
use std::path::PathBuf;

/// What is fetched for the tests.
pub(crate) struct Needs {
    /// The folder of Apache Kafka's jars.
    pub jars: PathBuf,
    /// A Python with the packages of the clients.
    pub python: PathBuf,
    /// axe-core, as one file.
    pub axe: PathBuf,
}

impl Needs {
    /// Installs these packages, and fetches what is not there from the last time.
    pub(crate) async fn fetch(packages: Vec<&'static str>) -> anyhow::Result<Self> {
        // Maven is never among the packages, the others may be
        let others = async {
            if !packages.is_empty() {
                debian::install(packages).await?;
            }
            tokio::try_join!(python::environment(), npm::axe())
        };
        let (jars, (python, axe)) = tokio::try_join!(jars::kafka(), others)?;
        Ok(Self { jars, python, axe })
    }
}
