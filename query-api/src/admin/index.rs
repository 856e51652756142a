//! `GET /admin/`: what there is.

use super::{kinds::Kind, shell::Shell};
use crate::{error::QueryError, lists::Count, report::grouped, routes::QueryApi, sign_in::page_response};
use askama::Template;
use axum::{Extension, extract::State, http::StatusCode, response::Response};
use service::{access::Identity, resource::Resource};

#[derive(Template)]
#[template(path = "admin/index.html")]
struct Index<'a> {
    shell: &'a Shell,
    kinds: Vec<(Kind, String)>,
    dead_letters: String,
    one_waits: bool,
}

/// The page.
pub(super) async fn page(
    State(api): State<QueryApi>,
    Extension(identity): Extension<Identity>,
) -> Result<Response, QueryError> {
    let mut kinds = Vec::new();
    for resource in Resource::ALL {
        let counted = Count::Exact.run(&api.inner.pool, resource, &[]).await?;
        kinds.push((Kind::of(resource), grouped(counted.count.unwrap_or_default())));
    }
    let dead = super::dead_letters_read::open(&api).await?;
    let shell = &Shell::of(&api, &identity);
    let page = Index { shell, kinds, dead_letters: grouped(dead), one_waits: dead == 1 };
    Ok(page_response(StatusCode::OK, page.render()))
}
