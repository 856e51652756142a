//! What every service is built from, and nothing about events: settings, telemetry, lifecycle, ops port, HTTP server,
//! client address, access, database connections.

pub mod access;
pub mod client_address;
pub mod database;
pub mod http;
pub mod lifecycle;
pub mod negotiation;
pub mod ops;
pub mod resource;
pub mod settings;
pub mod telemetry;
pub mod time_format;
