//! People with a browser, in front of a Footfall with the visitors of a small shop: the ways they go, and whether every
//! page can be read and used by all of them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod analyst;
mod coming_in;
mod everybody;
mod fresh;
mod keyboard;
mod live;
mod narrow;
mod newcomer;
mod operator;
mod paper;
mod person;
mod refusals;
mod site;
mod states;
#[path = "../apart/common/topics.rs"]
#[expect(dead_code, reason = "the tests of the services use the rest")]
mod topics;
#[path = "../up/common.rs"]
#[expect(dead_code, reason = "the tests of `up` use the rest")]
mod up;
mod weight;

/// Long enough for a machine that is busy with other tests.
const SOON: std::time::Duration = std::time::Duration::from_mins(1);
