//! Running Apache Kafka: one node in KRaft mode, from published jars. Shared by `cargo xtask`, which runs the broker of
//! all tests, and by [`crate::Broker`].

mod java;
mod node;
mod probe;
mod properties;

pub use java::java;
pub use node::{Node, NodeSettings};
