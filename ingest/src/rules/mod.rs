//! What a value has to be: the rules that ingest shares with the admin, and its own for times.

pub(crate) use ::rules::{Messages, NULL, REQUIRED, address, message, metadata, string, surrogate_message, text, url};

pub(crate) mod time;
