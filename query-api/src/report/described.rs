//! The report in OpenAPI.

use super::Report;
use serde_json::json;
use service::openapi::{Answers, Shared, for_somebody, operation, schemas::named, schemas_of};
use utoipa::openapi::{RefOr, Schema, path::OperationBuilder};

const TAG: &str = "Report";

/// What it refers to.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    schemas_of::<Report>()
}

/// `GET /report/`.
pub(crate) fn page() -> OperationBuilder {
    let more = "Seven whole days, today included, in charts and tables. For staff, unless the settings say otherwise.";
    let answers = Answers::default()
        .page(200, "The page.")
        .page(403, "A page that offers to sign in.")
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    for_somebody(operation(TAG, "report", "The report as a page", more)).responses(answers)
}

/// `GET /report/data/`.
pub(crate) fn data() -> OperationBuilder {
    let (timestamp, day) = ("2026-11-24T00:00:00+00:00", "Tuesday");
    let example = json!({
        "interaction_data": [{"interaction": "click", "count": 12}],
        "timestamps_data": [{"day": day, "count": 12, "timestamp": timestamp}],
        "page_views": [{
            "day": day, "count": 30, "timestamp": timestamp, "urls": [{"url": "https://shop.example/", "count": 30}]
        }],
        "start_end_times_data": [{"day": day, "duration": "7", "count": 3, "timestamp": timestamp}],
        "browser_data": [{"browser": "Firefox", "count": 5, "percentage": 100.0}],
        "sessions_data": [{"day": day, "count": 5, "timestamp": timestamp}],
        "urls_left_out": [{"day": day, "count": 0, "timestamp": timestamp}],
        "as_of": "2026-11-24T09:33:00Z", "newest_event_at": "2026-11-24T09:32:00Z"
    });
    let answers = Answers::default().json(200, "The numbers.", named("Report"), example).shared([
        Shared::Unauthorized,
        Shared::Forbidden,
        Shared::Unavailable,
    ]);
    let more = "What the page shows, with every URL. For staff, unless the settings say otherwise.";
    for_somebody(operation(TAG, "report_data", "The report's numbers", more)).responses(answers)
}
