//! What was changed in the admin: its history against the log, and events that were moved by half.

use super::{Difference, findings::Findings, tables::EXAMPLES};
use chrono::{DateTime, TimeDelta, Utc};
use schema::{Envelope, Event, Position};
use sqlx::PgConnection;
use std::collections::HashMap;

/// How long the second half of a move may take before it is missed. The clocks are those of the events.
const HALF_FOR: TimeDelta = TimeDelta::minutes(1);

/// An event that took the place of another one, in another session.
#[derive(Clone, Debug)]
pub struct Move {
    /// Id of the new row.
    to: i64,
    /// Id of the old one.
    from: i64,
    page_view: bool,
    at: DateTime<Utc>,
}

/// What the log says of a change.
#[derive(Debug)]
struct Told {
    account: Option<String>,
    at: DateTime<Utc>,
    /// It may repeat one that is no longer on the log: then the history does not tell it.
    unsure: bool,
}

/// Changes of one partition, by id: by whom, and when. Rare, so all are kept.
#[derive(Debug, Default)]
pub struct Changes {
    expected: HashMap<i64, Told>,
    /// Events that were moved here.
    pub moves: Vec<Move>,
}

impl Changes {
    /// Takes note of an event that is neither dead nor known to be a repetition. `unsure`: it may be one.
    pub fn saw(&mut self, id: i64, envelope: &Envelope, unsure: bool) {
        let by_nature = matches!(
            envelope.event,
            Event::SessionCorrected(_)
                | Event::SessionDeleted
                | Event::PageViewCorrected(_)
                | Event::PageViewDeleted { .. }
                | Event::InteractionCorrected(_)
                | Event::InteractionDeleted { .. }
        );
        if by_nature || envelope.source.is_admin() {
            let account = envelope.source.user.as_deref().map(|user| user.replace('\0', "\u{fffd}"));
            self.expected.insert(id, Told { account, at: envelope.recorded_at, unsure });
        }
        let page_view = match &envelope.event {
            Event::PageViewRecorded(_) => true,
            Event::InteractionRecorded(_) => false,
            _ => return,
        };
        // a repetition has moved nothing
        if let Some(from) = envelope.source.moved_from.filter(|_| !unsure) {
            self.moves.push(Move { to: id, from, page_view, at: envelope.recorded_at });
        }
    }

    /// Compares with the history in the tables, from the id `first` on.
    pub async fn compare(
        &mut self,
        connection: &mut PgConnection,
        (first, last): (i64, i64),
        findings: &mut Findings,
    ) -> sqlx::Result<()> {
        let rows: Vec<(i64, Option<String>, DateTime<Utc>)> =
            sqlx::query_as("SELECT id, account, changed_at FROM admin_change WHERE id BETWEEN $1 AND $2 ORDER BY id")
                .bind(first)
                .bind(last)
                .fetch_all(connection)
                .await?;
        for (id, account, at) in rows {
            match self.expected.remove(&id) {
                Some(told) if (&told.account, told.at) == (&account, at) => {}
                Some(_) => findings.add("changes in the history that are told otherwise than on the log", id),
                None => findings.add("changes in the history without an event", id),
            }
        }
        for (id, _) in self.expected.iter().filter(|(_, told)| !told.unsure) {
            findings.add("changes that the history does not tell", id);
        }
        Ok(())
    }
}

/// Moves of which only the first half is there: the old row is not gone, though its partition is well past the move.
pub async fn half_moves(connection: &mut PgConnection, moves: &[Move]) -> sqlx::Result<Option<Difference>> {
    let mut half = Vec::new();
    for one in moves {
        let table = if one.page_view { "page_view" } else { "interaction" };
        let Ok(position) = Position::from_id(one.from) else { continue };
        let there: bool = sqlx::query_scalar(&format!(
            "SELECT EXISTS (SELECT FROM {table} WHERE id = $1)
                AND EXISTS (SELECT FROM checkpoint WHERE partition = $2 AND GREATEST(recorded_at, caught_up_at) > $3)"
        ))
        .bind(one.from)
        .bind(i32::from(position.partition))
        .bind(one.at + HALF_FOR)
        .fetch_one(&mut *connection)
        .await?;
        if there {
            half.push(format!("{table} {} is there, and {} that took its place as well: delete one", one.from, one.to));
        }
    }
    let count = i64::try_from(half.len()).unwrap_or(i64::MAX);
    half.truncate(usize::try_from(EXAMPLES).unwrap_or(usize::MAX));
    Ok((count > 0).then(|| Difference { what: "events moved by half".to_owned(), count, examples: half }))
}
