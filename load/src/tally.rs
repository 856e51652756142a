use crate::{
    connection::Answer,
    verdict::{Fate, first_rejected},
};
use hdrhistogram::Histogram;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Longest latency that is told apart from longer ones, in microseconds: an hour.
const MAX_LATENCY_MICROS: u64 = 3_600_000_000;

/// Most characters of an answer that are shown.
const MAX_SHOWN: usize = 500;

/// What has happened so far, over all connections; about 300 kB, whatever the number of events.
pub(crate) struct Tally(Mutex<Counts>);

/// The counts. Events are counted once each, however often they are sent; requests each time.
pub(crate) struct Counts {
    pub sent: u64,
    pub acknowledged: u64,
    pub refused: u64,
    pub requests: u64,
    pub repeats: u64,
    pub answers: BTreeMap<u16, u64>,
    pub connection_errors: u64,
    pub timeouts: u64,
    /// What the first answer said that refused an event.
    pub first_refusal: Option<String>,
    /// Why the last request that failed did.
    pub last_trouble: Option<String>,
    pub last_acknowledgement: Instant,
    pub gave_up: bool,
    /// Microseconds from sending to the 202, of requests acknowledged at their first try.
    pub first_try: Histogram<u64>,
    /// Microseconds from the first try to the last 202, of all that were acknowledged.
    pub overall: Histogram<u64>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Could not connect, or the connection broke.
    Connection(String),
    /// No answer in time.
    Timeout,
}

impl Tally {
    /// Nothing has happened.
    pub fn new() -> Self {
        let histogram =
            || Histogram::new_with_max(MAX_LATENCY_MICROS, 3).expect("the bounds are those of the documentation");
        Self(Mutex::new(Counts {
            sent: 0,
            acknowledged: 0,
            refused: 0,
            requests: 0,
            repeats: 0,
            answers: BTreeMap::new(),
            connection_errors: 0,
            timeouts: 0,
            first_refusal: None,
            last_trouble: None,
            last_acknowledgement: Instant::now(),
            gave_up: false,
            first_try: histogram(),
            overall: histogram(),
        }))
    }

    /// The counts, for as short a time as possible.
    pub fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    /// A request with an answer. True when it is the first one that refused an event.
    pub fn answered(&mut self, answer: &Answer, fates: impl Iterator<Item = Fate>) -> bool {
        *self.answers.entry(answer.status.as_u16()).or_default() += 1;
        let refused_before = self.refused;
        let mut acknowledged = 0;
        for fate in fates {
            match fate {
                Fate::Acknowledged => acknowledged += 1,
                Fate::Refused => self.refused += 1,
                Fate::Again => self.last_trouble = Some(format!("the server answers {}", answer.status)),
            }
        }
        if acknowledged > 0 {
            self.acknowledged += acknowledged;
            self.last_acknowledgement = Instant::now();
        }
        let first = self.refused > 0 && refused_before == 0;
        if first {
            self.first_refusal = Some(show(answer));
        }
        first
    }

    /// A request without an answer.
    pub fn failed(&mut self, trouble: &Trouble) {
        match trouble {
            Trouble::Connection(error) => {
                self.connection_errors += 1;
                self.last_trouble = Some(error.clone());
            }
            Trouble::Timeout => {
                self.timeouts += 1;
                self.last_trouble = Some("the server does not answer in time".into());
            }
        }
    }

    /// How long the events of a request took.
    pub fn took(&mut self, repeated: bool, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        if !repeated {
            self.first_try.saturating_record(micros);
        }
        self.overall.saturating_record(micros);
    }
}

/// Status and body in one line.
fn show(answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let body = first_rejected(&answer.body).map_or(body, Into::into);
    let body: String = body.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN).collect();
    format!("{} {body}", answer.status)
}
