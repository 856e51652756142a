//! What every service is built from, and nothing about events: settings, telemetry, lifecycle, ops port, HTTP server,
//! client address, access, throttle, CORS, database connections, descriptions in OpenAPI.

pub mod access;
pub mod client_address;
mod connections;
pub mod cors;
pub mod database;
pub mod front;
#[doc(hidden)]
pub mod fuzzing;
pub mod gate;
pub mod http;
mod indent;
pub mod iso_time;
pub mod lifecycle;
pub mod negotiation;
pub mod openapi;
pub mod ops;
pub mod probe;
pub mod resource;
pub mod roles;
pub mod settings;
pub mod site;
pub mod target;
pub mod telemetry;
pub mod throttle;
pub mod time_format;
