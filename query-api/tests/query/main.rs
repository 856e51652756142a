//! query-api over HTTP, as a process serves it, on a real PostgreSQL with a read model that the projector has written.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod access;
mod common;
mod details;
mod freshness;
mod hostile;
mod lists;
mod model;
mod numbers;
mod outage;
mod paging;
mod report;
mod report_asked;
mod report_narrowed;
mod report_size;
mod sign_in;
