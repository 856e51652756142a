//! What describes, described.

use serde_json::json;
use service::openapi::{
    Answers, Shared, operation,
    schemas::{object, such_as, text},
};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, Tag, path::OperationBuilder, response::ResponseBuilder, schema::Type,
    tag::TagBuilder,
};

const TAG: &str = "Service";

/// The groups of query-api's operations.
pub(crate) fn tags() -> Vec<Tag> {
    [
        ("Reading", "Lists and single objects. What was taken a moment ago may not be there yet: see the status."),
        ("Report", "Days in numbers."),
        ("Signing in", "For people with a browser."),
        ("Service", "How it is, and how to use it."),
        ("Browsers", "What browsers ask before a page of another origin may use the API."),
    ]
    .into_iter()
    .map(|(name, more)| TagBuilder::new().name(name).description(Some(more)).build())
    .collect()
}

/// `GET /openapi.json`.
pub(crate) fn document() -> OperationBuilder {
    let any = ObjectBuilder::new().schema_type(Type::Object);
    let document = object([("openapi", such_as(text(), "3.1.0").into()), ("paths", any.into())]).additional_properties(
        Some(utoipa::openapi::schema::AdditionalProperties::<utoipa::openapi::Schema>::FreeForm(true)),
    );
    let answers = Answers::default()
        .json(200, "The document.", document, json!({"openapi": "3.1.0", "paths": {}}))
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    operation(TAG, "openapi", "This description, as OpenAPI 3.1", "").responses(answers)
}

/// `GET /docs/`.
pub(crate) fn page() -> OperationBuilder {
    let answers = Answers::default().page(200, "The page.").shared([Shared::Unauthorized, Shared::Unavailable]);
    operation(TAG, "docs", "This description, as a page", "").responses(answers)
}

/// `GET /assets/footfall.css`.
pub(crate) fn stylesheet() -> OperationBuilder {
    let css = ContentBuilder::new().schema(Some(text())).build();
    let answers = Answers::default()
        .with(200, ResponseBuilder::new().description("The style sheet.").content("text/css", css))
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    operation(TAG, "stylesheet", "What the pages look like", "").responses(answers)
}

/// `GET /assets/icon.svg`.
pub(crate) fn icon() -> OperationBuilder {
    let image = ContentBuilder::new().schema(Some(text())).build();
    let answers = Answers::default()
        .with(200, ResponseBuilder::new().description("The icon.").content("image/svg+xml", image))
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    operation(TAG, "icon", "What a browser's tab shows", "").responses(answers)
}

/// `GET /assets/report.js`.
pub(crate) fn script() -> OperationBuilder {
    let script = ContentBuilder::new().schema(Some(text())).build();
    let answers = Answers::default()
        .with(200, ResponseBuilder::new().description("The script.").content("text/javascript", script))
        .shared([Shared::Unauthorized, Shared::Unavailable]);
    operation(TAG, "report_script", "What renews the report when it is asked to", "").responses(answers)
}
