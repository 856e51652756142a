//! Whether the client takes JSON (contract § 1). As in the original, this comes before access and throttle.

use crate::{http::Problem, target::Target};
use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header},
};
use url::form_urlencoded;

/// 406 when the `Accept` header leaves no room for JSON, 404 for another `format`. `path` is below the base path.
pub(crate) fn answers_json(target: Target, path: &str, request: &Request) -> Result<(), Problem> {
    match target {
        Target::Pixel(_) => return Ok(()),
        // what follows a dot is a format to the original, and none is known here
        Target::Detail(_) if path.contains('.') || path.to_ascii_lowercase().contains("%2e") => {
            return Err(Problem::not_found());
        }
        _ => {}
    }
    let query = request.uri().query().unwrap_or_default();
    let format = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "format").last();
    json(request.headers(), format.as_ref().map(|(_, format)| format.as_ref()))
}

/// The same for the headers and the value of the parameter `format`.
pub fn json(headers: &HeaderMap, format: Option<&str>) -> Result<(), Problem> {
    if format.is_some_and(|format| !matches!(format, "" | "json")) {
        return Err(Problem::not_found());
    }
    if takes_json(headers) {
        return Ok(());
    }
    Err(Problem::detail(StatusCode::NOT_ACCEPTABLE, "Could not satisfy the request Accept header."))
}

/// Whether the `Accept` header, if there is one, leaves room for JSON.
fn takes_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(header::ACCEPT).iter().peekable();
    lines.peek().is_none() || lines.any(|line| String::from_utf8_lossy(line.as_bytes()).split(',').any(is_json))
}

/// Parameters do not count, `q=0` included, as in the original.
fn is_json(range: &str) -> bool {
    let essence = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(essence.as_str(), "*/*" | "application/*" | "*/json" | "application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Resource;
    use axum::body::Body;
    use rstest::rstest;

    #[rstest]
    #[case("", "*/*", 200)]
    #[case("", "application/json", 200)]
    #[case("", "text/html,application/xhtml+xml,*/*;q=0.8", 200)]
    #[case("", "application/*;q=0.5", 200)]
    #[case("", "application/json; indent=4", 200)]
    #[case("", "*/json", 200)]
    #[case("", "application/json;q=0", 200)]
    #[case("", "", 406)]
    #[case("", ";", 406)]
    #[case("", "é/é", 406)]
    #[case("", "text/html", 406)]
    #[case("", "application/xml, text/*", 406)]
    #[case("format=json", "*/*", 200)]
    #[case("format=", "*/*", 200)]
    #[case("format=xml&format=json", "*/*", 200)]
    #[case("format=json&format=%61pi", "*/*", 404)]
    fn json_or_nothing(#[case] query: &str, #[case] accept: &str, #[case] status: u16) {
        let request = Request::get(format!("/sessions/?{query}")).header("accept", accept).body(Body::empty()).unwrap();
        let answer = |target| {
            answers_json(target, "/sessions/", &request).map_or_else(|problem| problem.status.as_u16(), |()| 200)
        };
        assert_eq!(answer(Target::List(Resource::Sessions)), status);
        assert_eq!(answer(Target::Pixel(Resource::PageViews)), 200, "an image is no JSON");
    }

    #[rstest]
    #[case("/sessions/1/", true)]
    #[case("/sessions/1.5/", false)]
    #[case("/sessions/1.json/", false)]
    #[case("/sessions/a%2Eb/", false)]
    #[case("/sessions/a%2eb/", false)]
    fn an_id_with_a_dot_is_nowhere_whatever_the_method(#[case] path: &str, #[case] taken: bool) {
        for method in ["GET", "PUT", "OPTIONS"] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            let target = Target::of(path, None).unwrap();
            assert_eq!(answers_json(target, path, &request).is_ok(), taken, "{method} {path}");
        }
    }
}
