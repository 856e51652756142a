//! `POST /batch/` in OpenAPI.

use crate::{
    described::{
        KINDS, TAG,
        fields::{self, Written},
        refusals, time_source,
    },
    events::Kind,
};
use schema::limits::MAX_BATCH_EVENTS;
use serde_json::{Value, json};
use service::openapi::{
    Answers, Shared, answer, format, header, open_by_default, operation,
    schemas::{any_of, count, formatted, integer, list, named, object, one_of_these, or_null, text, time},
    with_budget,
};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, RefOr, Required, Schema,
    path::{OperationBuilder, ParameterBuilder, ParameterIn},
    request_body::RequestBodyBuilder,
    response::ResponseBuilder,
};

/// What an event of a batch says it is.
fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Session => "session",
        Kind::PageView => "pageview",
        Kind::Interaction => "interaction",
        Kind::SessionEnd => "session_end",
    }
}

/// What the path refers to.
pub(crate) fn schemas() -> Vec<(&'static str, RefOr<Schema>)> {
    let event = any_of(KINDS.map(|kind| event(kind).into()))
        .description(Some("Fields as for an event of its own; but a time that cannot be taken is an error here."));
    let batch = ObjectBuilder::new()
        .property("events", list(named("BatchEvent")).max_items(Some(MAX_BATCH_EVENTS)))
        .required("events")
        .property(
            "sent_at",
            or_null(formatted("date-time").description(Some(
                "When it was sent by the client's clock: its times are corrected by the difference to the server's.",
            ))),
        );
    vec![
        ("BatchEvent", event.into()),
        ("NewBatch", batch.into()),
        ("EventResult", result().into()),
        ("BatchAnswer", object([("recorded_at", time().into()), ("results", results())]).into()),
        ("BatchNotStored", not_stored().into()),
    ]
}

fn event(kind: Kind) -> ObjectBuilder {
    let mut event =
        fields::body(kind, Written::Json, &[]).property("type", one_of_these([type_name(kind)])).required("type");
    for name in ["timestamp", "start_time"] {
        if kind.fields().contains(&name) {
            event = event.property(name, formatted("date-time").description(Some("When it happened, within 30 days.")));
        }
    }
    event
}

fn results() -> RefOr<Schema> {
    list(named("EventResult")).description(Some("One for each event, in their order.")).into()
}

fn result() -> ObjectBuilder {
    let status = one_of_these(["accepted", "duplicate", "rejected", "retry"]).description(Some(
        "`duplicate`: the same `event_id` for the same session stands earlier in this request. `rejected`: see `errors`. \
         `retry`: not confirmed; send it again.",
    ));
    object([("status", status.into())])
        .property(
            "id",
            integer().description(Some("The `id` under which a page view or an interaction will be found.")),
        )
        .property("event_id", formatted("uuid"))
        .property("time_source", time_source())
        .property("stored", one_of_these(["no", "unknown"]))
        .property("errors", named("FieldErrors"))
}

/// Of 503: the whole batch was not confirmed, or was not even read.
fn not_stored() -> ObjectBuilder {
    object([("detail", text().into())])
        .property("stored", one_of_these(["no", "unknown"]))
        .property("recorded_at", time())
        .property("results", results())
}

/// `POST /batch/`.
pub(crate) fn batch() -> OperationBuilder {
    let events = || {
        KINDS.map(|kind| {
            let mut event = fields::example(kind, Written::Json);
            event["type"] = type_name(kind).into();
            event
        })
    };
    let document = json!({ "events": events() });
    let lines = events().map(|event| event.to_string()).join("\n");
    let content = |example: Value| ContentBuilder::new().schema(Some(named("NewBatch"))).example(Some(example)).build();
    let one_a_line = ContentBuilder::new().schema(Some(list(named("BatchEvent")))).example(Some(lines.into())).build();
    let request = RequestBodyBuilder::new()
        .description(Some(
            "At most 2,000 events and 10 MiB after inflation. One event a line as `application/x-ndjson`.",
        ))
        .content("application/json", content(document.clone()))
        .content("text/plain", content(document))
        .content("application/x-ndjson", one_a_line)
        .required(Some(Required::True));
    let coding = ParameterBuilder::new()
        .name("Content-Encoding")
        .parameter_in(ParameterIn::Header)
        .description(Some("How the body is compressed."))
        .schema(Some(one_of_these(["identity", "gzip", "br", "zstd", "deflate", ""])));
    let more = "One bad event never fails the others. A batch is one request of the budget.";
    open_by_default(operation(TAG, "batch", "Send many events at once", more))
        .parameter(format())
        .parameter(coding)
        .request_body(Some(request.build()))
        .responses(answers())
}

fn answers() -> Answers {
    let accepted = json!({"status": "accepted", "id": 4_503_599_627_370_498_i64,
        "event_id": "0198a1c2-7d3e-7f00-8000-000000000001", "time_source": "server"});
    let rejected = json!({"status": "rejected", "errors": {"url": ["Enter a valid URL."]}});
    let recorded_at = "2026-11-24T09:30:00.125000Z";
    let with_results = |what, results: Value| {
        answer(what, named("BatchAnswer"), json!({"recorded_at": recorded_at, "results": results}))
    };
    let kept = |response: ResponseBuilder| {
        with_budget(response.header("Footfall-Stored", header("What keeps them.", text(), "postgresql")))
    };
    let retry_after = || header("Whole seconds until it is worth another try.", count(), 1);
    let told = "The log did not confirm the events. Send them again with the same event_ids.";
    let none = answer("None was confirmed.", named("BatchNotStored"), json!({"detail": told, "stored": "no"}));
    let wrong = any_of([named("BatchAnswer"), named("FieldErrors"), named("Detail")]);
    let wrong = answer(
        "Every event was rejected, or the request as a whole is wrong.",
        wrong,
        json!({"recorded_at": recorded_at, "results": [rejected.clone()]}),
    );
    let refused = refusals().into_iter().filter(|shared| !matches!(shared, Shared::BadRequest | Shared::NotStored));
    Answers::default()
        .shared(refused)
        .with(202, kept(with_results("All are on the log, for good, duplicates included.", json!([accepted.clone()]))))
        .with(
            207,
            kept(with_results("The results differ.", json!([accepted, rejected]))).header("Retry-After", retry_after()),
        )
        .with(400, wrong)
        .with(503, none.header("Retry-After", retry_after()))
}
