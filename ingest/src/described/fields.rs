//! The fields of events in OpenAPI, out of the list by which they are read.

use crate::events::Kind;
use schema::{
    InteractionKind,
    limits::{MAX_ELEMENT_CHARS, MAX_SESSION_ID_CHARS, MAX_URL_CHARS, MAX_USER_ID_CHARS},
};
use serde_json::{Value, json};
use service::openapi::schemas::{any_of, clean_text, formatted, named, one_of_these, or_empty, or_null, text};
use utoipa::openapi::{
    ObjectBuilder, RefOr, Schema,
    schema::{SchemaType, Type},
};

/// How a body is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Json,
    /// Every value is a text.
    Form,
}

/// Something besides blanks, and no NUL.
const NOT_BLANK: &str = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$";

/// Schemes, hosts and ports that are taken; what is behind them is free but for blanks and control characters.
const URL: &str = r"^(https?|ftps?)://[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z]{2,63})?(:[0-9]{1,5})?([/?#][\u0021-\u007e]*)?$";

/// Metadata in a form is JSON text, for which a pattern can stand in its plain forms alone.
const SCALAR_TEXT: &str = r"^(true|false|null|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?)$";
const OBJECT_TEXT: &str =
    r#"^\{("[A-Za-z0-9_ ]*":(true|false|null|-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,9})?|"[A-Za-z0-9_ ]*"))?\}$"#;

/// A body with the fields of a kind of event. `but` are fields that stand elsewhere in the request.
pub(crate) fn body(kind: Kind, written: Written, but: &[&str]) -> ObjectBuilder {
    let fields = kind.fields().iter().filter(|name| !but.contains(name));
    fields.fold(ObjectBuilder::new().schema_type(Type::Object), |body, name| {
        let body = body.property(*name, field(name, written));
        if is_required(name) { body.required(*name) } else { body }
    })
}

/// Whether an event without it is refused.
pub(crate) fn is_required(name: &str) -> bool {
    matches!(name, "session_id" | "user_agent" | "ip_address" | "url" | "event_type" | "element")
}

/// What a field may hold.
pub(crate) fn field(name: &str, written: Written) -> RefOr<Schema> {
    match name {
        "session_id" => trimmed(written, MAX_SESSION_ID_CHARS, "The session's own name; unique, case matters."),
        "user_agent" => trimmed(written, usize::MAX, "The browser's `User-Agent`."),
        "element" => trimmed(written, MAX_ELEMENT_CHARS, "What was used: a selector, a name."),
        "user_id" => {
            let user = clean_text().max_length(Some(MAX_USER_ID_CHARS));
            taken(user, written, "Who it is, where that is known.", true)
        }
        "ip_address" => {
            let forms = [formatted("ipv4").into(), formatted("ipv6").into()];
            any_of(forms).description(Some("The visitor's address, IPv4 or IPv6.")).into()
        }
        "url" => text()
            .pattern(Some(URL))
            .max_length(Some(MAX_URL_CHARS))
            .description(Some(
                "Begins with http, https, ftp or ftps. International hosts, IPv6 in brackets and `user:password@` are \
                 taken as well.",
            ))
            .into(),
        "event_type" => {
            one_of_these(InteractionKind::ALL.iter().map(|kind| kind.as_str())).description(Some("What was done.")).into()
        }
        "metadata" if written == Written::Form => {
            let forms = [text().pattern(Some(SCALAR_TEXT)).into(), text().pattern(Some(OBJECT_TEXT)).into()];
            any_of(forms)
                .description(Some("Whatever belongs to it: any JSON as text, not only a flat object; `{}` without it."))
                .into()
        }
        "metadata" => named("Metadata"),
        "end_time" => {
            let more = "When the session ended: ISO 8601 with or without zone, or a day.";
            let time = formatted("date-time").description(Some(more));
            if written == Written::Json { or_null(time).into() } else { or_empty(time) }
        }
        "start_time" | "timestamp" => ObjectBuilder::new()
            .schema_type(SchemaType::AnyValue)
            .description(Some(
                "When it happened: a time in ISO 8601 within the last 30 days. Whatever else it is, the server's time is \
                 taken instead, and `time_source` says so.",
            ))
            .examples([json!("2026-11-24T09:30:00Z")])
            .into(),
        "event_id" => {
            let id = formatted("uuid").description(Some(
                "Makes sending again harmless: the same one for the same session is stored once within seven days.",
            ));
            if written == Written::Json { id.into() } else { or_empty(id) }
        }
        other => unreachable!("{other} is no field of an event"),
    }
}

/// A text that is trimmed and may not be blank.
fn trimmed(written: Written, max: usize, more: &str) -> RefOr<Schema> {
    let schema = text().pattern(Some(NOT_BLANK)).min_length(Some(1));
    let schema = if max == usize::MAX { schema } else { schema.max_length(Some(max)) };
    taken(schema, written, more, false)
}

/// Numbers are taken for their text.
fn taken(schema: ObjectBuilder, written: Written, more: &str, null: bool) -> RefOr<Schema> {
    let schema = schema.description(Some(more));
    if written == Written::Form {
        return schema.into();
    }
    let kinds = [Type::String, Type::Number].into_iter().chain(null.then_some(Type::Null));
    schema.schema_type(kinds.collect::<SchemaType>()).into()
}

/// An event as it could be sent.
pub(crate) fn example(kind: Kind, written: Written) -> Value {
    match kind {
        Kind::Session => json!({
            "session_id": "s-1", "user_agent": "Mozilla/5.0 Firefox/140.0", "ip_address": "192.0.2.1", "user_id": "ann"
        }),
        Kind::PageView => json!({"session_id": "s-1", "url": "https://shop.example/"}),
        Kind::Interaction => {
            let metadata = json!({"price": 9.5});
            let metadata = if written == Written::Form { metadata.to_string().into() } else { metadata };
            json!({"session_id": "s-1", "event_type": "click", "element": "#buy", "metadata": metadata})
        }
        Kind::SessionEnd => json!({"session_id": "s-1"}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::tests::clock, events::validate, json};

    const ALL: [Kind; 4] = [Kind::Session, Kind::PageView, Kind::Interaction, Kind::SessionEnd];

    #[test]
    fn what_is_required_is_what_is_missed() {
        for kind in ALL {
            let empty = json::parse("{}", kind.fields()).unwrap();
            let missed = serde_json::to_value(validate(kind, &empty, clock()).unwrap_err()).unwrap();
            for name in kind.fields() {
                assert_eq!(missed.get(name).is_some(), is_required(name), "{name} of {kind:?}");
            }
        }
    }

    #[test]
    fn every_example_is_taken_and_every_field_described() {
        for kind in ALL {
            let text = example(kind, Written::Json).to_string();
            assert!(validate(kind, &json::parse(&text, kind.fields()).unwrap(), clock()).is_ok(), "{text}");
            for written in [Written::Json, Written::Form] {
                let body = body(kind, written, &[]).build();
                assert_eq!(body.properties.len(), kind.fields().len());
            }
        }
    }
}
