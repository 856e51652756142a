use crate::tally::Tally;
use indicatif::{ProgressBar, ProgressStyle};
use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

/// How often a line is printed where nobody watches.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How often the bar moves.
const BAR_EVERY: Duration = Duration::from_millis(200);

/// After how long without an acknowledgement the progress says why.
const SILENCE: Duration = Duration::from_secs(2);

/// Tells on standard error how far a run is: a bar on a terminal, a line now and then elsewhere.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    events: u64,
}

impl Progress {
    /// Towards so many events.
    pub fn new(events: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style =
                ProgressStyle::with_template("{wide_bar} {percent}% {msg}").expect("the template is well-formed");
            ProgressBar::new(events).with_style(style)
        });
        Self { bar, events }
    }

    /// Shows a line without disturbing the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    /// Shows the counts again and again.
    pub async fn follow(&self, tally: &Tally) -> ! {
        let mut ticks = tokio::time::interval(if self.bar.is_some() { BAR_EVERY } else { LINE_EVERY });
        ticks.tick().await;
        let (mut before, mut looked) = (0, Instant::now());
        loop {
            ticks.tick().await;
            let (done, repeats, trouble) = {
                let counts = tally.counts();
                let silent = counts.last_acknowledgement.elapsed();
                let trouble = counts.last_trouble.as_ref().filter(|_| silent > SILENCE);
                let trouble = trouble.map(|trouble| format!(", waiting for {} s: {trouble}", silent.as_secs()));
                (counts.acknowledged + counts.refused, counts.repeats, trouble.unwrap_or_default())
            };
            let per_second = u128::from(done - before) * 1_000 / looked.elapsed().as_millis().max(1);
            (before, looked) = (done, Instant::now());
            let line = format!("{done} of {} events, {per_second}/s, {repeats} repeats{trouble}", self.events);
            match &self.bar {
                Some(bar) => {
                    bar.set_position(done);
                    bar.set_message(line);
                }
                None => eprintln!("{line}"),
            }
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
