use crate::tally::Counts;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::{collections::BTreeMap, fmt, time::Duration};

/// What a run has done.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What the events were made from.
    pub seed: u64,
    /// Events that were sent at least once.
    pub events_sent: u64,
    /// Events that were answered 202.
    pub events_acknowledged: u64,
    /// Events that the server will never take.
    pub events_refused: u64,
    /// Events that were sent and may be stored or not: the run ended before an answer came.
    pub events_unconfirmed: u64,
    /// How long the run took.
    pub seconds: f64,
    /// Acknowledged events per second.
    pub events_per_second: f64,
    /// Answers per second.
    pub requests_per_second: f64,
    /// Requests, with or without an answer.
    pub requests: u64,
    /// Requests that sent something again.
    pub repeats: u64,
    /// Answers by status.
    pub answers: BTreeMap<u16, u64>,
    /// Connections that could not be made, or broke under a request.
    pub connection_errors: u64,
    /// Requests without an answer in time.
    pub timeouts: u64,
    /// From sending to the 202, where the first try was acknowledged.
    pub latency_first_try: Latencies,
    /// From the first try to the 202, of all that was acknowledged.
    pub latency_overall: Latencies,
    /// The first answer that refused an event, status and body.
    pub first_refusal: Option<String>,
    /// Why the last request failed that did.
    pub last_trouble: Option<String>,
    /// Whether it ended because nothing had been acknowledged for too long.
    pub gave_up: bool,
    /// Whether it was told to stop before it was done.
    pub stopped: bool,
}

/// Latencies of requests.
#[derive(Clone, Debug, Serialize)]
pub struct Latencies {
    /// How many requests.
    pub requests: u64,
    /// Half of them took at most so many milliseconds.
    pub p50_ms: f64,
    /// 90 % did.
    pub p90_ms: f64,
    /// 99 % did.
    pub p99_ms: f64,
    /// 99.9 % did.
    pub p99_9_ms: f64,
    /// All did.
    pub max_ms: f64,
}

impl Summary {
    pub(crate) fn new(counts: &Counts, seed: u64, took: Duration, stopped: bool) -> Self {
        let seconds = took.as_secs_f64();
        let per_second = |count: u64| if seconds > 0.0 { real(count) / seconds } else { 0.0 };
        Self {
            seed,
            events_sent: counts.sent,
            events_acknowledged: counts.acknowledged,
            events_refused: counts.refused,
            events_unconfirmed: counts.sent - counts.acknowledged - counts.refused,
            seconds,
            events_per_second: per_second(counts.acknowledged),
            requests_per_second: per_second(counts.answers.values().sum()),
            requests: counts.requests,
            repeats: counts.repeats,
            answers: counts.answers.clone(),
            connection_errors: counts.connection_errors,
            timeouts: counts.timeouts,
            latency_first_try: Latencies::new(&counts.first_try),
            latency_overall: Latencies::new(&counts.overall),
            first_refusal: counts.first_refusal.clone(),
            last_trouble: counts.last_trouble.clone(),
            gave_up: counts.gave_up,
            stopped,
        }
    }

    /// Whether the server took everything that it was sent, as far as the run was let go.
    pub fn ok(&self) -> bool {
        self.events_refused == 0 && !self.gave_up
    }
}

impl Latencies {
    fn new(micros: &Histogram<u64>) -> Self {
        let at = |quantile| real(micros.value_at_quantile(quantile)) / 1_000.0;
        Self {
            requests: micros.len(),
            p50_ms: at(0.5),
            p90_ms: at(0.9),
            p99_ms: at(0.99),
            p99_9_ms: at(0.999),
            max_ms: real(micros.max()) / 1_000.0,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures for people: 2^53 is enough")]
fn real(count: u64) -> f64 {
    count as f64
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = match (self.gave_up, self.stopped) {
            (true, _) => ", gave up",
            (_, true) => ", stopped",
            _ => "",
        };
        writeln!(
            f,
            "events      {} sent, {} acknowledged, {} refused, {} unconfirmed{ended} (seed {})",
            self.events_sent, self.events_acknowledged, self.events_refused, self.events_unconfirmed, self.seed
        )?;
        writeln!(
            f,
            "rate        {:.0} events/s, {:.0} requests/s, over {:.2} s",
            self.events_per_second, self.requests_per_second, self.seconds
        )?;
        write!(f, "answers    ")?;
        for (status, count) in &self.answers {
            write!(f, " {status}: {count}")?;
        }
        writeln!(
            f,
            "\ntrouble     {} connection errors, {} timeouts, {} repeats of {} requests",
            self.connection_errors, self.timeouts, self.repeats, self.requests
        )?;
        writeln!(f, "latency, ms      p50       p90       p99     p99.9       max")?;
        for (name, latencies) in [("first try", &self.latency_first_try), ("overall", &self.latency_overall)] {
            let Latencies { p50_ms, p90_ms, p99_ms, p99_9_ms, max_ms, .. } = latencies;
            write!(f, "  {name:<10}{p50_ms:>8.2}{p90_ms:>10.2}{p99_ms:>10.2}{p99_9_ms:>10.2}{max_ms:>10.2}")?;
            if name == "first try" {
                writeln!(f)?;
            }
        }
        if let Some(refusal) = &self.first_refusal {
            write!(f, "\nrefused     first with {refusal}")?;
        }
        if self.gave_up {
            write!(f, "\ngave up     nothing was acknowledged any more")?;
            if let Some(trouble) = &self.last_trouble {
                write!(f, ": {trouble}")?;
            }
        }
        Ok(())
    }
}
