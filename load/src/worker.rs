use crate::{
    acknowledged::Ledger,
    connection::{Answer, Connection},
    pace::Pace,
    progress::Progress,
    tally::{Tally, Trouble},
    target::Target,
    traffic::{Event, Session, Traffic},
    verdict::{Fate, Verdict, asked_to_wait, backoff},
};
use hyper::StatusCode;
use rand::RngExt;
use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a worker that waits for an answer looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What all workers share.
pub(crate) struct Run {
    pub target: Target,
    pub traffic: Traffic,
    pub pace: Pace,
    pub tally: Tally,
    pub progress: Progress,
    /// Begin nothing new, and wait for no more than the answers under way.
    pub halt: CancellationToken,
    pub events_per_request: usize,
    pub give_up_after: Duration,
    pub told_of_throttle: AtomicBool,
}

/// One connection, and the sessions that are under way on it.
pub(crate) struct Worker {
    run: Arc<Run>,
    ledger: Ledger,
    connection: Option<Connection>,
    sessions: VecDeque<Session>,
}

/// What came of sending a request once.
enum Attempt {
    Answered(Answer),
    Failed(Trouble),
    /// The run ended meanwhile.
    Stopped,
}

impl Worker {
    /// Without a connection yet.
    pub fn new(run: Arc<Run>, ledger: Ledger) -> Self {
        Self { run, ledger, connection: None, sessions: VecDeque::new() }
    }

    /// Sends event after event until there are none left or the run is to stop.
    pub async fn work(mut self) {
        let mut events = Vec::with_capacity(self.run.events_per_request);
        while !self.run.halt.is_cancelled() {
            events.clear();
            while events.len() < self.run.events_per_request
                && let Some(event) = self.next_event()
            {
                events.push(event);
            }
            if events.is_empty() || self.run.halt.run_until_cancelled(self.run.pace.turn(events.len())).await.is_none()
            {
                break;
            }
            self.deliver(&mut events).await;
        }
    }

    /// The next event of one of this worker's sessions, which take turns. A batch mixes several, a single one at a
    /// time has the connection.
    fn next_event(&mut self) -> Option<Event> {
        let at_once = if self.run.events_per_request == 1 { 1 } else { (self.run.events_per_request / 4).clamp(2, 64) };
        loop {
            while self.sessions.len() < at_once
                && let Some(session) = self.run.traffic.next_session()
            {
                self.sessions.push_back(session);
            }
            let mut session = self.sessions.pop_front()?;
            if let Some(event) = self.run.traffic.next_event(&mut session) {
                self.sessions.push_back(session);
                return Some(event);
            }
        }
    }

    /// Sends events, again and again those that need it, until each is acknowledged or refused or the run ends.
    async fn deliver(&mut self, events: &mut Vec<Event>) {
        let begun = Instant::now();
        self.run.tally.counts().sent += events.len() as u64;
        for repetition in 0.. {
            let attempt = self.attempt(events).await;
            let mut wait = None;
            {
                let mut counts = self.run.tally.counts();
                counts.requests += 1;
                counts.repeats += u64::from(repetition > 0);
                if let Attempt::Failed(trouble) = &attempt {
                    counts.failed(trouble);
                }
            }
            match attempt {
                Attempt::Answered(answer) => {
                    wait = asked_to_wait(&answer);
                    self.settle(&answer, events, begun, repetition > 0).await;
                }
                Attempt::Failed(_) => {}
                Attempt::Stopped => return,
            }
            if events.is_empty() || self.is_time_to_give_up(begun) {
                return;
            }
            let wait = wait.unwrap_or_else(|| backoff(repetition + 1, rand::rng().random()));
            let wait = wait.min(self.run.give_up_after);
            if self.run.halt.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
                return;
            }
        }
    }

    /// Applies an answer: what is left in `events` is to be sent again.
    async fn settle(&self, answer: &Answer, events: &mut Vec<Event>, begun: Instant, repeated: bool) {
        let verdict = Verdict::of(answer, events.len(), self.run.events_per_request > 1);
        let acknowledged = (0..events.len()).filter(|&place| verdict.fate(place) == Fate::Acknowledged).count();
        let first_refusal = {
            let mut counts = self.run.tally.counts();
            let first_refusal = counts.answered(answer, (0..events.len()).map(|place| verdict.fate(place)));
            if acknowledged == events.len() {
                counts.took(repeated, begun.elapsed());
            }
            if first_refusal { counts.first_refusal.clone() } else { None }
        };
        if let Some(refusal) = first_refusal {
            self.run.progress.say(&format!("the server refuses an event: {refusal}"));
        }
        if answer.status == StatusCode::TOO_MANY_REQUESTS && !self.run.told_of_throttle.swap(true, Ordering::Relaxed) {
            self.run.progress.say(
                "the server throttles (429): waiting as long as it asks; to measure without, start it with --throttle-base off (--throttle-staff off for a token of staff)",
            );
        }
        for (place, event) in events.iter().enumerate() {
            if verdict.fate(place) == Fate::Acknowledged && !self.ledger.note(event).await {
                // the writer has ended with an error, which the run reports
                self.run.halt.cancel();
            }
        }
        let mut place = 0;
        events.retain(|_| {
            place += 1;
            verdict.fate(place - 1) == Fate::Again
        });
    }

    /// Whether nobody had anything acknowledged for so long that there is no more hope.
    fn is_time_to_give_up(&self, begun: Instant) -> bool {
        let mut counts = self.run.tally.counts();
        let hopeless = counts.last_acknowledgement.max(begun).elapsed() >= self.run.give_up_after;
        if hopeless {
            counts.gave_up = true;
            self.run.halt.cancel();
        }
        hopeless
    }

    /// Sends a request with these events once.
    async fn attempt(&mut self, events: &[Event]) -> Attempt {
        let begun = Instant::now();
        let mut exchange = pin!(exchange(&self.run, &mut self.connection, events));
        loop {
            match tokio::time::timeout(LOOK_EVERY, exchange.as_mut()).await {
                Ok(Ok(answer)) => return Attempt::Answered(answer),
                Ok(Err(trouble)) => return Attempt::Failed(trouble),
                Err(_) if begun.elapsed() >= REQUEST_TIMEOUT => return Attempt::Failed(Trouble::Timeout),
                Err(_) if self.run.halt.is_cancelled() => return Attempt::Stopped,
                Err(_) => {}
            }
        }
    }
}

/// Sends one request, on a new connection if there is none that works.
async fn exchange(run: &Run, kept: &mut Option<Connection>, events: &[Event]) -> Result<Answer, Trouble> {
    let mut open = None;
    if let Some(mut connection) = kept.take()
        && connection.is_open().await
    {
        open = Some(connection);
    }
    let mut connection = match open {
        Some(connection) => connection,
        None => Connection::open(&run.target.address)
            .await
            .map_err(|error| Trouble::Connection(format!("cannot connect to {}: {error}", run.target.address)))?,
    };
    let request = match events {
        [event] if run.events_per_request == 1 => run.target.single(event.kind, event.user_agent, event.body.clone()),
        _ => run.target.batch(batch_body(events)),
    };
    let answer = connection.exchange(request).await;
    let answer = answer.map_err(|error| Trouble::Connection(format!("connection broken: {error}")))?;
    // a connection that failed, or whose request was abandoned, is not kept
    *kept = Some(connection);
    Ok(answer)
}

fn batch_body(events: &[Event]) -> bytes::Bytes {
    let bodies = events.iter().map(|event| event.body.len() + 1).sum::<usize>();
    let mut body = Vec::with_capacity(bodies + 16);
    body.extend_from_slice(b"{\"events\":[");
    for (place, event) in events.iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&event.body);
    }
    body.extend_from_slice(b"]}");
    body.into()
}
