//! What is wrong with the parameters of a list: the body of a 400.

use super::SEARCH;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Serialize, Serializer};

/// Messages by parameter, in the order in which the filters are read.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<(String, Vec<String>)>);

impl Errors {
    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where the next one will stand.
    pub fn place(&self) -> usize {
        self.0.len()
    }

    /// Adds what is wrong with a parameter.
    pub fn add(&mut self, parameter: &str, messages: Vec<String>) {
        match self.0.iter_mut().find(|(known, _)| known == parameter) {
            Some((_, known)) => known.extend(messages),
            None => self.0.push((parameter.to_owned(), messages)),
        }
    }

    /// The same for what was found out later, at the place where it belongs.
    pub fn add_at(&mut self, place: usize, parameter: String, message: &str) {
        self.0.insert(place, (parameter, vec![message.to_owned()]));
    }

    /// Parameters and their messages.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0.iter().map(|(parameter, messages)| (parameter.as_str(), messages.as_slice()))
    }
}

/// A search is no field: what is wrong with it stands alone, and only where the filters have nothing to say. As in the
/// original.
impl Serialize for Errors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [(parameter, messages)] if parameter == SEARCH => messages.serialize(serializer),
            _ => serializer.collect_map(self.iter().filter(|(parameter, _)| *parameter != SEARCH)),
        }
    }
}

impl IntoResponse for Errors {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("texts serialise");
        (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}
