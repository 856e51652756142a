use crate::{debian, jars, python};
use std::path::PathBuf;

/// What is fetched for the tests.
pub(crate) struct Needs {
    /// The folder of Apache Kafka's jars.
    pub jars: PathBuf,
    /// A Python with the packages of the clients.
    pub python: PathBuf,
}

impl Needs {
    /// Installs these packages, and fetches what is not there from the last time.
    pub(crate) async fn fetch(packages: Vec<&'static str>) -> anyhow::Result<Self> {
        let python = async {
            if !packages.is_empty() {
                debian::install(packages).await?;
            }
            python::environment().await
        };
        let (jars, python) = tokio::try_join!(jars::kafka(), python)?;
        Ok(Self { jars, python })
    }
}
