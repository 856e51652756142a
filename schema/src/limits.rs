//! Sizes that more than one service has to agree on.

/// Partitions of a log that nobody chose a number for.
pub const DEFAULT_PARTITIONS: u16 = 12;

/// Partitions that a log may have at most: an id has room for 2^53 / 2^40 of them (see [`crate::Position::id`]).
pub const MAX_PARTITIONS: u16 = 8_192;

/// Largest request body of the three resources, in bytes (contract § 3).
pub const MAX_BODY_BYTES: usize = 2_621_440;

/// Largest body of a batch, in bytes after inflation (contract § 12).
pub const MAX_BATCH_BYTES: usize = 10 * 1024 * 1024;

/// Events of a batch at most (contract § 12).
pub const MAX_BATCH_EVENTS: usize = 2_000;

/// Longest `User-Agent` header that is kept with an event, in characters: a batch repeats it for each of its events.
pub const MAX_SOURCE_USER_AGENT_CHARS: usize = 2_000;

/// Largest record that the log must take, key and headers included, in bytes. Above [`MAX_BODY_BYTES`] because a body
/// grows when it is wrapped into its envelope.
pub const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// Longest `session_id`, in characters.
pub const MAX_SESSION_ID_CHARS: usize = 255;

/// Longest `user_id`, in characters.
pub const MAX_USER_ID_CHARS: usize = 255;

/// Longest `url`, in characters.
pub const MAX_URL_CHARS: usize = 2_000;

/// Longest `element`, in characters.
pub const MAX_ELEMENT_CHARS: usize = 2_000;

/// Deepest nesting of `metadata`, in levels of objects and lists.
pub const MAX_METADATA_DEPTH: usize = 128;
