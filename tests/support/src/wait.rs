use std::{
    future::Future,
    time::{Duration, Instant},
};

/// Waits until `condition` gives a value, asking again every few milliseconds.
///
/// # Panics
/// When `what` has not come true after `within`.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> F,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition().await {
            return value;
        }
        assert!(started.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
