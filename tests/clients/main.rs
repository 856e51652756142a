//! The examples of `docs/clients.md`, and the import of `docs/differences.md`, run as they stand there against a running Footfall, and what it has recorded then.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod browsers;
mod django;
mod examples;
mod importing;
mod network;
mod pages;
mod python;
mod shell;
mod site;
#[path = "../up/common.rs"]
#[expect(dead_code, reason = "the tests of `up` use the rest")]
mod up;
