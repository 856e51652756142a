//! Settings of access, throttle and origins by what they do, on running services.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod ending;
mod help;
mod limits;
mod origins;
mod own_postgres;
mod people;
mod resources;
mod starting;
