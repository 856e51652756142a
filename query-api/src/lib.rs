//! Read model in; lists, details, the report and the status out.
//!
//! `routes` says which path is which file. Lists and details are in `lists`, the report in `report`, people come
//! in through `sign_in`.

pub mod accounts;
mod base_url;
mod error;
mod freshness;
mod lists;
mod negotiation;
pub mod paging;
pub mod report;
mod routes;
mod settings;
mod sign_in;

pub use routes::QueryApi;
pub use settings::QuerySettings;
