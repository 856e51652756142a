use std::{
    fmt,
    future::Future,
    time::{Duration, Instant},
};

/// What has been done, how long it took, and how it ended.
#[derive(Default)]
pub(crate) struct Parts {
    done: Vec<(&'static str, Duration, bool)>,
}

impl Parts {
    /// Does one part, saying so before.
    pub(crate) async fn run<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        eprintln!("── {name}");
        let started = Instant::now();
        let result = work.await;
        self.done.push((name, started.elapsed(), result.is_ok()));
        if let Err(error) = &result {
            eprintln!("── {name} failed: {error:#}");
        }
        result
    }

    /// Whether no part has failed.
    pub(crate) fn all_well(&self) -> bool {
        self.done.iter().all(|(.., well)| *well)
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, took, well) in &self.done {
            let outcome = if *well { "ok" } else { "FAILED" };
            writeln!(formatter, "{name:<28}{:>8.1} s   {outcome}", took.as_secs_f64())?;
        }
        let all: Duration = self.done.iter().map(|(_, took, _)| *took).sum();
        write!(formatter, "{:<28}{:>8.1} s", "all", all.as_secs_f64())
    }
}
