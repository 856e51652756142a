//! Lists and details as clients narrow, order, count and walk them, by the sections of the contract: over the routes
//! that a process serves, on a real PostgreSQL with rows that the projector has written.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod counts;
mod cursors;
mod errors;
mod events;
mod indexes;
mod search;
mod sessions;
mod settings;
mod site;
mod times;
