//! One partition of the log against the tables.

use super::{
    acknowledged::Acknowledged,
    changes::Changes,
    expected::{Expected, Repeats, Repetitions},
    findings::Findings,
    fold::{Fold, Found},
    metadata::Metadata,
    rows::{Facts, INTERACTIONS, PAGE_VIEWS, facts, sessions},
    state::{State, of_type},
};
use crate::{
    model::PROJECTION,
    progress::Progress,
    projection::{Decoded, EventKey, Outcome, SKIPPED, decode_record},
    scan::Scan,
};
use chrono::TimeDelta;
use event_log::{EventReader, Record};
use schema::{Event, EventType, Position};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// Records and bytes that are in memory of the log.
const STEP: (usize, usize) = (5_000, 4 * 1024 * 1024);

/// What a partition is compared with.
pub struct Pass<'a> {
    /// Reads the log.
    pub reader: &'a dyn EventReader,
    /// The tables, in the snapshot.
    pub connection: PgConnection,
    /// Which partition.
    pub partition: u16,
    /// How many there are.
    pub partitions: u16,
    /// The deduplication window.
    pub window: Option<TimeDelta>,
    /// Sessions that are folded at the same time.
    pub sessions_at_a_time: usize,
    /// What clients were told.
    pub acknowledged: Option<&'a Acknowledged>,
    /// Where to tell how far it is.
    pub progress: &'a Progress,
}

impl Pass<'_> {
    /// Reads the partition up to its checkpoint in the snapshot. Gives what differs and the number of records.
    pub async fn run(mut self) -> anyhow::Result<(Findings, u64)> {
        let until: i64 =
            sqlx::query_scalar("SELECT next_offset FROM checkpoint WHERE projection = $1 AND partition = $2")
                .bind(PROJECTION)
                .bind(i32::from(self.partition))
                .fetch_one(&mut self.connection)
                .await?;
        let range = self.reader.watermarks(self.partition).await?;
        let low = range.low;
        // what is no longer on the log cannot be compared
        let first = Position::new(self.partition, low).id();
        let (_, last) = Position::ids_of(self.partition);
        let mut state = State {
            expected: Expected::default(),
            changes: Changes::default(),
            repetitions: Repetitions::new(self.window, low > 0),
            page_views: Facts::new(PAGE_VIEWS, first, last),
            interactions: Facts::new(INTERACTIONS, first, last),
            fold: Fold::new(self.sessions_at_a_time),
            metadata: Metadata::default(),
            other_metadata: HashSet::new(),
            dead: self.dead_letters(low).await?,
            found_dead: HashSet::new(),
            perhaps_repeated: 0,
            otherwise: HashMap::new(),
            extra: Vec::new(),
            findings: Findings::new(self.partition),
        };
        let mut scan = Scan::new(self.reader, self.partition, low, until);
        let mut records = 0;
        loop {
            let step = scan.next(STEP.0, STEP.1).await?;
            if step.is_empty() {
                break;
            }
            for record in &step {
                self.record(&mut state, record).await?;
            }
            state.metadata.compare(&mut self.connection, &mut state.other_metadata).await?;
            records += u64::try_from(step.len()).unwrap_or_default();
            self.progress.advance(step.len());
        }
        self.finish(&mut state, first).await?;
        self.sessions(&mut state, first).await?;
        while let Some(fold) = state.fold.following() {
            state.fold = fold;
            self.fold_again(&mut state, low, until).await?;
            self.sessions(&mut state, first).await?;
        }
        self.beyond(&mut state, until.max(low), range.high).await?;
        if low == 0 {
            self.tally(&mut state).await?;
        } else {
            state.findings.note(&format!("the log begins at offset {low}: what was before it is not compared"));
            if state.perhaps_repeated > 0 {
                let events = state.perhaps_repeated;
                state.findings.note(&format!("{events} events without a row may repeat what was before it"));
            }
        }
        Ok((state.findings, records))
    }

    /// What is acknowledged and not projected yet is on the log all the same.
    async fn beyond(&self, state: &mut State, from: i64, high: i64) -> anyhow::Result<()> {
        let Some(acknowledged) = self.acknowledged else { return Ok(()) };
        let mut scan = Scan::new(self.reader, self.partition, from, high);
        let mut waiting = 0;
        loop {
            let step = scan.next(STEP.0, STEP.1).await?;
            if step.is_empty() {
                break;
            }
            waiting += step.len();
            for record in &step {
                if let Ok(Decoded::Event(envelope)) = decode_record(record, self.partitions) {
                    acknowledged.saw(EventKey::of(&envelope.session_id, envelope.event_id));
                }
            }
        }
        if waiting > 0 {
            state.findings.note(&format!("{waiting} records wait to be projected: only looked for, not compared"));
        }
        Ok(())
    }

    async fn dead_letters(&mut self, low: i64) -> sqlx::Result<HashMap<i64, String>> {
        let rows: Vec<(i64, String)> =
            sqlx::query_as("SELECT \"offset\", reason FROM dead_letter WHERE partition = $1 AND \"offset\" >= $2")
                .bind(i32::from(self.partition))
                .bind(low)
                .fetch_all(&mut self.connection)
                .await?;
        Ok(rows.into_iter().collect())
    }

    async fn record(&mut self, state: &mut State, record: &Record) -> sqlx::Result<()> {
        let id = record.position.id();
        let decoded = decode_record(record, self.partitions);
        if let Some(reason) = state.dead.get(&record.position.offset) {
            state.found_dead.insert(record.position.offset);
            let event_type = match &decoded {
                _ if reason == SKIPPED => None,
                Ok(Decoded::Event(envelope)) => Some(envelope.event.event_type()),
                Ok(Decoded::Dead { event_type, .. }) => *event_type,
                Err(_) => None,
            };
            state.expected.tally.count(event_type, Outcome::Dead);
            return Ok(());
        }
        let Ok(Decoded::Event(envelope)) = decoded else {
            state.findings.add("records that are no events and no dead letters", record.position);
            return Ok(());
        };
        if let Some(acknowledged) = self.acknowledged {
            acknowledged.saw(EventKey::of(&envelope.session_id, envelope.event_id));
        }
        let repeats = state.repetitions.repeats(&envelope);
        if repeats == Repeats::Yes {
            state.expected.tally.count(Some(envelope.event.event_type()), Outcome::Duplicate);
            return Ok(());
        }
        let facts = match &envelope.event {
            Event::PageViewRecorded(_) => Some(&mut state.page_views),
            Event::InteractionRecorded(_) => Some(&mut state.interactions),
            _ => None,
        };
        let row = match facts {
            Some(facts) => facts.take(&mut self.connection, id, &mut state.extra).await?,
            None => None,
        };
        if let Some(row) = &row {
            state.compare(row, &envelope);
        }
        let unsure = repeats == Repeats::Perhaps && row.is_none();
        state.fold.apply(id, &envelope, unsure);
        state.changes.saw(id, &envelope, unsure);
        if unsure && Outcome::of(envelope.event.event_type()) == Outcome::Stored {
            state.perhaps_repeated += 1;
        } else {
            state.expected.apply(id, &envelope, row.is_some());
        }
        Ok(())
    }

    /// Reads the log once more, for sessions that were too many the last time.
    async fn fold_again(&mut self, state: &mut State, low: i64, until: i64) -> anyhow::Result<()> {
        self.progress.more(u64::try_from(until - low).unwrap_or_default());
        let mut repetitions = Repetitions::new(self.window, low > 0);
        let mut scan = Scan::new(self.reader, self.partition, low, until);
        loop {
            let step = scan.next(STEP.0, STEP.1).await?;
            if step.is_empty() {
                return Ok(());
            }
            for record in step.iter().filter(|record| !state.dead.contains_key(&record.position.offset)) {
                let Ok(Decoded::Event(envelope)) = decode_record(record, self.partitions) else { continue };
                let repeats = repetitions.repeats(&envelope);
                if repeats != Repeats::Yes {
                    state.fold.apply(record.position.id(), &envelope, repeats == Repeats::Perhaps);
                }
            }
            self.progress.advance(step.len());
        }
    }

    async fn finish(&mut self, state: &mut State, first: i64) -> sqlx::Result<()> {
        let connection = &mut self.connection;
        state.page_views.rest(connection, &mut state.extra).await?;
        state.interactions.rest(connection, &mut state.extra).await?;
        for id in std::mem::take(&mut state.extra) {
            state.findings.add("rows without an event", id);
        }
        for id in state.expected.unexplained() {
            state.findings.add("events without a row", id);
        }
        for offset in state.dead.keys().filter(|offset| !state.found_dead.contains(offset)) {
            state.findings.add("dead letters without a record", offset);
        }
        for (table, event_type) in
            [("page_view", EventType::PageViewRecorded), ("interaction", EventType::InteractionRecorded)]
        {
            let deleted: Vec<i64> = of_type(state.expected.deleted.iter().copied(), event_type);
            for id in there(connection, table, &deleted).await? {
                state.findings.add("deleted rows that are still there", id);
            }
            let corrected: Vec<i64> = of_type(state.expected.corrected.keys().copied(), event_type);
            let rows = facts(connection, event_type, &corrected).await?;
            state.corrections(&rows, event_type);
            let mut otherwise = HashSet::new();
            state.metadata.compare(connection, &mut otherwise).await?;
            for id in otherwise {
                state.findings.add("rows that hold something else than their correction", id);
            }
        }
        for id in std::mem::take(&mut state.other_metadata) {
            state.findings.add("interactions with other metadata than their event's", id);
        }
        for ((_, id), found) in std::mem::take(&mut state.otherwise) {
            state.findings.add("rows that hold something else than their event", format!("{id} ({found:?})"));
        }
        let (_, last) = Position::ids_of(self.partition);
        state.changes.compare(connection, (first, last), &mut state.findings).await?;
        state.findings.moves = std::mem::take(&mut state.changes.moves);
        Ok(())
    }

    async fn sessions(&mut self, state: &mut State, first: i64) -> sqlx::Result<()> {
        let (start, last) = Position::ids_of(self.partition);
        let mut after = start - 1;
        loop {
            let page = sessions(&mut self.connection, after, last).await?;
            let Some(greatest) = page.last() else { break };
            after = greatest.id;
            for row in page {
                let what = match state.fold.compare(&row) {
                    // a session from before the log's beginning is mentioned later, or not at all
                    _ if row.id < first => continue,
                    Found::Same | Found::Elsewhere => continue,
                    Found::NotOfTheLog => "sessions whose row is not that of their first event".to_owned(),
                    Found::Differs(fields) => {
                        format!("sessions that are not what their events fold into: {}", fields.join(", "))
                    }
                };
                state.findings.add(what, format!("{} ({:?})", row.id, row.session_id));
            }
        }
        for id in state.fold.without_row() {
            state.findings.add("sessions without a row", id);
        }
        Ok(())
    }

    async fn tally(&mut self, state: &mut State) -> sqlx::Result<()> {
        let rows: Vec<(String, String, i64)> =
            sqlx::query_as("SELECT event_type, outcome, events FROM tally WHERE partition = $1 AND events <> 0")
                .bind(i32::from(self.partition))
                .fetch_all(&mut self.connection)
                .await?;
        let stored: HashSet<(String, String, i64)> = rows.into_iter().collect();
        let counted: HashSet<(String, String, i64)> = state
            .expected
            .tally
            .entries()
            .map(|(event_type, outcome, events)| (event_type.to_owned(), outcome.to_owned(), events))
            .collect();
        for (event_type, outcome, events) in stored.difference(&counted) {
            state.findings.add("tally: the table says", format!("{event_type} {outcome} {events}"));
        }
        for (event_type, outcome, events) in counted.difference(&stored) {
            state.findings.add("tally: the log says", format!("{event_type} {outcome} {events}"));
        }
        state.findings.tally = counted.into_iter().collect();
        Ok(())
    }
}

/// Those of the ids that have a row.
async fn there(connection: &mut PgConnection, table: &str, ids: &[i64]) -> sqlx::Result<Vec<i64>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar(&format!("SELECT id FROM {table} WHERE id = ANY($1)")).bind(ids).fetch_all(connection).await
}
