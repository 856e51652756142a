//! How far a long command has come: a bar on a terminal, a line now and then elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows how far a command has come, on standard error.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    lines: Option<Mutex<Instant>>,
    what: Mutex<&'static str>,
    total: AtomicU64,
    done: AtomicU64,
}

impl Progress {
    /// A bar when standard error is a terminal, else plain lines.
    pub fn visible() -> Self {
        if std::io::stderr().is_terminal() {
            Self::new(ProgressBar::no_length(), None)
        } else {
            Self::new(ProgressBar::hidden(), Some(Mutex::new(Instant::now())))
        }
    }

    /// Nothing at all.
    pub fn silent() -> Self {
        Self::new(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()), None)
    }

    fn new(bar: ProgressBar, lines: Option<Mutex<Instant>>) -> Self {
        Self { bar, lines, what: Mutex::new(""), total: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// A new part of the work begins, of `total` records.
    pub fn begin(&self, what: &'static str, total: u64) {
        *self.what.lock().unwrap_or_else(PoisonError::into_inner) = what;
        self.total.store(total, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
        if let Ok(style) = style {
            self.bar.set_style(style);
        }
        self.bar.set_message(what);
        self.bar.set_length(total);
        self.bar.set_position(0);
        if self.lines.is_some() {
            eprintln!("{what}: {total} records");
        }
    }

    /// So many more records are to be done than was thought.
    pub fn more(&self, records: u64) {
        self.bar.inc_length(records);
        self.total.fetch_add(records, Ordering::Relaxed);
    }

    /// Some more records are done.
    pub fn advance(&self, records: usize) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        self.bar.inc(records);
        let done = self.done.fetch_add(records, Ordering::Relaxed) + records;
        let Some(last) = &self.lines else { return };
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() > LINE_EVERY {
            *last = Instant::now();
            let what = *self.what.lock().unwrap_or_else(PoisonError::into_inner);
            eprintln!("{what}: {done} of {}", self.total.load(Ordering::Relaxed));
        }
    }

    /// The work is done.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
