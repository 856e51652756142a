//! What the services agree on: the events on the log, how they are written and read, and the tables of the read model.
//!
//! Nothing in here does I/O. The path of an event through this crate: [`Envelope`] → [`codec::encode`] → the log →
//! [`codec::decode`] → [`Envelope`] again, whatever version it was written in.

pub mod codec;
pub mod durations;
mod envelope;
mod event;
#[doc(hidden)]
pub mod fuzzing;
pub mod limits;
pub mod migrations;
mod partition;
mod position;
pub mod stored;
mod time;

pub use envelope::{ADMIN, Envelope, InvalidSessionId, SessionId, Source};
pub use event::{
    Event, EventType, InteractionCorrected, InteractionKind, InteractionRecorded, PageViewCorrected, PageViewRecorded,
    SessionAnnounced, SessionCorrected,
};
pub use partition::partition_for;
pub use position::{NotAPosition, Position};
pub use time::to_micros;
