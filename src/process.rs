//! How every service process runs: metrics, signals, ops port; and how it ends.

use anyhow::Context;
use axum::{Router, middleware};
use service::{
    access::{self, Keys},
    client_address::{self, TrustedProxies},
    http,
    lifecycle::Shutdown,
    ops::{self, Readiness},
    settings::{ListenSettings, ProcessSettings},
};
use tokio::net::TcpListener;

/// A service that is about to start.
pub struct Process {
    /// To be told to stop, and to tell.
    pub shutdown: Shutdown,
    /// What the parts say about themselves.
    pub readiness: Readiness,
}

impl Process {
    /// Starts metrics, signals and the ops port.
    pub async fn start(settings: &ProcessSettings) -> anyhow::Result<Self> {
        let ops = http::bind("--ops-listen (FOOTFALL_OPS_LISTEN)", settings.ops_listen).await?;
        let metrics = ops::install_metrics().context("metrics")?;
        let (shutdown, readiness) = (Shutdown::new(settings.drain_budget()), Readiness::new());
        shutdown.listen_for_signals()?;
        let router = ops::router(readiness.clone(), metrics.clone(), shutdown.token().clone());
        http::spawn_server("ops port", ops, router, &shutdown);
        shutdown.spawn("metrics", ops::keep_metrics_bounded(metrics, shutdown.token().clone()));
        Ok(Self { shutdown, readiness })
    }
}

/// Opens the port for clients.
pub async fn bind(settings: &ListenSettings) -> anyhow::Result<TcpListener> {
    http::bind("--listen (FOOTFALL_LISTEN)", settings.listen).await
}

/// Puts around a service's routes what all of them have: 404 and 405, who is asking, from where.
pub fn app(routes: Router, settings: &ListenSettings, keys: Keys) -> Router {
    let proxies: TrustedProxies = settings.proxies();
    http::finish(routes, &settings.base_path)
        .layer(middleware::from_fn_with_state(keys, access::identify))
        .layer(middleware::from_fn_with_state(proxies, client_address::resolve))
}
