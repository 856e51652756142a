//! What the tests of the services apart share: the program as processes, requests to them, and a place for them to
//! work in.

mod http;
mod place;
mod process;
mod topics;

pub use http::{get, post, request, send};
pub use place::Place;
pub use process::{Ended, Process};
pub use topics::Topics;

use std::{env, time::Duration};

/// Long enough for a machine that is busy with other tests.
pub const SOON: Duration = Duration::from_mins(1);

/// How many events a load sends: 20,000, or what `FOOTFALL_TEST_EVENTS` says.
pub fn events() -> u64 {
    number("FOOTFALL_TEST_EVENTS", 20_000)
}

/// How often a process is killed: 4 times, or what `FOOTFALL_TEST_KILLS` says.
pub fn kills() -> u64 {
    number("FOOTFALL_TEST_KILLS", 4)
}

fn number(variable: &str, otherwise: u64) -> u64 {
    env::var(variable).ok().map_or(otherwise, |value| value.parse().unwrap())
}
