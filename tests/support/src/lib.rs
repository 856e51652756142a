//! What the tests share: databases and topics of their own on the engines that `cargo xtask test` has started, a
//! broker to stop and start, a browser, waiting for conditions, random numbers that can be had again.
//!
//! Nothing in here stands in for a broker or a database; where an engine is missing, a test fails and says so.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

mod broker;
pub mod browser;
mod database;
mod database_line;
pub mod http;
pub mod kafka;
mod lines;
pub mod pages;
mod random;
pub mod shop;
mod wait;

pub use broker::{Broker, kafka_brokers, unique_name};
pub use database::{TestDatabase, url_of_data_dir};
pub use database_line::DatabaseLine;
pub use lines::Lines;
pub use random::seeded;
pub use wait::eventually;

use std::path::PathBuf;

/// A Python that has the packages of `xtask/python/requirements.txt`, from `FOOTFALL_TEST_PYTHON`.
pub fn python() -> PathBuf {
    given("FOOTFALL_TEST_PYTHON").into()
}

/// The value of a variable that `cargo xtask test` sets.
fn given(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run the tests with `cargo xtask test`, or keep `cargo xtask engines` running and use the variables it prints")
    })
}
