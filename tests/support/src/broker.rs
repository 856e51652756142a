use crate::{
    given,
    kafka::{Node, NodeSettings},
};
use tempfile::TempDir;

/// `host:port` of the broker that all tests share, from `FOOTFALL_TEST_KAFKA_BROKERS`.
pub fn kafka_brokers() -> String {
    given("FOOTFALL_TEST_KAFKA_BROKERS")
}

/// A name that no other test has used: for topics, groups, databases.
pub fn unique_name(prefix: &str) -> String {
    format!("{prefix}-{}", uuid::Uuid::now_v7().simple())
}

/// An Apache Kafka broker of a test's own, to be stopped and started. Killed, and its data removed, when dropped.
#[derive(Debug)]
pub struct Broker {
    node: Node,
    // after the node, so that the folder goes when nobody writes in it any more
    _folder: TempDir,
}

impl Broker {
    /// Starts an empty one and waits until topics can be made on it, which takes a few seconds.
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("footfall-broker-").tempdir().unwrap();
        let settings = NodeSettings {
            classpath: given("FOOTFALL_TEST_KAFKA_CLASSPATH"),
            folder: folder.path().to_owned(),
            heap: 256,
            short_lived: true,
        };
        Self { node: Node::start(settings).await.unwrap(), _folder: folder }
    }

    /// `host:port`, the same for the broker's whole life.
    pub fn brokers(&self) -> String {
        self.node.brokers()
    }

    /// SIGTERM, and waits until it is gone.
    pub async fn stop(&mut self) {
        self.node.stop().await.unwrap();
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.node.kill();
    }

    /// Starts it on the same ports with the same data, and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.node.start_again().await.unwrap();
    }
}
