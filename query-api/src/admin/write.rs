//! Changes onto the log, and the wait until they are seen.

use super::shell::Notice;
use crate::{error::QueryError, paging::Parameters, routes::QueryApi};
use chrono::{DateTime, Utc};
use event_log::{AppendError, EventWriter, NewRecord};
use schema::{ADMIN, Envelope, Event, Position, SessionId, Source, codec};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};
use uuid::{Builder, Uuid, Variant, Version};

/// How long a page waits until what was done is seen in it, and how often it looks.
const SEEN_WITHIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How long a form waits for the log.
const PATIENCE: Duration = Duration::from_secs(6);

/// How long what follows a first event is tried, after it is on the log, and how often.
const FOLLOW_FOR: Duration = Duration::from_mins(1);
const FOLLOW_EVERY: Duration = Duration::from_millis(250);

/// Who changes something, and by which form.
pub(super) struct Author {
    pub name: String,
    /// The form's id: what it says is one event however often it is sent.
    pub form: Uuid,
}

/// A change that is to go onto the log.
#[derive(Clone)]
pub(super) struct Change {
    pub session_id: SessionId,
    /// When it happened; for corrections and deletions and what is added, now.
    pub at: Option<DateTime<Utc>>,
    pub moved_from: Option<i64>,
    pub event: Event,
    /// The object that it changes; what it adds has its number from its place on the log.
    pub object: Option<i64>,
}

/// What is written down of a change in the service's log.
struct Line {
    account: String,
    envelope: Envelope,
    object: Option<i64>,
}

impl Line {
    fn resource(&self) -> &'static str {
        match self.envelope.event {
            Event::SessionAnnounced(_) | Event::SessionEnded | Event::SessionCorrected(_) | Event::SessionDeleted => {
                "session"
            }
            Event::PageViewRecorded(_) | Event::PageViewCorrected(_) | Event::PageViewDeleted { .. } => "page_view",
            Event::InteractionRecorded(_) | Event::InteractionCorrected(_) | Event::InteractionDeleted { .. } => {
                "interaction"
            }
        }
    }

    /// It is on the log.
    fn made(&self, position: Position) {
        tracing::info!(
            account = self.account,
            change = %self.envelope.event.event_type(),
            resource = self.resource(),
            id = self.object.unwrap_or_else(|| position.id()),
            session = self.envelope.session_id.as_str(),
            event_id = %self.envelope.event_id,
            "a change in the admin"
        );
    }

    /// It is not known to be there; `error` says whether it may be.
    fn not_made(&self, error: &AppendError) {
        tracing::warn!(
            account = self.account,
            change = %self.envelope.event.event_type(),
            resource = self.resource(),
            id = self.object,
            session = self.envelope.session_id.as_str(),
            event_id = %self.envelope.event_id,
            %error,
            "a change in the admin failed"
        );
    }
}

/// Why a change is not known to be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSaved {
    /// Nothing was taken.
    Away,
    /// Perhaps all of it, perhaps a part.
    Unclear,
    /// It will never be taken.
    TooLarge,
}

impl NotSaved {
    /// What is said to it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Away => {
                "Nothing was saved: the event log cannot be reached now. What you typed is still here; try again in a moment."
            }
            Self::Unclear => {
                "It is not known whether this was saved: the event log did not answer in time. What you typed is still \
                 here; save it again, it will count once."
            }
            Self::TooLarge => "Nothing was saved: this is larger than the event log takes.",
        }
    }
}

/// What was appended.
pub(super) struct Appended {
    /// The last of the positions.
    pub last: Position,
    pub all: Vec<Position>,
    /// The id of the first event.
    pub event_id: Uuid,
}

impl Author {
    /// The event of a change. Its id comes from the form and from what it says: the same form sent twice is one event,
    /// and the same form with something else in it is another.
    pub fn envelope(&self, change: Change, now: DateTime<Utc>) -> Envelope {
        let epoch = DateTime::UNIX_EPOCH;
        let source = Source {
            user: Some(self.name.clone()),
            client: Some(ADMIN.to_owned()),
            moved_from: change.moved_from,
            ..Source::default()
        };
        let mut envelope = Envelope {
            event_id: Uuid::nil(),
            event_id_given: true,
            session_id: change.session_id,
            occurred_at: change.at.unwrap_or(epoch),
            recorded_at: epoch,
            source,
            event: change.event,
        };
        let digest = Sha256::new().chain_update(self.form.as_bytes()).chain_update(codec::encode(&envelope)).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        envelope.event_id =
            Builder::from_bytes(bytes).with_version(Version::Custom).with_variant(Variant::RFC4122).into_uuid();
        envelope.occurred_at = change.at.unwrap_or(now);
        envelope.recorded_at = now;
        envelope
    }
}

/// Appends changes one after the other, each after the one before is acknowledged. Goes on when the client has gone:
/// an event that was moved by half would count twice.
pub(super) async fn append(api: &QueryApi, author: &Author, changes: Vec<Change>) -> Result<Appended, NotSaved> {
    let now = schema::to_micros(Utc::now());
    let line = |change: Change| {
        let object = change.object;
        Line { account: author.name.clone(), envelope: author.envelope(change, now), object }
    };
    let lines: Vec<Line> = changes.into_iter().map(line).collect();
    let event_id = lines.first().map(|line| line.envelope.event_id).unwrap_or_default();
    let Some(writer) = api.writer.clone() else {
        if let Some(line) = lines.first() {
            line.not_made(&AppendError::Overloaded("this service has no log that takes changes".to_owned()));
        }
        return Err(NotSaved::Away);
    };
    let appending = tokio::spawn(in_order(writer, lines));
    match timeout(PATIENCE, appending).await {
        Ok(Ok(Ok(all))) => match all.last() {
            Some(last) => Ok(Appended { last: *last, event_id, all }),
            None => Err(NotSaved::Away),
        },
        Ok(Ok(Err(not_saved))) => Err(not_saved),
        Ok(Err(_)) | Err(_) => Err(NotSaved::Unclear),
    }
}

async fn in_order(writer: Arc<dyn EventWriter>, lines: Vec<Line>) -> Result<Vec<Position>, NotSaved> {
    let mut positions = Vec::with_capacity(lines.len());
    let until = Instant::now() + FOLLOW_FOR;
    for line in &lines {
        loop {
            let answer = writer.append(vec![record(&line.envelope)]).await.pop();
            let error = match answer {
                Some(Ok(position)) => {
                    line.made(position);
                    positions.push(position);
                    break;
                }
                Some(Err(error)) => error,
                None => AppendError::Overloaded("no answer".to_owned()),
            };
            let not_saved = match error {
                AppendError::TooLarge if positions.is_empty() => NotSaved::TooLarge,
                AppendError::Overloaded(_) if positions.is_empty() => NotSaved::Away,
                AppendError::Unknown(_) if positions.is_empty() => NotSaved::Unclear,
                AppendError::TooLarge | AppendError::Fenced(_) => NotSaved::Unclear,
                _ if Instant::now() > until => NotSaved::Unclear,
                _ => {
                    tracing::warn!(%error, event_id = %line.envelope.event_id, "a change in the admin is tried again");
                    sleep(FOLLOW_EVERY).await;
                    continue;
                }
            };
            line.not_made(&error);
            return Err(not_saved);
        }
    }
    Ok(positions)
}

/// The record of an envelope.
pub(super) fn record(envelope: &Envelope) -> NewRecord {
    NewRecord {
        key: envelope.session_id.as_str().as_bytes().to_vec(),
        event_id: envelope.event_id,
        schema_version: codec::SCHEMA_VERSION,
        value: codec::encode(envelope),
    }
}

/// What the read model says of an event.
pub(super) struct Seen {
    /// The object that it was about; none where nothing was left to change.
    pub object: Option<i64>,
    pub effective: bool,
}

/// Waits until the positions are projected, for a second at most; whether they are.
pub(super) async fn wait(api: &QueryApi, positions: &[Position]) -> Result<bool, QueryError> {
    let until = Instant::now() + SEEN_WITHIN;
    for position in positions {
        loop {
            let next: Option<i64> = sqlx::query_scalar("SELECT next_offset FROM checkpoint WHERE partition = $1")
                .bind(i32::from(position.partition))
                .fetch_optional(&api.inner.pool)
                .await?;
            if next.is_some_and(|next| next > position.offset) {
                break;
            }
            if Instant::now() > until {
                return Ok(false);
            }
            sleep(LOOK_EVERY).await;
        }
    }
    Ok(true)
}

/// What became of an event that is projected; nothing when it is a dead letter.
pub(super) async fn outcome(api: &QueryApi, event_id: Uuid) -> Result<Option<Seen>, QueryError> {
    let found: Option<(Option<i64>, bool)> =
        sqlx::query_as("SELECT object, effective FROM admin_change WHERE event_id = $1 ORDER BY id LIMIT 1")
            .bind(event_id)
            .fetch_optional(&api.inner.pool)
            .await?;
    Ok(found.map(|(object, effective)| Seen { object, effective }))
}

/// What an address says has just been done, and whether the page shows it: it waits for that up to a second.
pub(super) async fn notice(api: &QueryApi, parameters: &Parameters) -> Result<Option<Notice>, QueryError> {
    let Some(done) = parameters.get("done") else { return Ok(None) };
    let position = parameters.get("at").and_then(|at| at.parse().ok()).and_then(|id| Position::from_id(id).ok());
    let seen = match position {
        Some(position) => wait(api, &[position]).await?,
        None => true,
    };
    let (now, soon) = match done {
        "added" => ("Added.", "Saved. It will be visible in a moment: load the page again."),
        "changed" => {
            ("Saved.", "Saved. The change will be visible in a moment: this page still shows what was before.")
        }
        "moved" => (
            "Moved to another session, under a new number.",
            "Saved. The move will be visible in a moment: load the page again.",
        ),
        "deleted" => ("Deleted.", "Deleted. It will be gone in a moment: load the page again."),
        "nothing" => ("Nothing was changed.", "Nothing was changed."),
        "no-effect" => {
            let text = "This had no effect: what it is about was gone already, or the change is a dead letter.";
            return Ok(Some(Notice { text, pending: true }));
        }
        "dismissed" => ("Dismissed.", "Dismissed."),
        "sent" => ("Sent again.", "Sent again. It will be visible in a moment."),
        _ => return Ok(None),
    };
    Ok(Some(Notice { text: if seen { now } else { soon }, pending: !seen }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::PageViewRecorded;

    #[test]
    fn the_same_form_is_one_event_and_another_text_in_it_is_another() {
        let author = |form| Author { name: "ann".into(), form: Uuid::from_u128(form) };
        let id = |form, url: &str, seconds| {
            let change = Change {
                session_id: SessionId::parse("s").unwrap(),
                at: None,
                moved_from: None,
                event: Event::PageViewRecorded(PageViewRecorded { url: url.into() }),
                object: None,
            };
            author(form).envelope(change, DateTime::from_timestamp(seconds, 0).unwrap()).event_id
        };
        assert_eq!(id(1, "http://a.example/", 1), id(1, "http://a.example/", 2));
        assert_ne!(id(1, "http://a.example/", 1), id(1, "http://b.example/", 1));
        assert_ne!(id(1, "http://a.example/", 1), id(2, "http://a.example/", 1));
    }
}
