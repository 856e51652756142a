//! What is wrong with the fields of an event.

use crate::rules::Messages;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Messages by field, in field order.
#[derive(Debug, Default)]
pub(crate) struct FieldErrors(Vec<(&'static str, Messages)>);

impl FieldErrors {
    /// The value, or nothing and its messages noted.
    pub fn take<T>(&mut self, field: &'static str, result: Result<T, Messages>) -> Option<T> {
        result.map_err(|messages| self.0.push((field, messages))).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, messages)| (field, messages)))
    }
}

impl IntoResponse for FieldErrors {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("texts serialise");
        (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
