//! How every service process runs: metrics, signals, ops port; and how it ends.

use anyhow::Context;
use axum::Router;
use service::{
    access::Keys,
    front::Front,
    gate::Access,
    http,
    lifecycle::Shutdown,
    ops::{self, Readiness},
    settings::{ListenSettings, ProcessSettings},
    throttle::ThrottleSettings,
};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};

const LISTEN: &str = "--listen (FOOTFALL_LISTEN)";

/// A service that is about to start.
pub struct Process {
    /// To be told to stop, and to tell.
    pub shutdown: Shutdown,
    /// What the parts say about themselves.
    pub readiness: Readiness,
}

impl Process {
    /// Starts metrics, signals and the ops port.
    pub fn start(settings: &ProcessSettings) -> anyhow::Result<Self> {
        let ops = http::bind("--ops-listen (FOOTFALL_OPS_LISTEN)", settings.ops_listen)?;
        let metrics = ops::install_metrics().context("metrics")?;
        let (shutdown, readiness) = (settings.shutdown(), Readiness::new());
        shutdown.listen_for_signals()?;
        let router = ops::router(readiness.clone(), metrics.clone(), shutdown.leaving().clone());
        // a shutdown of its own, which never begins: who waits for the process to finish asks here until it has ended
        http::spawn_server("ops port", ops, router, &Shutdown::new(Duration::ZERO));
        shutdown.spawn("metrics", ops::keep_metrics_bounded(metrics, shutdown.token().clone()));
        Ok(Self { shutdown, readiness })
    }
}

/// Opens the port for clients.
pub fn bind(settings: &ListenSettings) -> anyhow::Result<TcpListener> {
    http::bind(LISTEN, settings.listen)
}

/// Takes the port for clients, which is opened later.
pub fn reserve(settings: &ListenSettings) -> anyhow::Result<TcpSocket> {
    http::reserve(LISTEN, settings.listen)
}

/// Opens it.
pub fn open(port: TcpSocket) -> anyhow::Result<TcpListener> {
    http::listen(LISTEN, port)
}

/// Puts around a service's routes what all of them have: from where, who is asking, whether they may and how often;
/// 404 and 405; what pages of other origins may do.
pub fn app(
    routes: Router,
    settings: &ListenSettings,
    keys: Keys,
    access: Access,
    throttle: &ThrottleSettings,
) -> Router {
    let front = Front {
        base_path: &settings.base_path,
        proxies: settings.proxies(),
        origins: settings.origins(),
        keys,
        access,
        throttle,
    };
    front.around(routes)
}
