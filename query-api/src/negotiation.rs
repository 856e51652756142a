//! What the client takes.

use crate::paging::Parameters;
use axum::http::{HeaderMap, header};
use service::{http::Problem, negotiation};

/// 406 when the `Accept` header leaves no room for JSON, 404 for another `format`. The lists have been asked at the gate;
/// this is for `/`.
pub(crate) fn json(headers: &HeaderMap, parameters: &Parameters) -> Result<(), Problem> {
    negotiation::json(headers, parameters.get("format"))
}

/// Whether a browser asks on behalf of a person: it names `text/html`, and none of what programs ask for as highly.
pub(crate) fn is_of_a_person(headers: &HeaderMap) -> bool {
    let (mut page, mut data) = (0.0_f32, 0.0_f32);
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok());
    for range in lines.flat_map(|line| line.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
        match kind.as_str() {
            "text/html" => page = page.max(quality),
            "application/json" | "text/csv" => data = data.max(quality),
            _ => {}
        }
    }
    page > data
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::firefox("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    #[case::alone("text/html", true)]
    #[case::page_before_data("application/json;q=0.5, text/html", true)]
    #[case::curl("*/*", false)]
    #[case::nothing("", false)]
    #[case::program("application/json, text/plain, */*", false)]
    #[case::data_before_page("application/json, text/html;q=0.9", false)]
    #[case::both_alike("text/csv, text/html", false)]
    #[case::refused("text/html;q=0", false)]
    #[case::broken("text/html;q=often", false)]
    fn a_person_is_known_by_the_pages_that_they_ask_for(#[case] accept: &str, #[case] person: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().unwrap());
        assert_eq!(is_of_a_person(&headers), person);
    }
}
