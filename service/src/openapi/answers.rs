//! Answers: those that many operations have (contract § 4), and the way to write others down.

use super::schemas::{clean_text, count, list, map, named, object, one_of_these, text};
use serde_json::{Value, json};
use utoipa::openapi::{
    ContentBuilder, HeaderBuilder, Ref, RefOr, Schema,
    header::Header,
    response::{Response, ResponseBuilder, Responses},
};

/// The schemas of errors.
pub(super) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let detail = object([("detail", text().description(Some("What is wrong.")).into())]);
    let fields = map(list(text())).description(Some(
        "Messages by field or parameter, all of them at once. `non_field_errors` is for the body as a whole.",
    ));
    let messages = list(text()).description(Some("What is wrong with a search, which is no field."));
    let stored = one_of_these(["no", "unknown"]).description(Some(
        "Whether it may be on the log all the same. `no`: nothing was taken. `unknown`: the log did not answer in \
         time; who sends again with the same `event_id` stores nothing twice.",
    ));
    let not_stored = object([("detail", text().into())]).property("stored", stored);
    vec![
        ("Detail".to_owned(), detail.into()),
        ("FieldErrors".to_owned(), fields.into()),
        ("Messages".to_owned(), messages.into()),
        ("NotStored".to_owned(), not_stored.into()),
        ("Json".to_owned(), super::schemas::json()),
    ]
}

/// An answer that many operations have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// 400 of parameters and bodies.
    BadRequest,
    /// 401
    Unauthorized,
    /// 403
    Forbidden,
    /// 404
    NotFound,
    /// 405: the settings have switched it off.
    SwitchedOff,
    /// 406
    NotAcceptable,
    /// 408
    TooSlow,
    /// 413
    TooLarge,
    /// 415
    Unsupported,
    /// 429
    TooMany,
    /// 503 of what reads.
    Unavailable,
    /// 503 of what writes.
    NotStored,
}

impl Shared {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::SwitchedOff,
        Self::NotAcceptable,
        Self::TooSlow,
        Self::TooLarge,
        Self::Unsupported,
        Self::TooMany,
        Self::Unavailable,
        Self::NotStored,
    ];

    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::SwitchedOff => 405,
            Self::NotAcceptable => 406,
            Self::TooSlow => 408,
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::TooMany => 429,
            Self::Unavailable | Self::NotStored => 503,
        }
    }

    /// Its name among the components.
    pub(super) fn name(self) -> String {
        format!("{self:?}")
    }

    pub(super) fn response(self) -> ResponseBuilder {
        match self {
            Self::BadRequest => {
                let errors = json!({"session_id": ["This field is required."]});
                let schema = super::schemas::any_of([named("FieldErrors"), named("Messages"), named("Detail")]);
                let whole =
                    "What is wrong with fields or parameters, all of it at once, or with the request as a whole.";
                answer(whole, schema, errors)
            }
            Self::Unauthorized => detail(
                "Not signed in where that is needed, or a token that is wrong or has expired.",
                "Authentication credentials were not provided.",
            ),
            Self::Forbidden => {
                detail("Signed in, but not allowed.", "You do not have permission to perform this action.")
            }
            Self::NotFound => detail("There is nothing here.", "Not found."),
            Self::SwitchedOff => detail(
                "The settings have switched this off.",
                "The method \"GET\" is currently disabled for this endpoint. It can be changed in the settings.",
            )
            .header("Allow", header("The methods that there are.", text(), "GET, POST, HEAD, OPTIONS")),
            Self::NotAcceptable => {
                detail("The client does not take JSON.", "Could not satisfy the request Accept header.")
            }
            Self::TooSlow => {
                detail("The body did not arrive within 30 seconds.", "The request body did not arrive in time.")
            }
            Self::TooLarge => {
                detail("The body or the event is too large.", "The request body is larger than 2621440 bytes.")
            }
            Self::Unsupported => detail(
                "The body is written in another way than this takes.",
                "Unsupported media type \"text/xml\" in request.",
            ),
            Self::TooMany => {
                detail("The client has used up its budget.", "Request was throttled. Expected available in 2 seconds.")
                    .header("Retry-After", retry_after())
                    .header("RateLimit", rate_limit("\"base\";r=0;t=2"))
                    .header("RateLimit-Policy", policy())
            }
            Self::Unavailable => {
                let told = "The read model cannot be read now. Try again.";
                detail("The database is away, or the question took too long: then it says how to ask for less.", told)
                    .header("Retry-After", retry_after())
            }
            Self::NotStored => {
                let told = "The event was not stored: the log cannot take it now. Send it again.";
                answer("Not confirmed.", named("NotStored"), json!({"detail": told, "stored": "no"}))
                    .header("Retry-After", retry_after())
            }
        }
    }
}

fn detail(what: &str, told: &str) -> ResponseBuilder {
    answer(what, named("Detail"), json!({ "detail": told }))
}

fn retry_after() -> Header {
    header("Whole seconds until it is worth another try.", count(), 2)
}

fn rate_limit(example: &str) -> Header {
    header("What is left, and in how many seconds there is more.", text(), example)
}

fn policy() -> Header {
    header("The rate that holds: so many requests in so many seconds.", text(), "\"base\";q=30;w=60")
}

/// With the headers that tell what is left of the client's budget, where requests are throttled.
pub fn with_budget(response: ResponseBuilder) -> ResponseBuilder {
    response.header("RateLimit", rate_limit("\"base\";r=29;t=2")).header("RateLimit-Policy", policy())
}

/// A JSON answer with an example.
pub fn answer(what: &str, schema: impl Into<RefOr<Schema>>, example: Value) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example)).build();
    ResponseBuilder::new().description(what).content("application/json", content)
}

/// A header of an answer.
pub fn header(what: &str, schema: impl Into<RefOr<Schema>>, example: impl Into<Value>) -> Header {
    HeaderBuilder::new().description(Some(what)).schema(Some(schema)).example(Some(example.into())).build()
}

/// The answers of an operation.
#[derive(Default)]
pub struct Answers(Responses);

impl Answers {
    /// And this one.
    #[must_use]
    pub fn with(mut self, status: u16, response: ResponseBuilder) -> Self {
        self.0.responses.insert(status.to_string(), RefOr::T(response.build()));
        self
    }

    /// And JSON with an example.
    #[must_use]
    pub fn json(self, status: u16, what: &str, schema: impl Into<RefOr<Schema>>, example: Value) -> Self {
        self.with(status, answer(what, schema, example))
    }

    /// And a page for people.
    #[must_use]
    pub fn page(self, status: u16, what: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(clean_text())).build();
        self.with(status, ResponseBuilder::new().description(what).content("text/html", content))
    }

    /// And a page for people who come while the database is away.
    #[must_use]
    pub fn page_while_away(self) -> Self {
        let content = ContentBuilder::new().schema(Some(clean_text())).build();
        let page = ResponseBuilder::new()
            .description("The database is away, or does not answer in time: a page that says so.")
            .header("Retry-After", retry_after())
            .content("text/html", content);
        self.with(503, page)
    }

    /// And these.
    #[must_use]
    pub fn shared(mut self, all: impl IntoIterator<Item = Shared>) -> Self {
        for shared in all {
            let refers = RefOr::<Response>::Ref(Ref::from_response_name(shared.name()));
            self.0.responses.insert(shared.status().to_string(), refers);
        }
        self
    }
}

impl From<Answers> for Responses {
    fn from(answers: Answers) -> Self {
        answers.0
    }
}
