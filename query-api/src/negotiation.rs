//! Whether the client takes JSON.

use crate::paging::Parameters;
use axum::http::{HeaderMap, StatusCode};
use service::http::Problem;

/// 406 when the `Accept` header leaves no room for JSON, 404 for another `format`.
pub(crate) fn json(headers: &HeaderMap, parameters: &Parameters) -> Result<(), Problem> {
    if parameters.get("format").is_some_and(|format| !matches!(format, "" | "json")) {
        return Err(Problem::not_found());
    }
    if service::negotiation::takes_json(headers) {
        return Ok(());
    }
    Err(Problem::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*/*", 200)]
    #[case("application/json", 200)]
    #[case("text/html,application/xhtml+xml,*/*;q=0.8", 200)]
    #[case("application/*;q=0.5", 200)]
    #[case("", 200)]
    #[case("text/html", 406)]
    #[case("application/json;q=0", 406)]
    #[case("application/xml, text/*", 406)]
    fn an_accept_without_json_is_refused(#[case] accept: &str, #[case] status: u16) {
        let mut headers = HeaderMap::new();
        headers.insert("accept", accept.parse().unwrap());
        let answer = json(&headers, &Parameters::default()).map_or_else(|problem| problem.status.as_u16(), |()| 200);
        assert_eq!(answer, status);
    }

    #[test]
    fn another_format_is_not_found() {
        let parameters = |query| Parameters::parse(Some(query));
        assert!(json(&HeaderMap::new(), &parameters("format=json")).is_ok());
        assert_eq!(json(&HeaderMap::new(), &parameters("format=xml")).unwrap_err().status, 404);
    }
}
