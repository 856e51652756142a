//! Events as they come from clients, many at a time: sessions folded in memory, rows written in one go.

use super::{
    attempt::{Effects, source_agent},
    facts, sessions,
};
use crate::{
    dimensions::Interned,
    model::ReadModel,
    projection::{Agent, FactCount, Session, When, count_fact},
};
use chrono::{DateTime, Utc};
use schema::{Envelope, Event, InteractionRecorded};
use sqlx::PgConnection;
use std::collections::HashMap;

/// Stands for an agent until it is interned.
pub(super) const NO_AGENT: Agent = Agent { id: 0, client_id: 0 };

/// Whether an event is one of those that are folded many at a time.
pub(super) fn takes(event: &Event) -> bool {
    matches!(
        event,
        Event::SessionAnnounced(_) | Event::SessionEnded | Event::PageViewRecorded(_) | Event::InteractionRecorded(_)
    )
}

/// A session that events of the run mention.
struct Mentioned<'a> {
    session_id: &'a str,
    old: Option<Session>,
    new: Option<Session>,
    /// What the run brings in for it.
    facts: Vec<FactCount>,
}

#[derive(Default)]
struct PageViews {
    ids: Vec<i64>,
    sessions: Vec<i64>,
    url_ids: Vec<i64>,
    timestamps: Vec<DateTime<Utc>>,
    recorded_ats: Vec<DateTime<Utc>>,
}

#[derive(Default)]
struct Interactions<'a> {
    ids: Vec<i64>,
    sessions: Vec<i64>,
    element_ids: Vec<i64>,
    event_types: Vec<&'static str>,
    metadata: Vec<&'a str>,
    timestamps: Vec<DateTime<Utc>>,
    recorded_ats: Vec<DateTime<Utc>>,
}

/// Applies a run of such events, given with their ids, in order.
pub(super) async fn apply(
    connection: &mut PgConnection,
    model: &ReadModel,
    run: &[(i64, &Envelope)],
    interned: &Interned<'_>,
    effects: &mut Effects,
) -> sqlx::Result<()> {
    if run.is_empty() {
        return Ok(());
    }
    let (mut mentioned, places) = load(connection, run).await?;
    let mut page_views = PageViews::default();
    let mut interactions = Interactions::default();
    let zone = model.made_for.zone;
    for ((id, envelope), place) in run.iter().zip(places) {
        let at = envelope.occurred_at;
        let Mentioned { new, facts, .. } = &mut mentioned[place];
        let session = new.get_or_insert_with(|| {
            Session::first_seen(*id, agent(interned, source_agent(envelope)), envelope.source.address, at)
        });
        session.recorded(envelope.recorded_at);
        match &envelope.event {
            Event::SessionAnnounced(event) => session.announced(*id, event, agent(interned, &event.user_agent), at),
            Event::SessionEnded => session.ended(at),
            Event::PageViewRecorded(event) => {
                let url_id = interned.urls.get(event.url.as_str()).copied().unwrap_or_default();
                session.saw(at);
                session.page_views += 1;
                page_views.add(*id, session.id, url_id, envelope);
                let when = When::of(zone, at);
                count_fact(facts, when.day, None);
                effects.rollups.page_views_changed(when, url_id, 1);
            }
            Event::InteractionRecorded(event) => {
                let element_id = interned.elements.get(event.element.as_str()).copied().unwrap_or_default();
                session.saw(at);
                session.interactions += 1;
                interactions.add(*id, session.id, element_id, event, envelope);
                let when = When::of(zone, at);
                count_fact(facts, when.day, Some(event.kind));
                effects.rollups.interactions_changed(when, element_id, event.kind, 1);
            }
            _ => {}
        }
    }
    for one in &mentioned {
        effects.rollups.session_changed(zone, one.old.as_ref(), one.new.as_ref());
        if let Some(session) = &one.new {
            effects.rollups.facts_changed(session.agent.client_id, &one.facts, 1);
        }
    }
    let changed: Vec<_> = mentioned.iter().filter_map(|one| Some((one.old.as_ref()?, one.new.as_ref()?))).collect();
    facts::follow_clients(connection, zone, &changed, &mut effects.rollups).await?;
    let of_old = |had_row: bool| {
        let chosen = mentioned.iter().filter(move |one| one.old.is_some() == had_row);
        chosen.filter_map(|one| Some((one.session_id, one.new.as_ref()?)))
    };
    sessions::insert(connection, &of_old(false).collect::<Vec<_>>()).await?;
    sessions::update(connection, &of_old(true).map(|(_, session)| session).collect::<Vec<_>>()).await?;
    page_views.insert(connection).await?;
    interactions.insert(connection).await
}

fn agent(interned: &Interned<'_>, user_agent: &str) -> Agent {
    interned.agents.get(user_agent).copied().unwrap_or(NO_AGENT)
}

/// The sessions of a run with their rows, in the order of their first mention, and for each event which one is its.
async fn load<'a>(
    connection: &mut PgConnection,
    run: &[(i64, &'a Envelope)],
) -> sqlx::Result<(Vec<Mentioned<'a>>, Vec<usize>)> {
    let mut place_of: HashMap<&'a str, usize> = HashMap::new();
    let mut mentioned: Vec<Mentioned<'a>> = Vec::new();
    let mut places = Vec::with_capacity(run.len());
    for (_, envelope) in run {
        let session_id = envelope.session_id.as_str();
        places.push(*place_of.entry(session_id).or_insert_with(|| {
            mentioned.push(Mentioned { session_id, old: None, new: None, facts: Vec::new() });
            mentioned.len() - 1
        }));
    }
    let session_ids: Vec<&str> = mentioned.iter().map(|one| one.session_id).collect();
    for row in sessions::load(connection, &session_ids).await? {
        if let Some(one) = place_of.get(row.session_id.as_str()).and_then(|place| mentioned.get_mut(*place)) {
            one.new = Some(row.session.clone());
            one.old = Some(row.session);
        }
    }
    Ok((mentioned, places))
}

impl PageViews {
    fn add(&mut self, id: i64, session: i64, url_id: i64, envelope: &Envelope) {
        self.ids.push(id);
        self.sessions.push(session);
        self.url_ids.push(url_id);
        self.timestamps.push(envelope.occurred_at);
        self.recorded_ats.push(envelope.recorded_at);
    }

    async fn insert(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO page_view (id, session, url_id, \"timestamp\", recorded_at)
             SELECT * FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])",
        )
        .bind(self.ids)
        .bind(self.sessions)
        .bind(self.url_ids)
        .bind(self.timestamps)
        .bind(self.recorded_ats)
        .execute(connection)
        .await
        .map(drop)
    }
}

impl<'a> Interactions<'a> {
    fn add(&mut self, id: i64, session: i64, element_id: i64, event: &'a InteractionRecorded, envelope: &Envelope) {
        self.ids.push(id);
        self.sessions.push(session);
        self.element_ids.push(element_id);
        self.event_types.push(event.kind.as_str());
        self.metadata.push(event.metadata.get());
        self.timestamps.push(envelope.occurred_at);
        self.recorded_ats.push(envelope.recorded_at);
    }

    async fn insert(self, connection: &mut PgConnection) -> sqlx::Result<()> {
        if self.ids.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO interaction (id, session, element_id, event_type, metadata, \"timestamp\", recorded_at)
             SELECT id, session, element_id, event_type, metadata::jsonb, at, recorded_at
             FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[],
                         $7::timestamptz[]) AS n(id, session, element_id, event_type, metadata, at, recorded_at)",
        )
        .bind(self.ids)
        .bind(self.sessions)
        .bind(self.element_ids)
        .bind(self.event_types)
        .bind(self.metadata)
        .bind(self.timestamps)
        .bind(self.recorded_ats)
        .execute(connection)
        .await
        .map(drop)
    }
}
