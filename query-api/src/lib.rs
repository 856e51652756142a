//! Read model in; lists, details, the report and the status out.
//!
//! `routes` says which path is which file. Lists and details are in `lists`: `filters` and `search` read what they are
//! narrowed down by, `condition` is its SQL. The admin is in `admin`, its changes are events on the log. The report is in
//! `report`, people come in through `sign_in`, and read in the
//! words of `trouble` what went wrong. `docs` answers with the description of all of it but the admin. `stream` sends what is too long to be
//! held in memory.

pub mod accounts;
mod admin;
mod columns;
mod condition;
mod docs;
mod error;
mod filters;
mod freshness;
#[doc(hidden)]
pub mod fuzzing;
mod lists;
mod negotiation;
pub mod paging;
pub mod report;
mod resolve;
mod routes;
mod search;
pub mod settings;
mod sign_in;
mod stream;
mod text;
mod trouble;

pub use routes::{QueryApi, openapi};
pub use settings::QuerySettings;
