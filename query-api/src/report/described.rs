//! The report in OpenAPI.

use super::{
    Report,
    csv::TABLES,
    state::{By, LENGTHS},
    totals::Totals,
};
use serde_json::json;
use service::openapi::{
    Answers, Shared, for_somebody, header, in_query, operation,
    schemas::{clean_text, formatted, named, one_of_these, or_blank, text},
    schemas_of,
};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, RefOr, Schema,
    path::{OperationBuilder, Parameter},
    response::ResponseBuilder,
};

const TAG: &str = "Report";

/// What it refers to.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    schemas_of::<Report>()
}

/// What all of them can be asked for.
fn parameters() -> Vec<Parameter> {
    let lengths = LENGTHS.iter().filter(|days| **days > 1).map(u16::to_string);
    let ranges: Vec<String> = ["today", "yesterday"].map(str::to_owned).into_iter().chain(lengths).collect();
    let day = || or_blank(formatted("date"));
    let filter = |by: By| {
        let more = match by {
            By::Url => "Page views alone whose URL begins with this.",
            By::Browser => "Of this browser alone, one of the seven.",
            By::Family => "Of this browser alone, as the user-agent parser calls it.",
            By::System => "Of this operating system alone.",
            By::Device => "Of this class of device alone.",
        };
        (by.name(), format!("{more} One filter at a time."), clean_text().into())
    };
    let ranges = or_blank(one_of_these(ranges.iter().map(String::as_str)));
    let mut all: Vec<(&str, String, RefOr<Schema>)> = vec![
        ("range", "Which days; seven, today included, without it.".into(), ranges),
        ("from", "The first day, instead of `range`.".into(), day()),
        ("to", "The last day; today without it.".into(), day()),
        ("compare", "With the period before.".into(), switch()),
        ("search", "What URLs of the list of pages have in them.".into(), clean_text().into()),
        ("element", "What elements of the list of elements have in them.".into(), clean_text().into()),
    ];
    all.extend(By::ALL.map(filter));
    all.into_iter().map(|(name, more, schema)| in_query(name, more, schema).build()).collect()
}

fn switch() -> RefOr<Schema> {
    or_blank(one_of_these(["1", "true", "0", "false"]))
}

fn with_parameters(described: OperationBuilder) -> OperationBuilder {
    parameters().into_iter().fold(described, OperationBuilder::parameter)
}

/// A person's sign-in has ended: to the form, and back.
fn to_the_sign_in() -> ResponseBuilder {
    let location = header("The sign-in, which leads back.", text(), "/sign-in/?next=%2Freport%2Fcsv%2F");
    ResponseBuilder::new()
        .description("Not signed in, and a browser asks for a person: `Accept` names `text/html` first.")
        .header("Location", location)
}

/// `GET /report/`.
pub(crate) fn page() -> OperationBuilder {
    let more = "Seven whole days, today included, or others, in charts and tables. For staff, unless the settings say \
                otherwise.";
    let as_of =
        HeaderBuilder::new().schema(Some(text())).description(Some("When that was found out, as the page writes it."));
    let still_good = ResponseBuilder::new().description("Nothing has changed since `If-None-Match`.");
    let answers = Answers::default()
        .page(200, "The page.")
        .page(400, "The page of the usual seven days, and what makes no sense in the address.")
        .with(304, still_good.header("Footfall-As-Of", as_of.build()))
        .page(403, "A page that offers to sign in.")
        .page_while_away()
        .shared([Shared::Unauthorized]);
    let live = in_query("live", "The page renews itself.", switch()).build();
    with_parameters(for_somebody(operation(TAG, "report", "The report as a page", more)))
        .parameter(live)
        .responses(answers)
}

/// `GET /report/data/`.
pub(crate) fn data() -> OperationBuilder {
    let ranking = json!({"rows": [], "more": 0, "total": 0});
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
        "as_of": "2026-11-24T09:33:00Z", "newest_event_at": "2026-11-24T09:32:00Z",
        "period": {"first": "2026-11-18", "last": "2026-11-24", "time_zone": "UTC", "filter": null},
        "totals": Totals::default(), "days": [], "hours": [], "before": null, "pages": ranking, "elements": ranking,
        "families": ranking, "systems": ranking, "devices": ranking, "bots": ranking
    });
    let answers = Answers::default()
        .json(200, "The numbers.", named("Report"), example)
        .with(304, ResponseBuilder::new().description("Nothing has changed since `If-None-Match`."))
        .shared([Shared::BadRequest, Shared::Unauthorized, Shared::Forbidden, Shared::Unavailable]);
    let more = "What the page shows, with every URL. For staff, unless the settings say otherwise.";
    with_parameters(for_somebody(operation(TAG, "report_data", "The report's numbers", more))).responses(answers)
}

/// `GET /report/csv/`.
pub(crate) fn csv() -> OperationBuilder {
    let csv = ContentBuilder::new().schema(Some(text())).build();
    let answers = Answers::default()
        .with(200, ResponseBuilder::new().description("The table, with a line of names.").content("text/csv", csv))
        .with(303, to_the_sign_in())
        .shared([Shared::BadRequest, Shared::Unauthorized, Shared::Forbidden, Shared::Unavailable]);
    let more = "One table, all of its rows, in the form of RFC 4180. For staff, unless the settings say otherwise.";
    let table = in_query("table", "Which table; `days` without it.", one_of_these(TABLES)).build();
    let described = for_somebody(operation(TAG, "report_csv", "A table of the report as CSV", more)).parameter(table);
    with_parameters(described).responses(answers)
}
