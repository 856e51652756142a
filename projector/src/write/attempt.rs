//! One attempt to commit a part of a batch: one transaction, in the order of design § 5.

use super::{WriteError, admin, bulk, history, ledger, rollups, seen};
use crate::{
    checkpoint::{self, Advance},
    dimensions::Interned,
    model::ReadModel,
    patience::Pulse,
    projection::{Batch, Decoded, EventKey, Outcome, RollUps, Tally, digest, latest_recorded_at},
    slices::Slice,
};
use schema::{Envelope, Event};
use std::{collections::BTreeSet, ops::Range};

/// A part of a batch that is committed as one.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The whole batch.
    pub batch: &'a Batch,
    /// Which of its records, at least one.
    pub range: Range<usize>,
    /// Where the checkpoint must be.
    pub from: i64,
    /// PostgreSQL refuses this part, which is a single record, with this error: it is a dead letter.
    pub refused: Option<String>,
}

impl Part<'_> {
    /// Where the checkpoint will be.
    pub fn to(&self) -> i64 {
        self.last_offset() + 1
    }

    fn last_offset(&self) -> i64 {
        self.batch.records[self.range.end - 1].position.offset
    }

    pub(super) fn decoded(&self) -> &[Decoded] {
        &self.batch.decoded[self.range.clone()]
    }

    fn advance(&self) -> Advance {
        Advance {
            partition: self.batch.partition,
            from: self.from,
            to: self.to(),
            last_offset: self.last_offset(),
            last_digest: digest(&self.batch.records[self.range.end - 1]),
            recorded_at: latest_recorded_at(self.decoded()),
        }
    }
}

/// Why a record was refused by PostgreSQL, as the `reason` of its dead letter.
const REFUSED: &str = "refused";

/// Tables of months and days that one transaction writes to at most: it locks each of them and each of their indexes,
/// and a server keeps some thousand locks.
const MOST_SLICES: usize = 64;

/// What a part does besides its rows.
#[derive(Debug)]
pub(super) struct Effects {
    pub rollups: RollUps,
    pub tally: Tally,
    pub pulse: Pulse,
}

/// Commits a part, or nothing of it. Gives how its records were counted. `pulse` beats with each step that is done.
pub async fn attempt(model: &ReadModel, part: &Part<'_>, pulse: &Pulse) -> Result<Tally, WriteError> {
    let mut interned = Interned::default();
    if part.refused.is_none() {
        let slices = needs(model, part, &mut interned);
        if slices.len() > MOST_SLICES && part.range.len() > 1 {
            return Err(WriteError::Wide(slices.len()));
        }
        model.dimensions.intern(&model.pool, &mut interned).await?;
        pulse.beat();
        model.slices.ensure(&model.pool, &slices, pulse).await?;
    }

    pulse.beat();
    let mut transaction = model.pool.begin().await?;
    if !checkpoint::advance(&mut transaction, model, &part.advance()).await? {
        return Err(WriteError::Fenced);
    }
    let repeated = seen::repetitions(&mut transaction, model, &given(part)).await?;
    let mut repeated = repeated.into_iter().peekable();
    let mut effects = Effects { rollups: RollUps::default(), tally: Tally::default(), pulse: pulse.clone() };
    let mut letters = Vec::new();
    let mut run: Vec<(i64, &Envelope)> = Vec::with_capacity(part.range.len());
    for index in part.range.clone() {
        let record = &part.batch.records[index];
        match (&part.batch.decoded[index], &part.refused) {
            (Decoded::Dead { event_type, reason, error }, _) => {
                effects.tally.count(*event_type, Outcome::Dead);
                letters.push(ledger::DeadLetter { record, reason, error });
            }
            (Decoded::Event(envelope), Some(error)) => {
                effects.tally.count(Some(envelope.event.event_type()), Outcome::Dead);
                letters.push(ledger::DeadLetter { record, reason: REFUSED, error });
            }
            (Decoded::Event(envelope), None) => {
                let event_type = envelope.event.event_type();
                if repeated.next_if_eq(&index).is_some() {
                    effects.tally.count(Some(event_type), Outcome::Duplicate);
                    continue;
                }
                effects.tally.count(Some(event_type), Outcome::of(event_type));
                let id = record.position.id();
                if bulk::takes(&envelope.event) {
                    run.push((id, envelope));
                    if envelope.source.is_admin() {
                        // its history names the session's row, which has to be there
                        bulk::apply(&mut transaction, model, &run, &interned, &mut effects).await?;
                        run.clear();
                        history::added(&mut transaction, id, envelope).await?;
                        pulse.beat();
                    }
                } else {
                    bulk::apply(&mut transaction, model, &run, &interned, &mut effects).await?;
                    run.clear();
                    admin::apply(&mut transaction, model, record.position, envelope, &interned, &mut effects).await?;
                    pulse.beat();
                }
            }
        }
    }
    bulk::apply(&mut transaction, model, &run, &interned, &mut effects).await?;
    pulse.beat();
    effects.rollups.settle();
    rollups::write(&mut transaction, part.batch.partition, &effects.rollups).await?;
    ledger::dead_letters(&mut transaction, &letters).await?;
    ledger::tally(&mut transaction, part.batch.partition, &effects.tally).await?;
    transaction.commit().await?;
    Ok(effects.tally)
}

/// The events whose id the client chose.
fn given<'a>(part: &Part<'a>) -> Vec<seen::Given<'a>> {
    if part.refused.is_some() {
        return Vec::new();
    }
    let batch = part.batch;
    part.range
        .clone()
        .filter_map(|index| match &batch.decoded[index] {
            Decoded::Event(envelope) if envelope.event_id_given => Some(seen::Given {
                index,
                session_id: envelope.session_id.as_str(),
                beside_session: !bulk::takes(&envelope.event),
                key: EventKey::of(&envelope.session_id, envelope.event_id),
                recorded_at: envelope.recorded_at,
            }),
            _ => None,
        })
        .collect()
}

/// The texts and the tables that the events of a part need.
fn needs<'a>(model: &ReadModel, part: &Part<'a>, texts: &mut Interned<'a>) -> BTreeSet<Slice> {
    let mut slices = BTreeSet::new();
    let batch = part.batch;
    for decoded in &batch.decoded[part.range.clone()] {
        let Decoded::Event(envelope) = decoded else { continue };
        if envelope.event_id_given && model.window().is_some() {
            slices.insert(Slice::seen_events(envelope.recorded_at));
        }
        if bulk::takes(&envelope.event) {
            texts.agents.entry(source_agent(envelope)).or_insert(bulk::NO_AGENT);
        }
        match &envelope.event {
            Event::SessionAnnounced(event) => {
                texts.agents.entry(&event.user_agent).or_insert(bulk::NO_AGENT);
            }
            Event::SessionCorrected(event) => {
                if let Some(user_agent) = &event.user_agent {
                    texts.agents.entry(user_agent).or_insert(bulk::NO_AGENT);
                }
            }
            Event::PageViewRecorded(event) => {
                slices.insert(Slice::page_views(envelope.occurred_at));
                texts.urls.entry(&event.url).or_default();
            }
            Event::PageViewCorrected(event) => {
                texts.urls.entry(&event.url).or_default();
            }
            Event::InteractionRecorded(event) => {
                slices.insert(Slice::interactions(envelope.occurred_at));
                texts.elements.entry(&event.element).or_default();
            }
            Event::InteractionCorrected(event) => {
                if let Some(element) = &event.element {
                    texts.elements.entry(element).or_default();
                }
            }
            Event::SessionEnded
            | Event::SessionDeleted
            | Event::PageViewDeleted { .. }
            | Event::InteractionDeleted { .. } => {}
        }
    }
    slices
}

/// What the request itself told of its user agent: the session's until it is announced.
pub(super) fn source_agent(envelope: &Envelope) -> &str {
    envelope.source.user_agent.as_deref().unwrap_or_default()
}
