//! Adding and changing: what was typed is read, looked at and put onto the log; then the object's page is shown.

use super::{
    fields::Object,
    history,
    kinds::Kind,
    object::{self, Back},
    origin::Origin,
    session_names,
    shell::Shell,
    typed::Typed,
    wanted::{Errors, Reader},
    write::{self, Appended, Author, Change},
};
use crate::{error::QueryError, paging::Parameters, routes::QueryApi};
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Request, rejection::PathRejection},
    http::{StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
};
use chrono::Utc;
use schema::SessionId;
use service::{access::Identity, http::Problem, resource::Resource};

const EXPIRED: &str =
    "This form had expired, or was not given to you here. What you typed is still here: save it again.";
const CHANGED: &str = "Somebody has changed this since you opened it: see the history below. What you typed is still here, \
                       the other fields show what is there now. Save again if you want it so.";

/// `GET …/add/`: an empty form. The address can fill it in.
pub(super) async fn empty(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    request: Request,
) -> Result<Response, QueryError> {
    allowed(api.inner.settings.admin.admin_allow_add, "Adding")?;
    let parameters = Parameters::parse(request.uri().query());
    let mut typed = Typed::default();
    if let Some(session) = parameters.get("session") {
        typed.set("session", session);
    }
    let back = Back { typed, ..Back::default() };
    let mut shell = Shell::of(&api, &identity);
    shell.notice = write::notice(&api, &parameters).await?;
    object::show(&api, shell, Kind::of(resource), None, Some(back), StatusCode::OK, &parameters).await
}

/// `POST …/add/`.
pub(super) async fn add(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    uri: Uri,
    form: Bytes,
) -> Result<Response, QueryError> {
    allowed(api.inner.settings.admin.admin_allow_add, "Adding")?;
    let (kind, asked, typed) = (Kind::of(resource), Parameters::parse(uri.query()), Typed::read(&form));
    Form { api: &api, identity: &identity, kind, object: None, asked, typed }.answer().await
}

/// `POST …/{id}/`.
pub(super) async fn change(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    uri: Uri,
    form: Bytes,
) -> Result<Response, QueryError> {
    allowed(api.inner.settings.admin.admin_allow_change, "Changing")?;
    let asked = Parameters::parse(uri.query());
    let (kind, id, typed) = (Kind::of(resource), object::read_id(id)?, Typed::read(&form));
    let Some(object) = object::load(&api, kind, id).await? else {
        // its page tells where it went
        return Ok(Redirect::to(&format!("{}{}{id}/", api.inner.base_path, kind.path())).into_response());
    };
    Form { api: &api, identity: &identity, kind, object: Some(&object), asked, typed }.answer().await
}

/// 405 for what the settings switch off.
pub(super) fn allowed(allowed: bool, what: &str) -> Result<(), Problem> {
    let detail = format!("{what} is switched off in the settings.");
    if allowed { Ok(()) } else { Err(Problem::detail(StatusCode::METHOD_NOT_ALLOWED, detail)) }
}

/// A form that was sent.
struct Form<'a> {
    api: &'a QueryApi,
    identity: &'a Identity,
    kind: Kind,
    /// What it is about; `None` for one that is to be added.
    object: Option<&'a Object>,
    /// What the address of the form says.
    asked: Parameters,
    typed: Typed,
}

impl Form<'_> {
    async fn answer(mut self) -> Result<Response, QueryError> {
        if self.typed.has("pick") {
            let picked = self.typed.get("pick");
            self.typed.set("session", &picked);
            return self.back(StatusCode::OK, Back::default()).await;
        }
        if self.typed.has("find") {
            let matches = session_names::find(&self.api.inner.pool, &self.typed.get("session")).await?;
            return self.back(StatusCode::OK, Back { matches: Some(matches), ..Back::default() }).await;
        }
        let Some(author) = self.typed.author(self.api, self.identity) else {
            return self.back(StatusCode::FORBIDDEN, Back { trouble: EXPIRED, renewed: true, ..Back::default() }).await;
        };
        let session = self.named_session().await?;
        let mut reader = Reader { typed: &self.typed, zone: self.api.inner.zone, errors: Errors::default() };
        let session = reader.take("session", session).flatten();
        let changes = match self.object {
            None => reader.addition(self.kind.resource, session),
            Some(object) => reader.change(self.kind.resource, object, session),
        };
        let mut errors = reader.errors;
        self.is_new(&author, changes.as_deref(), &mut errors).await?;
        let Some(changes) = changes.filter(|_| errors.is_empty()) else {
            // in the order in which the fields stand on the page
            return self.back(StatusCode::UNPROCESSABLE_ENTITY, Back { errors, ..Back::default() }).await;
        };
        let Some(object) = self.object else { return self.save(&author, changes, "added").await };
        if changes.is_empty() {
            return Ok(self.onward(Some(object.id), "nothing", None));
        }
        if history::of(self.api, self.kind, object.id).await?.newest.to_string() != self.typed.get("newest") {
            return self.overtaken(object).await;
        }
        let done = if changes.len() > 1 { "moved" } else { "changed" };
        self.save(&author, changes, done).await
    }

    /// The session that an event is to belong to, if it is there.
    async fn named_session(&self) -> Result<Result<Option<SessionId>, Vec<String>>, QueryError> {
        let untouched = self.object.is_some() && !self.typed.is_touched("session");
        if self.kind.resource == Resource::Sessions || untouched {
            return Ok(Ok(None));
        }
        let typed = self.typed.get("session");
        let typed = crate::text::trimmed(&typed);
        if typed.is_empty() {
            return Ok(Err(vec![rules::REQUIRED.to_owned()]));
        }
        let none = || Err(vec!["There is no session with this ID: find one below, or add it first.".to_owned()]);
        let Ok(session_id) = SessionId::parse(typed) else { return Ok(none()) };
        Ok(if self.session_named(&session_id).await?.is_some() { Ok(Some(session_id)) } else { none() })
    }

    async fn session_named(&self, session_id: &SessionId) -> Result<Option<i64>, QueryError> {
        let found = sqlx::query_scalar("SELECT id FROM session WHERE session_id = $1")
            .bind(session_id.as_str())
            .fetch_optional(&self.api.inner.pool)
            .await?;
        Ok(found)
    }

    /// A session that is added must not be there yet: the log would take it for the same one. One that this very form
    /// has added is no other.
    async fn is_new(&self, author: &Author, changes: Option<&[Change]>, errors: &mut Errors) -> Result<(), QueryError> {
        if self.kind.resource != Resource::Sessions || self.object.is_some() {
            return Ok(());
        }
        let typed = self.typed.get("session_id");
        let Ok(session_id) = SessionId::parse(crate::text::trimmed(&typed)) else { return Ok(()) };
        if self.session_named(&session_id).await?.is_some() && !self.is_done(author, changes).await? {
            errors.insert(0, ("session_id", vec!["There is a session with this ID already.".to_owned()]));
        }
        Ok(())
    }

    /// Whether the same form has come before, with the same in it.
    async fn is_done(&self, author: &Author, changes: Option<&[Change]>) -> Result<bool, QueryError> {
        let Some(first) = changes.and_then(<[Change]>::first) else { return Ok(false) };
        let event_id = author.envelope(first.clone(), Utc::now()).event_id;
        Ok(write::outcome(self.api, event_id).await?.is_some())
    }

    /// Somebody was faster. Fields that were not touched show what is there now.
    async fn overtaken(mut self, object: &Object) -> Result<Response, QueryError> {
        let mut differs = false;
        for (name, held) in &object.values {
            if !self.typed.is_touched(name) {
                self.typed.set(name, held);
            } else if super::show::normal(&self.typed.get(name)) != super::show::normal(held) {
                differs = true;
            }
        }
        if !differs {
            // the same form again, and what it asks for has been done
            return Ok(self.onward(Some(object.id), "changed", None));
        }
        let back = Back { trouble: CHANGED, renewed: true, ..Back::default() };
        self.back(StatusCode::CONFLICT, back).await
    }

    async fn save(self, author: &Author, changes: Vec<Change>, done: &str) -> Result<Response, QueryError> {
        let appended = match write::append(self.api, author, changes).await {
            Ok(appended) => appended,
            Err(not_saved) => {
                let status = match not_saved {
                    write::NotSaved::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                    write::NotSaved::Away | write::NotSaved::Unclear => StatusCode::SERVICE_UNAVAILABLE,
                };
                return self.back(status, Back { trouble: not_saved.words(), ..Back::default() }).await;
            }
        };
        let Appended { last, all, event_id } = appended;
        let seen = write::wait(self.api, &all).await?;
        let outcome = write::outcome(self.api, event_id).await?;
        let known = self.object.map(|object| object.id);
        if seen && outcome.as_ref().is_none_or(|outcome| !outcome.effective) {
            return Ok(self.to(known, "no-effect", None));
        }
        let object = outcome.and_then(|outcome| outcome.object).or(known);
        Ok(self.onward(object, done, Some(last.id())))
    }

    /// Where the button that was pressed leads to.
    fn onward(&self, id: Option<i64>, done: &str, at: Option<i64>) -> Response {
        match self.typed.get("then").as_str() {
            "list" => self.to(None, done, at),
            "another" => {
                let query = Origin::of_page(&self.asked).query(told(done, at));
                Redirect::to(&format!("{}{}add/{query}", self.api.inner.base_path, self.kind.path())).into_response()
            }
            _ => self.to(id, done, at),
        }
    }

    /// To an object's page, or to the list as it was left.
    fn to(&self, id: Option<i64>, done: &str, at: Option<i64>) -> Response {
        let (base, origin) = (&self.api.inner.base_path, Origin::of_page(&self.asked));
        let target = if let Some(id) = id {
            format!("{base}{}{id}/{}", self.kind.path(), origin.query(told(done, at)))
        } else {
            let told = [("done", Some(done.to_owned())), ("at", at.map(|at| at.to_string()))];
            origin.list(base, self.kind, &told)
        };
        Redirect::to(&target).into_response()
    }

    async fn back(self, status: StatusCode, back: Back) -> Result<Response, QueryError> {
        let back = Back { typed: self.typed, ..back };
        let shell = Shell::of(self.api, self.identity);
        object::show(self.api, shell, self.kind, self.object, Some(back), status, &self.asked).await
    }
}

/// What the next page says of this one.
fn told(done: &str, at: Option<i64>) -> Parameters {
    Parameters::default().with("done", Some(done)).with("at", at)
}
