//! What nobody sends by mistake, on a running Footfall: each of it is answered by a clear 4xx or a closed connection,
//! costs a bounded amount of memory, and is not noticed by others.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bombs;
mod bystander;
#[path = "../settings/common.rs"]
#[expect(dead_code, reason = "the settings' own tests use the rest")]
mod common;
mod heads;
mod sizes;
mod slow;
mod smuggling;
mod target;
mod wire;
mod words;
