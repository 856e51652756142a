//! `footfall up`, from outside: a process, its output, its answers over HTTP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;
mod journeys;
mod kill;
mod named;
mod places;
mod refusals;
