//! What the services say about themselves in OpenAPI. A route is added together with its description ([`Endpoints`]),
//! so that none is left out; what many operations share stands here once.

mod answers;
mod preflight;
pub mod schemas;

pub use answers::{Answers, Shared, answer, header, with_budget};

use crate::{access::SESSION_COOKIE, target::Target};
use axum::{
    Router,
    handler::Handler,
    routing::{MethodRouter, get, post},
};
use utoipa::{
    ToSchema,
    openapi::{
        Components, HttpMethod, Info, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, Tag,
        path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

/// The names of the two ways to say who one is.
const BEARER: &str = "bearer";
const COOKIE: &str = "cookie";

/// Routes, each with the description of what it answers.
pub struct Endpoints<S = ()> {
    router: Router<S>,
    paths: Paths,
}

impl<S: Clone + Send + Sync + 'static> Default for Endpoints<S> {
    fn default() -> Self {
        Self { router: Router::new(), paths: Paths::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> Endpoints<S> {
    /// A route for GET, and with it HEAD.
    #[must_use]
    pub fn get<T: 'static>(self, path: &str, handler: impl Handler<T, S>, described: OperationBuilder) -> Self {
        self.add(path, HttpMethod::Get, get(handler), described.build())
    }

    /// A route for POST.
    #[must_use]
    pub fn post<T: 'static>(self, path: &str, handler: impl Handler<T, S>, described: OperationBuilder) -> Self {
        self.add(path, HttpMethod::Post, post(handler), described.build())
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where a route is added, with its description")]
    fn add(mut self, path: &str, method: HttpMethod, route: MethodRouter<S>, described: Operation) -> Self {
        self.router = self.router.route(path, route);
        self.paths.add_path_operation(path, vec![method], described);
        // the gate answers OPTIONS for all of these alike, whichever service is asked
        if let Some(target) = Target::of(path, None) {
            self.paths.add_path_operation(path, vec![HttpMethod::Options], preflight::operation(path, target));
        }
        self
    }

    /// The routes.
    pub fn into_router(self) -> Router<S> {
        self.router
    }

    /// The descriptions.
    pub fn into_paths(self) -> Paths {
        self.paths
    }
}

/// A part of a description, to be merged with those of others.
pub fn part(paths: Paths, schemas: impl IntoIterator<Item = (&'static str, RefOr<Schema>)>, tags: Vec<Tag>) -> OpenApi {
    let mut components = Components::new();
    components.schemas.extend(schemas.into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    OpenApiBuilder::new().paths(paths).components(Some(components)).tags(Some(tags)).build()
}

/// The schemas of a type and of all that it refers to.
pub fn schemas_of<T: ToSchema>() -> Vec<(String, RefOr<Schema>)> {
    let mut all = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut all);
    all
}

/// What all parts refer to: what is answered alike everywhere, and how one says who one is.
pub fn common(info: Info) -> OpenApi {
    let mut components = Components::new();
    components.schemas.extend(answers::schemas());
    components.responses.extend(Shared::ALL.map(|shared| (shared.name(), RefOr::T(shared.response().build()))));
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("For programs: made by `footfall token issue`."));
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let cookie = ApiKeyValue::with_description(
        SESSION_COOKIE,
        "For people: set by `/sign-in/`. Where the request has an `Origin`, it counts only from pages of this site \
         and of the allowed origins.",
    );
    components.add_security_scheme(COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    OpenApiBuilder::new().info(info).components(Some(components)).build()
}

/// An operation: its group, its name for programs, what it does in a line and in full.
pub fn operation(tag: &str, id: impl Into<String>, summary: impl Into<String>, more: &str) -> OperationBuilder {
    OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(id.into()))
        .summary(Some(summary.into()))
        .description((!more.is_empty()).then_some(more))
}

/// Who may: everybody where the settings have not raised the level.
pub fn open_by_default(operation: OperationBuilder) -> OperationBuilder {
    operation.security(SecurityRequirement::default()).security(requirement(BEARER)).security(requirement(COOKIE))
}

/// Who may: those alone who say who they are.
pub fn for_somebody(operation: OperationBuilder) -> OperationBuilder {
    operation.security(requirement(BEARER)).security(requirement(COOKIE))
}

fn requirement(name: &str) -> SecurityRequirement {
    SecurityRequirement::new(name, Vec::<String>::new())
}

/// A parameter of the query that may be left out.
pub fn in_query(name: &str, more: impl Into<String>, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .description(Some(more))
        .schema(Some(schema.into()))
}

/// A part of the path.
pub fn in_path(name: &str, more: &str, schema: impl Into<RefOr<Schema>>) -> ParameterBuilder {
    in_query(name, more, schema).parameter_in(ParameterIn::Path)
}

/// `format`, which all that answer JSON have.
pub fn format() -> Parameter {
    let schema = schemas::one_of_these(["json", ""]);
    in_query("format", "JSON is what there is; any other value is answered 404.", schema).build()
}
