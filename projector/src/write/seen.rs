//! Client-given event ids: which events of a batch have been projected before, and remembering those that have not.
//!
//! A key is looked for in the days since its session was first heard of, and not at all for a new session: most
//! sessions live within a day, and looking through all days of the window would cost more than the rest of the batch.

use crate::{
    model::ReadModel,
    projection::{EventKey, session_key, within_window},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// An event with a client-given id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given<'a> {
    /// Its place in the batch.
    pub index: usize,
    /// Its session.
    pub session_id: &'a str,
    /// It makes no row of its session and adds to none: a correction or a deletion.
    pub beside_session: bool,
    /// What makes it the same as another.
    pub key: EventKey,
    /// What the window is measured by.
    pub recorded_at: DateTime<Utc>,
}

/// Gives the places in the batch of those that repeat an earlier event, ascending; remembers the others.
pub(super) async fn repetitions(
    connection: &mut PgConnection,
    model: &ReadModel,
    given: &[Given<'_>],
) -> sqlx::Result<Vec<usize>> {
    let Some(window) = model.window().filter(|_| !given.is_empty()) else { return Ok(Vec::new()) };
    let mut seen = earlier(connection, window, given).await?;
    let mut repeated = Vec::new();
    let mut new: Vec<&Given<'_>> = Vec::with_capacity(given.len());
    for one in given {
        let times = seen.entry(one.key).or_default();
        if times.iter().any(|time| within_window(window, *time, one.recorded_at)) {
            repeated.push(one.index);
        } else {
            times.push(one.recorded_at);
            new.push(one);
        }
    }
    remember(connection, new).await?;
    Ok(repeated)
}

/// When events with these keys were recorded, as far as that can matter.
async fn earlier(
    connection: &mut PgConnection,
    window: TimeDelta,
    given: &[Given<'_>],
) -> sqlx::Result<HashMap<EventKey, Vec<DateTime<Utc>>>> {
    let heard = heard_of(connection, given).await?;
    let mut by_day: BTreeMap<NaiveDate, (NaiveDate, Vec<Uuid>)> = BTreeMap::new();
    for one in given {
        let Some(first) = heard.get(one.session_id) else { continue };
        let from = (*first).max(one.recorded_at - window).date_naive();
        let to = (one.recorded_at + window).date_naive();
        let (until, keys) = by_day.entry(from).or_insert_with(|| (to, Vec::new()));
        *until = to.max(*until);
        keys.push(one.key.as_uuid());
    }
    let mut seen: HashMap<EventKey, Vec<DateTime<Utc>>> = HashMap::with_capacity(given.len());
    for (from, (to, keys)) in by_day {
        let found: Vec<(Uuid, DateTime<Utc>)> =
            sqlx::query_as("SELECT key, recorded_at FROM seen_event WHERE day BETWEEN $1 AND $2 AND key = ANY($3)")
                .bind(from)
                .bind(to)
                .bind(keys)
                .fetch_all(&mut *connection)
                .await?;
        for (key, recorded_at) in found {
            seen.entry(EventKey(key.as_u128())).or_default().push(recorded_at);
        }
    }
    Ok(seen)
}

/// Since when there have been events of these sessions; new ones are missing.
async fn heard_of<'a>(
    connection: &mut PgConnection,
    given: &[Given<'a>],
) -> sqlx::Result<HashMap<&'a str, DateTime<Utc>>> {
    let mut sessions: Vec<&'a str> = given.iter().map(|one| one.session_id).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let of_key: HashMap<Uuid, &'a str> =
        sessions.iter().map(|session_id| (Uuid::from_u128(session_key(session_id)), *session_id)).collect();
    let in_rows: Vec<(String, DateTime<Utc>)> =
        sqlx::query_as("SELECT session_id, first_recorded_at FROM session WHERE session_id = ANY($1)")
            .bind(&sessions)
            .fetch_all(&mut *connection)
            .await?;
    let beside: Vec<(Uuid, DateTime<Utc>)> =
        sqlx::query_as("SELECT key, recorded_at FROM seen_session WHERE key = ANY($1)")
            .bind(of_key.keys().copied().collect::<Vec<_>>())
            .fetch_all(connection)
            .await?;
    let in_rows = in_rows.iter().filter_map(|(text, at)| {
        let place = sessions.binary_search(&text.as_str()).ok()?;
        Some((sessions[place], *at))
    });
    let beside = beside.iter().filter_map(|(key, at)| Some((*of_key.get(key)?, *at)));
    let mut heard: HashMap<&'a str, DateTime<Utc>> = HashMap::new();
    for (session_id, at) in in_rows.chain(beside) {
        heard.entry(session_id).and_modify(|first| *first = at.min(*first)).or_insert(at);
    }
    Ok(heard)
}

async fn remember(connection: &mut PgConnection, mut new: Vec<&Given<'_>>) -> sqlx::Result<()> {
    for one in new.iter().filter(|one| one.beside_session) {
        note_session(connection, one.session_id, one.recorded_at).await?;
    }
    if new.is_empty() {
        return Ok(());
    }
    new.sort_unstable_by_key(|one| one.key);
    sqlx::query(
        "INSERT INTO seen_event (day, key, recorded_at)
         SELECT * FROM UNNEST($1::date[], $2::uuid[], $3::timestamptz[])",
    )
    .bind(new.iter().map(|one| one.recorded_at.date_naive()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.key.as_uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|one| one.recorded_at).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

/// Keeps since when there have been events of a session that its row does not tell of, or will not any more.
pub(super) async fn note_session(
    connection: &mut PgConnection,
    session_id: &str,
    recorded_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO seen_session AS s (key, recorded_at) VALUES ($1, $2)
         ON CONFLICT (key) DO UPDATE SET recorded_at = LEAST(s.recorded_at, excluded.recorded_at)",
    )
    .bind(Uuid::from_u128(session_key(session_id)))
    .bind(recorded_at)
    .execute(connection)
    .await
    .map(drop)
}
