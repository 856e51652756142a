//! OPTIONS of the paths that pages of other origins may use.

use super::{Answers, Shared, header, schemas};
use crate::target::Target;
use utoipa::openapi::{
    path::{Operation, ParameterBuilder, ParameterIn},
    response::ResponseBuilder,
};

/// Which methods there are, and a browser's question whether a page of another origin may use them.
pub(super) fn operation(path: &str, target: Target) -> Operation {
    let id = format!("options_{}", path.replace(['{', '}', '.'], "_").replace('/', "_").trim_matches('_'));
    let more = "The header `Allow` names the methods. With `Origin` and `Access-Control-Request-Method` it is a \
                browser's preflight, answered for the allowed origins.";
    let mut described = super::operation("Browsers", id, format!("Which methods {path} has"), more);
    for (name, told) in [
        ("Origin", "Where the asking page comes from."),
        ("Access-Control-Request-Method", "The method that the page wants to use."),
    ] {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).description(Some(told));
        described = described.parameter(parameter.schema(Some(schemas::text())));
    }
    for name in target.path_parameters() {
        described = described.parameter(super::in_path(name, "As in the other methods.", schemas::text()));
    }
    let allow = header("The methods.", schemas::text(), target.allow());
    let allowed = ResponseBuilder::new().description("The methods, in `Allow`.").header("Allow", allow);
    let answers = Answers::default().with(200, allowed).shared([
        Shared::Unauthorized,
        Shared::NotFound,
        Shared::NotAcceptable,
        Shared::TooMany,
    ]);
    described.responses(answers).build()
}
