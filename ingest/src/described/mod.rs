//! What ingest takes and answers, in OpenAPI.

pub(crate) mod fields;

use crate::{events::Kind, submit};
use fields::{Written, body, example, field};
use serde_json::json;
use service::openapi::{
    Answers, Shared, answer, format, header, in_path, in_query, open_by_default, operation,
    schemas::{any_of, named, one_of_these, text},
    with_budget,
};
use utoipa::openapi::{
    Content, ContentBuilder, RefOr, Required, Schema, Tag,
    path::OperationBuilder,
    request_body::RequestBodyBuilder,
    response::ResponseBuilder,
    schema::{Object, Type},
    tag::TagBuilder,
};

pub(crate) const TAG: &str = "Sending";

/// What can be sent to a path of its own.
pub(crate) const KINDS: [Kind; 4] = [Kind::Session, Kind::PageView, Kind::Interaction, Kind::SessionEnd];

/// The group of ingest's operations.
pub(crate) fn tags() -> Vec<Tag> {
    let more = "Events. 202 means that they are kept for good; lists show them a moment later.";
    vec![TagBuilder::new().name(TAG).description(Some(more)).build()]
}

/// What the paths refer to.
pub(crate) fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let mut all: Vec<(&'static str, RefOr<Schema>)> = vec![("Metadata", metadata())];
    for kind in KINDS {
        let words = words(kind);
        all.push((words.sent, body(kind, Written::Json, words.but).into()));
        all.push((words.form, body(kind, Written::Form, words.but).into()));
        all.push((words.accepted, submit::described(kind).into()));
    }
    all
}

/// Any JSON but null.
fn metadata() -> RefOr<Schema> {
    use service::openapi::schemas::{clean_text, list, map};
    let scalar = Object::with_type(utoipa::openapi::schema::SchemaType::from_iter([Type::Boolean, Type::Number]));
    let object = map(named("Json")).property_names(Some(Schema::Object(clean_text().build())));
    any_of([object.into(), list(named("Json")).into(), clean_text().into(), scalar.into()])
        .description(Some(
            "Whatever belongs to it: any JSON but null, `{}` without it. At most 128 levels deep, no NUL.",
        ))
        .into()
}

struct Words {
    id: &'static str,
    summary: &'static str,
    more: &'static str,
    sent: &'static str,
    form: &'static str,
    accepted: &'static str,
    /// Fields that stand in the path.
    but: &'static [&'static str],
}

fn words(kind: Kind) -> Words {
    match kind {
        Kind::Session => Words {
            id: "announce_session",
            summary: "Announce a session",
            more: "Again is fine: what the first announcement said stays, what it left out is filled in, and the last \
                   `end_time` counts.",
            sent: "NewSession",
            form: "NewSessionForm",
            accepted: "AcceptedSession",
            but: &[],
        },
        Kind::PageView => Words {
            id: "record_pageview",
            summary: "Record a page view",
            more: "A session that nobody has announced begins with it, and may be announced later.",
            sent: "NewPageView",
            form: "NewPageViewForm",
            accepted: "AcceptedPageView",
            but: &[],
        },
        Kind::Interaction => Words {
            id: "record_interaction",
            summary: "Record an interaction",
            more: "A session that nobody has announced begins with it, and may be announced later.",
            sent: "NewInteraction",
            form: "NewInteractionForm",
            accepted: "AcceptedInteraction",
            but: &[],
        },
        Kind::SessionEnd => Words {
            id: "end_session",
            summary: "End a session",
            more: "The body may be empty. The last end counts.",
            sent: "SessionEnd",
            form: "SessionEndForm",
            accepted: "AcceptedSessionEnd",
            but: &["session_id"],
        },
    }
}

/// `POST` of an event.
pub(crate) fn single(kind: Kind) -> OperationBuilder {
    let words = words(kind);
    let content = |schema: &str, written| -> Content {
        let mut example = example(kind, written);
        if let Some(object) = example.as_object_mut() {
            object.retain(|name, _| !words.but.contains(&name.as_str()));
        }
        ContentBuilder::new().schema(Some(named(schema))).example(Some(example)).build()
    };
    let request = RequestBodyBuilder::new()
        .description(Some("At most 2,621,440 bytes. Other fields are ignored; of repeated ones the last counts."))
        .content("application/json", content(words.sent, Written::Json))
        .content("text/plain", content(words.sent, Written::Json))
        .content("application/x-www-form-urlencoded", content(words.form, Written::Form))
        .content("multipart/form-data", content(words.form, Written::Form))
        .required(Some(if kind == Kind::SessionEnd { Required::False } else { Required::True }));
    let text_too = "`text/plain` is read as JSON, so that a browser's `sendBeacon` needs no preflight.";
    let mut described = operation(TAG, words.id, words.summary, &format!("{} {text_too}", words.more));
    if kind == Kind::SessionEnd {
        described =
            described.parameter(in_path("session_id", "The session's own name.", field("session_id", Written::Form)));
    }
    let accepted = answer("It is on the log, for good.", named(words.accepted), submit::example(kind))
        .header("Footfall-Stored", header("What keeps it.", text(), "postgresql"))
        .header("Footfall-Position", header("Where it is on the log: partition and offset.", text(), "3/512"));
    open_by_default(described)
        .parameter(format())
        .request_body(Some(request.build()))
        .responses(Answers::default().with(202, with_budget(accepted)).shared(refusals()))
}

pub(crate) fn refusals() -> [Shared; 11] {
    [
        Shared::BadRequest,
        Shared::Unauthorized,
        Shared::Forbidden,
        Shared::NotFound,
        Shared::SwitchedOff,
        Shared::NotAcceptable,
        Shared::TooSlow,
        Shared::TooLarge,
        Shared::Unsupported,
        Shared::TooMany,
        Shared::NotStored,
    ]
}

/// `GET /pixel.gif`.
pub(crate) fn pixel() -> OperationBuilder {
    let more = "For pages without scripts. The parameters are the fields of a page view, or of an interaction where \
                `event_type` or `element` is given. `url` is the page that shows the pixel, as `Referer` tells it, when it \
                is not given. HEAD records nothing.";
    let mut described = operation(TAG, "pixel", "Record a page view with an image", more);
    for name in Kind::PageView.fields().iter().chain(&["event_type", "element", "metadata"]) {
        let parameter = in_query(name, "As in the body of the event.", field(name, Written::Form));
        let parameter = match *name {
            "session_id" => parameter.required(Required::True).example(Some(json!("s-1"))),
            "url" => parameter.example(Some(json!("https://shop.example/"))),
            _ => parameter,
        };
        described = described.parameter(parameter);
    }
    let image = ContentBuilder::new().schema(Some(Object::with_type(Type::String))).build();
    let image = ResponseBuilder::new()
        .description("It is on the log, for good; one transparent pixel.")
        .content("image/gif", image)
        .header("Footfall-Stored", header("What keeps it.", text(), "postgresql"));
    let refused = refusals().into_iter().filter(|shared| {
        !matches!(shared, Shared::NotAcceptable | Shared::TooSlow | Shared::Unsupported | Shared::NotFound)
    });
    open_by_default(described).responses(Answers::default().with(200, with_budget(image)).shared(refused))
}

/// Whose time an event's own is.
pub(crate) fn time_source() -> RefOr<Schema> {
    one_of_these(["client", "server"]).description(Some("Whose time the event's own is.")).into()
}
