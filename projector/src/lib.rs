//! Log in, read model out: the projector, rebuild, verify and dead letters.
//!
//! The path of a record: the worker reads it → [`projection`] decides what it is and what it changes → [`mod@write`]
//! commits its batch in one transaction that begins with the [`checkpoint`].

pub mod checkpoint;
mod crew;
pub mod dead_letters;
pub mod dimensions;
pub mod health;
pub mod lease;
pub mod metrics;
pub mod model;
pub mod patience;
pub mod progress;
pub mod projection;
pub mod rebuild;
mod run;
pub mod same_log;
mod scan;
mod settings;
pub mod slices;
pub mod user_agent;
pub mod verify;
mod worker;
pub mod write;
pub mod zone;

pub use progress::Progress;
pub use rebuild::{RebuildError, RebuildOptions, RebuildReport, rebuild};
pub use run::run;
pub use settings::{Limits, ProjectorSettings};
pub use verify::{VerifyOptions, VerifyReport, verify};
pub use worker::Worker;
