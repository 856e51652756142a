//! The admin over HTTP: on a real PostgreSQL and a log in it, with the projector as it runs in a process.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod changing;
mod hostile;
mod log_lines;
mod looking;
mod moving;
mod permissions;
mod site;
