//! The ops port: `/healthz`, `/readyz`, `/metrics`. For the operator and the proxy, never for clients.

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// Upper bounds of the buckets of every histogram of durations, in seconds.
const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// How often [`Readiness::all_ready`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What each part of the process says about itself. The process is ready when it has parts and every part is.
#[derive(Clone, Default)]
pub struct Readiness {
    parts: Arc<RwLock<BTreeMap<String, Option<String>>>>,
}

/// One part's own line in [`Readiness`]. Clones are the same part.
#[derive(Clone)]
pub struct Component {
    name: String,
    readiness: Readiness,
}

impl Readiness {
    /// Nothing to wait for yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A part that is not ready until it says so.
    pub fn component(&self, name: &str) -> Component {
        let component = Component { name: name.to_owned(), readiness: self.clone() };
        // what everything says at first is no news
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        parts.insert(component.name.clone(), Some("starting".to_owned()));
        drop(parts);
        component
    }

    /// The parts that are not ready, with their reasons. A process that has no part yet is still starting.
    pub fn missing(&self) -> Vec<(String, String)> {
        let parts = self.parts.read().unwrap_or_else(PoisonError::into_inner);
        if parts.is_empty() {
            return vec![("process".to_owned(), "starting".to_owned())];
        }
        parts.iter().filter_map(|(name, why)| Some((name.clone(), why.clone()?))).collect()
    }

    /// Waits until every part is ready.
    pub async fn all_ready(&self) {
        while !self.missing().is_empty() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Component {
    /// The part does its work.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The part cannot do its work now, and why.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// The part is not there any more, for instance a partition that went to another process.
    pub fn gone(&self) {
        self.readiness.parts.write().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }

    fn set(&self, state: Option<String>) {
        let mut parts = self.readiness.parts.write().unwrap_or_else(PoisonError::into_inner);
        if parts.get(&self.name) != Some(&state) {
            match &state {
                None => tracing::info!(part = self.name, "ready"),
                Some(reason) => tracing::warn!(part = self.name, reason, "not ready"),
            }
            parts.insert(self.name.clone(), state);
        }
    }
}

/// Installs the process's recorder of metrics; to be called once, before the first metric.
///
/// # Errors
/// When there is a recorder already.
pub fn install_metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .install_recorder()?)
}

/// The routes of the ops port. `/readyz` says no as soon as `stopping` is cancelled.
#[expect(clippy::disallowed_methods, reason = "the ops port is the operator's, and no part of the API")]
pub fn router(readiness: Readiness, metrics: PrometheusHandle, stopping: CancellationToken) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/metrics", get(render))
        .with_state(Arc::new(Ops { readiness, metrics, stopping }))
}

struct Ops {
    readiness: Readiness,
    metrics: PrometheusHandle,
    stopping: CancellationToken,
}

async fn readyz(State(ops): State<Arc<Ops>>) -> impl IntoResponse {
    let mut missing: BTreeMap<_, _> = ops.readiness.missing().into_iter().collect();
    if ops.stopping.is_cancelled() {
        missing.insert("process".to_owned(), "stopping".to_owned());
    }
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(serde_json::json!({ "ready": missing.is_empty(), "not_ready": missing })))
}

async fn render(State(ops): State<Arc<Ops>>) -> String {
    ops.metrics.render()
}

/// Drops old samples every few seconds, so that histograms nobody scrapes do not grow.
pub async fn keep_metrics_bounded(metrics: PrometheusHandle, stopping: CancellationToken) -> anyhow::Result<()> {
    while stopping.run_until_cancelled(tokio::time::sleep(Duration::from_secs(5))).await.is_some() {
        metrics.run_upkeep();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_when_every_part_is() {
        let readiness = Readiness::new();
        assert_eq!(readiness.missing().len(), 1, "a process that has no part yet is not ready");
        let (log, database) = (readiness.component("log"), readiness.component("database"));
        assert_eq!(readiness.missing().len(), 2, "a part is not ready before it says so");
        log.ready();
        database.not_ready("connection refused");
        assert_eq!(readiness.missing(), [("database".to_owned(), "connection refused".to_owned())]);
        database.gone();
        assert!(readiness.missing().is_empty());
    }
}
