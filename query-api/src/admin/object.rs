//! `GET /admin/sessions/{id}/` and the other two: an object with its sections, its journey and its history.

use super::{
    fields::{Filling, Input, Object, Section},
    history::{self, History},
    journey::{self, Journey},
    kinds::Kind,
    origin::Origin,
    shell::Shell,
    typed::Typed,
    wanted::Errors,
    write,
};
use crate::{
    error::QueryError,
    lists,
    paging::{Parameters, integer},
    routes::QueryApi,
    sign_in::page_response,
};
use askama::Template;
use axum::{
    Extension,
    extract::{Path, Request, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use service::{access::Identity, http::Problem, resource::Resource};

#[derive(Template)]
#[template(path = "admin/object.html")]
struct ObjectPage<'a> {
    shell: &'a Shell,
    kind: Kind,
    list: String,
    /// The list as it was left, and what a page has to carry along to come back there.
    back: String,
    there: String,
    title: String,
    /// Empty for one that is to be added.
    id: Option<i64>,
    /// Where its session is, for an event.
    session_link: Option<String>,
    /// Where its events are, for a session.
    events: Vec<(&'static str, String)>,
    sections: Vec<Section>,
    /// Of the form; that of a form that comes back stays.
    token: String,
    /// The newest change that the form knows of.
    newest: i64,
    editable: bool,
    wrong: Vec<Wrong>,
    /// Why nothing was saved, where it is not the fields' fault.
    trouble: &'a str,
    matches: Option<Vec<String>>,
    journey: Option<Journey>,
    journey_next: Option<String>,
    history: Option<History>,
}

/// A field that is wrong, in the summary at the top.
struct Wrong {
    name: &'static str,
    label: &'static str,
    message: String,
}

/// A form that comes back: with what was typed, and why.
#[derive(Default)]
pub(super) struct Back {
    pub typed: Typed,
    pub errors: Errors,
    pub trouble: &'static str,
    /// Sessions that were looked for.
    pub matches: Option<Vec<String>>,
    /// Another token than before: it is another form now.
    pub renewed: bool,
}

/// The page.
pub(super) async fn page(
    resource: Resource,
    api: QueryApi,
    Extension(identity): Extension<Identity>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, QueryError> {
    let kind = Kind::of(resource);
    let id = read_id(id)?;
    let parameters = Parameters::parse(request.uri().query());
    // before the object is read: it waits for what has just been done
    let notice = write::notice(&api, &parameters).await?;
    let mut shell = Shell::of(&api, &identity);
    shell.notice = notice;
    match load(&api, kind, id).await? {
        Some(object) => show(&api, shell, kind, Some(&object), None, StatusCode::OK, &parameters).await,
        None => gone(&api, &shell, kind, id, &Origin::of_page(&parameters)).await,
    }
}

/// An id out of an address; what is none is nowhere.
pub(super) fn read_id(id: Result<Path<String>, PathRejection>) -> Result<i64, QueryError> {
    let id = id.ok().and_then(|Path(id)| integer(&id)).ok_or_else(Problem::not_found)?;
    Ok(id)
}

/// An object, if it is there.
pub(super) async fn load(api: &QueryApi, kind: Kind, id: i64) -> Result<Option<Object>, QueryError> {
    let found = lists::one(&api.inner.pool, kind.resource, id, &[]).await;
    let row = found.map_err(|error| QueryError::of_question(error, lists::TOO_SLOW))?;
    Ok(row.map(|row| Object::of(kind, &row, api.inner.zone)).transpose()?)
}

/// The page of an object, or of one that is to be added; with `back` the form as it was sent.
pub(super) async fn show(
    api: &QueryApi,
    shell: Shell,
    kind: Kind,
    object: Option<&Object>,
    back: Option<Back>,
    status: StatusCode,
    parameters: &Parameters,
) -> Result<Response, QueryError> {
    let base = &api.inner.base_path;
    let editable = if object.is_some() { shell.may_change } else { shell.may_add };
    let back = back.unwrap_or_default();
    let came_back = back.typed.has("token");
    let filling = Filling {
        kind,
        zone: api.inner.zone,
        object,
        typed: (came_back || !back.errors.is_empty() || object.is_none()).then_some(&back.typed),
        errors: &back.errors,
        editable,
    };
    let sections = filling.sections();
    let wrong = sections.iter().flat_map(|section| &section.fields).flat_map(|field| {
        field.errors.iter().map(|message| Wrong { name: field.name, label: field.label, message: message.clone() })
    });
    let wrong = wrong.collect();
    let is_session = kind.resource == Resource::Sessions;
    let history = match object {
        Some(object) => Some(history::of(api, kind, object.id).await?),
        None => None,
    };
    let journey = match object {
        Some(object) if is_session => Some(journey::of(api, object.session, parameters).await?),
        _ => None,
    };
    let list = format!("{base}{}", kind.path());
    let origin = Origin::of_page(parameters);
    let of_session = |object: &Object, path: &str| {
        let query = Parameters::default().with("session_id", Some(&object.session_id)).to_query();
        format!("{base}/admin/{path}/?{query}")
    };
    let page = ObjectPage {
        title: match object {
            Some(object) if is_session => format!("Session {}", super::show::cut(&object.session_id, 80).0),
            Some(object) => format!("{} {}", capital(kind.one), object.id),
            None => format!("Add {}", kind.a()),
        },
        id: object.map(|object| object.id),
        session_link: object.filter(|_| !is_session).map(|object| format!("{base}/admin/sessions/{}/", object.session)),
        events: match object {
            Some(object) if is_session => {
                vec![
                    ("Page views", of_session(object, "pageviews")),
                    ("Interactions", of_session(object, "interactions")),
                ]
            }
            _ => Vec::new(),
        },
        token: if came_back && !back.renewed { back.typed.get("token") } else { shell.token.clone() },
        newest: history.as_ref().map_or(0, |history| history.newest),
        journey_next: journey
            .as_ref()
            .and_then(|journey| journey.next.as_ref())
            .zip(object)
            .map(|(next, object)| format!("{list}{}/?after={next}#journey", object.id)),
        back: origin.list(base, kind, &[]),
        there: origin.query(Parameters::default()),
        shell: &shell,
        kind,
        list,
        sections,
        editable,
        wrong,
        trouble: back.trouble,
        matches: back.matches,
        journey,
        history,
    };
    Ok(page_response(status, page.render()))
}

#[derive(Template)]
#[template(path = "admin/gone.html")]
struct Gone<'a> {
    shell: &'a Shell,
    kind: Kind,
    list: String,
    id: i64,
    history: Option<History>,
}

/// What is said of an object that is not there: its history, if it has one.
async fn gone(api: &QueryApi, shell: &Shell, kind: Kind, id: i64, origin: &Origin) -> Result<Response, QueryError> {
    let history = history::of(api, kind, id).await?;
    let list = origin.list(&api.inner.base_path, kind, &[]);
    let history = Some(history).filter(|history| !history.entries.is_empty());
    let page = Gone { shell, kind, list, id, history };
    Ok(page_response(StatusCode::NOT_FOUND, page.render()))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
