//! Dead letters: read, sent again, dismissed.

use super::{
    dead_letters_read::{self as letters, Letter, PAGE},
    raw::Raw,
    save,
    shell::Shell,
    show::{self, Cell},
    typed::Typed,
    write,
};
use crate::{error::QueryError, paging::Parameters, routes::QueryApi, sign_in::page_response};
use askama::Template;
use axum::{
    Extension,
    body::Bytes,
    extract::{Path, Request, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::Utc;
use schema::{Envelope, Event, codec};
use service::{access::Identity, http::Problem};
use std::time::Duration;

#[derive(Template)]
#[template(path = "admin/dead_letters.html")]
struct ListPage<'a> {
    shell: &'a Shell,
    rows: Vec<Row>,
    next: Option<String>,
    later: bool,
}

struct Row {
    partition: i32,
    offset: i64,
    reason: String,
    error: Cell,
    seen_at: Cell,
    mark: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/dead_letter.html")]
struct DetailPage<'a> {
    shell: &'a Shell,
    partition: i32,
    offset: i64,
    reason: String,
    error: String,
    schema_version: String,
    seen_at: Cell,
    key: Option<Raw>,
    value: Raw,
    /// What somebody has done with it already.
    mark: Option<String>,
    /// Why it cannot be sent again; nothing when it can.
    unfit: Option<String>,
    token: String,
    trouble: &'a str,
}

const EXPIRED: &str = "This form had expired, or was not given to you here. Nothing was done; you can do it now.";
const DONE_ALREADY: &str = "Somebody has done something with it already: see below.";

/// How long sending one again may take.
const PATIENCE: Duration = Duration::from_secs(6);

/// `GET /admin/dead-letters/`.
pub(super) async fn list(
    State(api): State<QueryApi>,
    Extension(identity): Extension<Identity>,
    request: Request,
) -> Result<Response, QueryError> {
    let parameters = Parameters::parse(request.uri().query());
    let after = parameters.get("after").and_then(|after| {
        let (partition, offset) = after.split_once('_')?;
        Some((partition.parse().ok()?, offset.parse().ok()?))
    });
    let mut found = letters::page(&api, after.unwrap_or((-1, -1))).await?;
    let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > PAGE;
    found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
    let marks = letters::marks(&api, &found).await?;
    let next = found.last().filter(|_| more);
    let next = next
        .map(|last| format!("{}/admin/dead-letters/?after={}_{}", api.inner.base_path, last.partition, last.offset));
    let rows = found.into_iter().map(|letter| Row {
        mark: marks.get(&(letter.partition, letter.offset)).map(|mark| words(&api, mark)),
        partition: letter.partition,
        offset: letter.offset,
        reason: letter.reason,
        error: Cell::text(&letter.error),
        seen_at: Cell::time(letter.seen_at, api.inner.zone),
    });
    let mut shell = Shell::of(&api, &identity);
    shell.notice = write::notice(&api, &parameters).await?;
    let page = ListPage { shell: &shell, rows: rows.collect(), next, later: after.is_some() };
    Ok(page_response(StatusCode::OK, page.render()))
}

/// `GET /admin/dead-letters/{partition}/{offset}/`.
pub(super) async fn detail(
    State(api): State<QueryApi>,
    Extension(identity): Extension<Identity>,
    position: Result<Path<(i32, i64)>, PathRejection>,
) -> Result<Response, QueryError> {
    page(&api, &identity, &find(&api, position).await?, StatusCode::OK, "").await
}

/// `POST` there: `act` is `dismiss` or `send`.
pub(super) async fn act(
    State(api): State<QueryApi>,
    Extension(identity): Extension<Identity>,
    position: Result<Path<(i32, i64)>, PathRejection>,
    form: Bytes,
) -> Result<Response, QueryError> {
    save::allowed(api.inner.settings.admin.admin_allow_change, "Changing")?;
    let typed = Typed::read(&form);
    let letter = find(&api, position).await?;
    let Some(author) = typed.author(&api, &identity) else {
        return page(&api, &identity, &letter, StatusCode::FORBIDDEN, EXPIRED).await;
    };
    let send = match typed.get("act").as_str() {
        "send" => true,
        "dismiss" => false,
        _ => {
            return Err(
                Problem::detail(StatusCode::BAD_REQUEST, "Say whether to send it again or to dismiss it.").into()
            );
        }
    };
    if !letters::marks(&api, std::slice::from_ref(&letter)).await?.is_empty() {
        return page(&api, &identity, &letter, StatusCode::CONFLICT, DONE_ALREADY).await;
    }
    let mut at = None;
    if send {
        let Ok(envelope) = again(&letter) else {
            // the page says why
            return page(&api, &identity, &letter, StatusCode::UNPROCESSABLE_ENTITY, "").await;
        };
        at = match appended(&api, &envelope).await {
            Ok(id) => Some(id),
            Err(not_saved) => {
                let (account, partition, offset) = (author.name, letter.partition, letter.offset);
                tracing::warn!(account, partition, offset, error = ?not_saved, "a dead letter could not be sent again");
                return page(&api, &identity, &letter, StatusCode::SERVICE_UNAVAILABLE, not_saved.words()).await;
            }
        };
    }
    let done = if send { "sent" } else { "dismissed" };
    let marked = letters::mark(&api, &letter, done, &author.name).await;
    let (account, partition, offset) = (author.name, letter.partition, letter.offset);
    match marked {
        Ok(_) => tracing::info!(account, partition, offset, id = at, "dead letter {done}"),
        Err(error) => {
            tracing::warn!(account, partition, offset, id = at, ?error, "it could not be noted: dead letter {done}");
            return Err(error);
        }
    }
    let query = Parameters::default().with("done", Some(done)).with("at", at).to_query();
    Ok(Redirect::to(&format!("{}/admin/dead-letters/?{query}", api.inner.base_path)).into_response())
}

async fn appended(api: &QueryApi, envelope: &Envelope) -> Result<i64, write::NotSaved> {
    let writer = api.writer.as_ref().ok_or(write::NotSaved::Away)?;
    let answers = tokio::time::timeout(PATIENCE, writer.append(vec![write::record(envelope)])).await;
    match answers.map(|mut answers| answers.pop()) {
        Ok(Some(Ok(position))) => Ok(position.id()),
        Ok(Some(Err(event_log::AppendError::Overloaded(_))) | None) => Err(write::NotSaved::Away),
        Ok(Some(Err(event_log::AppendError::TooLarge))) => Err(write::NotSaved::TooLarge),
        Ok(Some(Err(_))) | Err(_) => Err(write::NotSaved::Unclear),
    }
}

/// The event of a dead letter as it would be sent again: taken now, under its own id, so that it counts once however
/// often it is sent. `Err` says why it cannot be.
fn again(letter: &Letter) -> Result<Envelope, String> {
    let version = letter.schema_version.and_then(|version| u32::try_from(version).ok());
    let mut envelope = codec::decode(version, &letter.value)
        .map_err(|error| format!("This program cannot read it either: {error}."))?;
    let facts = matches!(
        envelope.event,
        Event::SessionAnnounced(_) | Event::PageViewRecorded(_) | Event::InteractionRecorded(_)
    );
    if !facts {
        // a correction, an end, a deletion that comes late would undo what has been done since
        return Err(format!(
            "It is a {}, whose place in the order matters: make the change anew instead.",
            envelope.event.event_type()
        ));
    }
    envelope.event_id_given = true;
    envelope.recorded_at = schema::to_micros(Utc::now());
    Ok(envelope)
}

async fn find(api: &QueryApi, position: Result<Path<(i32, i64)>, PathRejection>) -> Result<Letter, QueryError> {
    let Path((partition, offset)) = position.map_err(|_| Problem::not_found())?;
    Ok(letters::one(api, partition, offset).await?.ok_or_else(Problem::not_found)?)
}

async fn page(
    api: &QueryApi,
    identity: &Identity,
    letter: &Letter,
    status: StatusCode,
    trouble: &str,
) -> Result<Response, QueryError> {
    let marks = letters::marks(api, std::slice::from_ref(letter)).await?;
    let shell = Shell::of(api, identity);
    let page = DetailPage {
        partition: letter.partition,
        offset: letter.offset,
        reason: letter.reason.clone(),
        error: letter.error.clone(),
        schema_version: letter.schema_version.map_or_else(|| "none".to_owned(), |version| version.to_string()),
        seen_at: Cell::time(letter.seen_at, api.inner.zone),
        key: letter.key.as_deref().map(Raw::of),
        value: Raw::of(&letter.value),
        mark: marks.into_values().next().map(|mark| words(api, &mark)),
        unfit: again(letter).err(),
        token: shell.token.clone(),
        shell: &shell,
        trouble,
    };
    Ok(page_response(status, page.render()))
}

fn words(api: &QueryApi, mark: &letters::Mark) -> String {
    let done = if mark.mark == "sent" { "sent again" } else { "dismissed" };
    format!("{done} by {}, {}", mark.account, show::time(mark.marked_at, api.inner.zone))
}
