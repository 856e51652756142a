//! The services apart, as processes of their own, on Apache Kafka and PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod dead_letters;
mod leaving;
mod outages;
mod projectors;
mod roles;
mod starting;
mod way;
