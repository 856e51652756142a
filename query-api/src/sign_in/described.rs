//! Signing in and out, in OpenAPI.

use serde_json::json;
use service::openapi::{
    Answers, Shared, header, in_query, operation,
    schemas::{count, text},
};
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, path::OperationBuilder, request_body::RequestBodyBuilder, response::ResponseBuilder,
};

const TAG: &str = "Signing in";

fn seen_off(what: &str, to: &str) -> ResponseBuilder {
    let location = header("Where to go on.", text(), to);
    let cookie =
        header("The session's cookie, set or taken away.", text(), "footfall_session=…; HttpOnly; SameSite=Lax");
    ResponseBuilder::new().description(what).header("Location", location).header("Set-Cookie", cookie)
}

/// `GET /sign-in/`.
pub(crate) fn form() -> OperationBuilder {
    let answers = Answers::default()
        .page(200, "The form.")
        .with(303, seen_off("The link was good: signed in.", "/report/"))
        .page(422, "The link has been used or has expired; the form.")
        .page_while_away()
        .shared([Shared::Unauthorized]);
    operation(TAG, "sign_in_form", "The form to sign in", "")
        .parameter(in_query("link", "A one-time link's secret, as `footfall up` prints it.", text()))
        .parameter(in_query("next", "A path of this site to go to afterwards.", text()))
        .responses(answers)
}

/// `POST /sign-in/`.
pub(crate) fn submit() -> OperationBuilder {
    let fields = ["name", "password", "token", "next"]
        .into_iter()
        .fold(ObjectBuilder::new(), |form, name| form.property(name, text()));
    let example = json!({"name": "ann", "password": "correct horse", "token": "eyJ…", "next": "/report/"});
    let form = ContentBuilder::new().schema(Some(fields)).example(Some(example)).build();
    let wait = ContentBuilder::new().schema(Some(text())).build();
    let wait = ResponseBuilder::new()
        .description("Too many attempts have failed.")
        .header("Retry-After", header("Whole seconds.", count(), 30))
        .content("text/html", wait);
    let answers = Answers::default()
        .with(303, seen_off("Signed in.", "/report/"))
        .with(429, wait)
        .page(408, "The form did not arrive within 30 seconds.")
        .page(413, "The form is larger than 64 KiB.")
        .page(422, "Not signed in: the form again, with what was wrong.")
        .page_while_away()
        .shared([Shared::Unauthorized]);
    let more = "`token` is the hidden field of the form, and fits its cookie. Programs use tokens instead.";
    operation(TAG, "sign_in", "Sign in with name and password", more)
        .request_body(Some(RequestBodyBuilder::new().content("application/x-www-form-urlencoded", form).build()))
        .responses(answers)
}

/// `POST /sign-out/`.
pub(crate) fn sign_out() -> OperationBuilder {
    let fields = ObjectBuilder::new().property("token", text());
    let form = ContentBuilder::new().schema(Some(fields)).example(Some(json!({"token": "eyJ…"}))).build();
    let answers = Answers::default()
        .with(303, seen_off("Signed out.", "/sign-in/"))
        .page(403, "Still signed in: the form was not given to this sign-in, or comes from another site.")
        .page(408, "The form did not arrive within 30 seconds.")
        .page(413, "The form is larger than 64 KiB.")
        .page_while_away()
        .shared([Shared::Unauthorized]);
    let more = "For pages of this site alone: `token` is the hidden field of the form, and fits the session's cookie.";
    operation(TAG, "sign_out", "Sign out", more)
        .request_body(Some(RequestBodyBuilder::new().content("application/x-www-form-urlencoded", form).build()))
        .responses(answers)
}
