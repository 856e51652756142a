//! What a command says: its result on standard output, what went wrong on standard error.

use anyhow::Context;
use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

/// Writes the text and a line's end to standard output. Whoever reads it may stop reading: that is no error.
///
/// # Errors
/// When standard output cannot be written, for instance on a full disk.
pub fn say(text: impl Display) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match writeln!(output, "{text}").and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to standard output"),
        _ => Ok(()),
    }
}

/// Writes a line to standard error. Where that fails, there is nobody left to tell.
pub fn complain(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
