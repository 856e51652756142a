//! Deleting: a page that says what goes with it, then the deletion on the log.

use super::{
    fields::Object,
    kinds::Kind,
    object,
    origin::Origin,
    save::allowed,
    shell::Shell,
    typed::Typed,
    write::{self, Change},
};
use crate::{error::QueryError, paging::Parameters, report::grouped, routes::QueryApi, sign_in::page_response};
use askama::Template;
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use schema::{Event, SessionId};
use service::{access::Identity, http::Problem, resource::Resource};

#[derive(Template)]
#[template(path = "admin/remove.html")]
struct Remove<'a> {
    shell: &'a Shell,
    kind: Kind,
    list: String,
    /// The list as it was left, and what a page has to carry along to come back there.
    back: String,
    there: String,
    id: i64,
    /// What it is, in a line or two.
    what: Vec<(&'static str, String)>,
    /// What goes with it.
    along: Option<Along>,
    token: String,
    trouble: &'a str,
    /// Whether it says that more goes than was told before.
    is_more: bool,
}

/// The events of a session, which go with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Along {
    page_views: i64,
    interactions: i64,
}

impl Along {
    fn words(self) -> String {
        let words = |number, one: &str| format!("{} {one}{}", grouped(number), if number == 1 { "" } else { "s" });
        format!("{} and {}", words(self.page_views, "page view"), words(self.interactions, "interaction"))
    }

    /// What a form says that it was given out with; nothing where it says nothing.
    fn told(typed: &Typed) -> Option<Self> {
        let number = |name| typed.get(name).parse().ok();
        Some(Self { page_views: number("page_views")?, interactions: number("interactions")? })
    }

    /// Whether somebody who was told this has agreed to that: fewer may go, but not more.
    fn covers(self, now: Self) -> bool {
        now.page_views <= self.page_views && now.interactions <= self.interactions
    }
}

const MORE: &str = "Nothing was deleted: more has come meanwhile than you were told. This is what would go now, and what comes \
                    until then.";

/// The field of the page that says so: who has read it is not asked again.
const TOLD: &str = "told";
const EXPIRED: &str = "This form had expired, or was not given to you here. Nothing was deleted; you can do it now.";

/// `GET …/{id}/delete/`.
pub(super) async fn ask(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
) -> Result<Response, QueryError> {
    let (kind, object) = find(&api, resource, id).await?;
    let asking = Asking { api: &api, identity: &identity, kind, object: &object, origin: came_from(&uri) };
    Ok(asking.page(StatusCode::OK, "", None, asking.along().await?))
}

fn came_from(uri: &Uri) -> Origin {
    Origin::of_page(&Parameters::parse(uri.query()))
}

/// `POST …/{id}/delete/`.
pub(super) async fn remove(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
    form: Bytes,
) -> Result<Response, QueryError> {
    let typed = Typed::read(&form);
    let (kind, object) = find(&api, resource, id).await?;
    let asking = Asking { api: &api, identity: &identity, kind, object: &object, origin: came_from(&uri) };
    let Some(author) = typed.author(&api, &identity) else {
        return Ok(asking.page(StatusCode::FORBIDDEN, EXPIRED, None, asking.along().await?));
    };
    let along = asking.along().await?;
    // once: of a session that never rests, every number is old by the time that it is read
    let is_told_already = !typed.get(TOLD).is_empty();
    if !is_told_already && along.is_some_and(|now| !Along::told(&typed).is_some_and(|told| told.covers(now))) {
        return Ok(asking.page(StatusCode::CONFLICT, MORE, None, along));
    }
    let event = match resource {
        Resource::Sessions => Event::SessionDeleted,
        Resource::PageViews => Event::PageViewDeleted { id: object.id },
        Resource::Interactions => Event::InteractionDeleted { id: object.id },
    };
    let session_id = SessionId::parse(object.session_id.clone()).map_err(|_| Problem::not_found())?;
    let change = Change { session_id, at: None, moved_from: None, event, object: Some(object.id) };
    match write::append(&api, &author, vec![change]).await {
        Ok(appended) => {
            let told = [("done", Some("deleted".to_owned())), ("at", Some(appended.last.id().to_string()))];
            Ok(Redirect::to(&asking.origin.list(&api.inner.base_path, kind, &told)).into_response())
        }
        Err(not_saved) => {
            let (status, token) = (StatusCode::SERVICE_UNAVAILABLE, typed.get("token"));
            Ok(asking.page(status, not_saved.words(), Some(token), along))
        }
    }
}

async fn find(
    api: &QueryApi,
    resource: Resource,
    id: Result<Path<String>, PathRejection>,
) -> Result<(Kind, Object), QueryError> {
    allowed(api.inner.settings.admin.admin_allow_delete, "Deleting")?;
    let (kind, id) = (Kind::of(resource), object::read_id(id)?);
    let there = object::load(api, kind, id).await?;
    let gone = || {
        Problem::detail(
            StatusCode::NOT_FOUND,
            format!("There is no {} {id}: it may have been deleted already.", kind.one),
        )
    };
    Ok((kind, there.ok_or_else(gone)?))
}

/// Somebody who is asked whether they are sure.
struct Asking<'a> {
    api: &'a QueryApi,
    identity: &'a Identity,
    kind: Kind,
    object: &'a Object,
    origin: Origin,
}

impl Asking<'_> {
    /// What goes along, as it is now.
    async fn along(&self) -> Result<Option<Along>, QueryError> {
        if self.kind.resource != Resource::Sessions {
            return Ok(None);
        }
        let (page_views, interactions) = sqlx::query_as("SELECT page_views, interactions FROM session WHERE id = $1")
            .bind(self.object.id)
            .fetch_optional(&self.api.inner.pool)
            .await?
            .unwrap_or_default();
        Ok(Some(Along { page_views, interactions }))
    }

    fn page(&self, status: StatusCode, trouble: &str, token: Option<String>, along: Option<Along>) -> Response {
        let Self { api, identity, kind, object, origin } = self;
        let names: &[&'static str] = match kind.resource {
            Resource::Sessions => &["session_id", "user_agent", "ip_address", "user_id", "start_time"],
            Resource::PageViews => &["session", "url", "timestamp"],
            Resource::Interactions => &["session", "event_type", "element", "timestamp"],
        };
        let what = names.iter().map(|name| {
            let value = object.values.get(name).map(String::as_str).unwrap_or_default();
            let value = super::show::cut(value, 300).0;
            let is_time = matches!(*name, "start_time" | "timestamp");
            (Kind::label(name), if is_time { format!("{value} in {}", api.inner.zone) } else { value })
        });
        let shell = Shell::of(api, identity);
        let base = &api.inner.base_path;
        let page = Remove {
            token: token.unwrap_or_else(|| shell.token.clone()),
            shell: &shell,
            kind: *kind,
            list: format!("{base}{}", kind.path()),
            back: origin.list(base, *kind, &[]),
            there: origin.query(Parameters::default()),
            id: object.id,
            what: what.collect(),
            along,
            trouble,
            is_more: status == StatusCode::CONFLICT,
        };
        page_response(status, page.render())
    }
}
