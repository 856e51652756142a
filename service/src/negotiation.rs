//! Whether the client takes JSON, the only thing that the API answers.

use crate::http::Problem;
use axum::http::{HeaderMap, StatusCode, header};

/// 406 when the `Accept` header leaves no room for JSON, 404 for another `format` (contract § 1).
pub fn json(headers: &HeaderMap, format: Option<&str>) -> Result<(), Problem> {
    if format.is_some_and(|format| format != "json") {
        return Err(Problem::not_found());
    }
    let mut ranges = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).peekable();
    if ranges.peek().is_none() || ranges.any(|line| line.split(',').any(takes_json)) {
        return Ok(());
    }
    Err(Problem::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header."))
}

fn takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let refused = parts.any(|part| part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
    matches!(essence.as_str(), "*/*" | "application/*" | "application/json" | "") && !refused
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
        let answer = json(&headers, None).map_or_else(|problem| problem.status.as_u16(), |()| 200);
        assert_eq!(answer, status);
    }

    #[test]
    fn another_format_is_not_found() {
        assert!(json(&HeaderMap::new(), Some("json")).is_ok());
        assert_eq!(json(&HeaderMap::new(), Some("xml")).unwrap_err().status, 404);
    }
}
