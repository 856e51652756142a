//! The lists, their details and the root in OpenAPI.

use super::{interactions, page_views, sessions};
use crate::filters;
use serde_json::{Value, json};
use service::{
    openapi::{
        Answers, Shared, format, header, in_path, in_query, open_by_default, operation,
        schemas::{
            any_integer, clean_text, count, formatted, integer, lenient, list as list_of, named, object, one_of_these,
            or_null, text,
        },
    },
    resource::Resource,
};
use utoipa::openapi::{
    RefOr, Schema,
    path::{OperationBuilder, Parameter},
};

const TAG: &str = "Reading";

/// The schemas that lists and details refer to.
pub(crate) fn schemas() -> [(&'static str, RefOr<Schema>); 3] {
    [
        ("Session", sessions::schema().into()),
        ("PageView", page_views::schema().into()),
        ("Interaction", interactions::schema().into()),
    ]
}

/// What a resource is called.
struct Words {
    one: &'static str,
    many: &'static str,
    schema: &'static str,
    id: &'static str,
    orders: &'static str,
    searched: &'static str,
}

fn words(resource: Resource) -> Words {
    match resource {
        Resource::Sessions => Words {
            one: "a session",
            many: "sessions",
            schema: "Session",
            id: "session",
            orders: "`start_time`, `end_time`",
            searched: "`session_id`, `user_agent`, `ip_address`",
        },
        Resource::PageViews => Words {
            one: "a page view",
            many: "page views",
            schema: "PageView",
            id: "pageview",
            orders: "`timestamp`",
            searched: "`url`, `session_id`",
        },
        Resource::Interactions => Words {
            one: "an interaction",
            many: "interactions",
            schema: "Interaction",
            id: "interaction",
            orders: "`timestamp`",
            searched: "`session_id`, `element`",
        },
    }
}

fn example(resource: Resource) -> Value {
    match resource {
        Resource::Sessions => sessions::example(),
        Resource::PageViews => page_views::example(),
        Resource::Interactions => interactions::example(),
    }
}

/// `GET /`.
pub(crate) fn root() -> OperationBuilder {
    let address = || formatted("uri").into();
    let lists = object(Resource::ALL.map(|resource| (resource.path(), address())));
    let addresses = Resource::ALL.map(|resource| {
        (resource.path().to_owned(), Value::from(format!("http://127.0.0.1:8080/{}/", resource.path())))
    });
    let answers = Answers::default()
        .json(200, "The addresses of the lists.", lists, Value::Object(addresses.into_iter().collect()))
        .shared([Shared::Unauthorized, Shared::NotFound, Shared::NotAcceptable, Shared::Unavailable]);
    operation(TAG, "root", "Where the lists are", "").parameter(format()).responses(answers)
}

/// The list of a resource.
pub(crate) fn list(resource: Resource) -> OperationBuilder {
    let words = words(resource);
    let more = "Newest first, unless `ordering` says otherwise; `id` breaks ties. All filters have to match; empty values \
                are no filters, unknown parameters are ignored.";
    let id = format!("list_{}", resource.path());
    let mut described = open_by_default(operation(TAG, id, format!("List {}", words.many), more));
    for parameter in paging(resource) {
        described = described.parameter(parameter);
    }
    for parameter in narrowing(resource) {
        described = described.parameter(parameter);
    }
    described.responses(list_answers(resource))
}

fn list_answers(resource: Resource) -> Answers {
    let words = words(resource);
    let page = object([
        ("count", or_null(count()).description(Some("How many match; null with `count=none`.")).into()),
        ("next", or_null(formatted("uri")).into()),
        ("previous", or_null(formatted("uri")).into()),
        ("results", list_of(named(words.schema)).into()),
    ]);
    let shown = json!({
        "count": 11, "next": format!("http://127.0.0.1:8080/{}/?limit=10&offset=10", resource.path()), "previous": null,
        "results": [example(resource)]
    });
    let capped = header("`capped` when there are more than the count says.", one_of_these(["capped"]), "capped");
    let link = header(
        "Beyond an offset of 10,000: the address that goes on from here by a cursor.",
        text(),
        format!("<http://127.0.0.1:8080/{}/?cursor=…&limit=10>; rel=\"next\"", resource.path()),
    );
    let response = service::openapi::answer("A page of them.", page, shown);
    let response = service::openapi::with_budget(response.header("Footfall-Count", capped).header("Link", link));
    Answers::default().with(200, response).shared(refusals())
}

/// One object of a resource.
pub(crate) fn detail(resource: Resource) -> OperationBuilder {
    let words = words(resource);
    let more = "Search and filters count here as well: an object that does not match is not found.";
    let id = format!("get_{}", words.id);
    let mut described = open_by_default(operation(TAG, id, format!("Get {}", words.one), more));
    described = described.parameter(in_path("id", "Its primary key.", any_integer()));
    described = described.parameter(format());
    for parameter in narrowing(resource) {
        described = described.parameter(parameter);
    }
    let found = service::openapi::answer("The object.", named(words.schema), example(resource));
    described.responses(Answers::default().with(200, service::openapi::with_budget(found)).shared(refusals()))
}

fn refusals() -> [Shared; 8] {
    [
        Shared::BadRequest,
        Shared::Unauthorized,
        Shared::Forbidden,
        Shared::NotFound,
        Shared::SwitchedOff,
        Shared::NotAcceptable,
        Shared::TooMany,
        Shared::Unavailable,
    ]
}

/// What chooses a page.
fn paging(resource: Resource) -> Vec<Parameter> {
    let orders = format!(
        "Names of fields with commas between them, `-` in front for descending: {} unless the settings say otherwise. Other \
         names are ignored.",
        words(resource).orders
    );
    let limit = integer().minimum(Some(1)).maximum(Some(100)).default(Some(10.into()));
    let offset = count().default(Some(0.into()));
    let how = one_of_these(["exact", "capped", "none"]).default(Some("exact".into()));
    vec![
        in_query("limit", "How many at most.", lenient(limit, "Too large: 100. Too small or no number: 10."))
            .example(Some(5.into()))
            .build(),
        in_query("offset", "How many to pass over.", lenient(offset, "Negative or no number: 0.")).build(),
        in_query(
            "cursor",
            "Walks the list instead of `offset`, at the same cost however deep: empty for the first page, then as `next` \
             and `previous` have it. 400 when it is used with other filters or another order than it was made for.",
            text(),
        )
        .build(),
        in_query("ordering", orders, text()).build(),
        in_query(
            "count",
            "How to count: all; up to 10,000, with the header `Footfall-Count` when there are more; not at all.",
            lenient(how, "As `exact`."),
        )
        .build(),
        format(),
    ]
}

/// Search and filters.
fn narrowing(resource: Resource) -> Vec<Parameter> {
    let searched = format!(
        "Words with blanks or commas between them; all have to stand somewhere in {} (unless the settings say \
         otherwise), whatever the case. Quotes hold a phrase together; at most 64 different words.",
        words(resource).searched
    );
    let mut all = vec![in_query("search", searched, clean_text()).build()];
    all.extend(filters::parameters(resource));
    all
}
