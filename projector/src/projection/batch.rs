use chrono::{DateTime, Datelike, Utc};
use event_log::Record;
use schema::{
    Envelope, Event, EventType, Position,
    codec::{DecodeError, decode},
    partition_for, to_micros,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// What a record turned out to be.
#[derive(Clone, Debug)]
pub enum Decoded {
    /// An event.
    Event(Box<Envelope>),
    /// Something that cannot be projected.
    Dead {
        /// Its type, if it is an event at all.
        event_type: Option<EventType>,
        /// Short name of the reason.
        reason: &'static str,
        /// What exactly is wrong.
        error: String,
    },
}

/// A record of a newer Footfall, which this program must not guess at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Where it stands.
    pub offset: i64,
    /// Its `schema-version`.
    pub found: u32,
}

/// Records of one partition in offset order, decoded once. Never changed: a retry runs again from the same batch.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The partition.
    pub partition: u16,
    /// The records.
    pub records: Vec<Record>,
    /// What each of them is.
    pub decoded: Vec<Decoded>,
}

impl Batch {
    /// Decodes records of `partition`, as far as the first one that is to be waited for. `skip` are the offsets that
    /// an operator wants passed over, `partitions` is the number of partitions of the log.
    pub fn decode(
        partition: u16,
        partitions: u16,
        mut records: Vec<Record>,
        skip: &BTreeSet<i64>,
    ) -> (Self, Option<Parked>) {
        let mut decoded = Vec::with_capacity(records.len());
        let mut parked = None;
        for record in &records {
            let offset = record.position.offset;
            if skip.contains(&offset) {
                decoded.push(skipped(record));
                continue;
            }
            match decode_record(record, partitions) {
                Ok(one) => decoded.push(one),
                Err(found) => {
                    parked = Some(Parked { offset, found });
                    break;
                }
            }
        }
        records.truncate(decoded.len());
        (Self { partition, records, decoded }, parked)
    }

    /// Where the record at `index` stands.
    pub fn position(&self, index: usize) -> Position {
        self.records[index].position
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

/// Why a record that was passed over is a dead letter.
pub const SKIPPED: &str = "skipped";

fn skipped(record: &Record) -> Decoded {
    let version = record.schema_version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    let error = format!("passed over by an operator (schema version {version})");
    Decoded::Dead { event_type: None, reason: SKIPPED, error }
}

/// `Err` with the schema version of a record that must be waited for.
pub fn decode_record(record: &Record, partitions: u16) -> Result<Decoded, u32> {
    let dead = |event_type, reason, error| Decoded::Dead { event_type, reason, error };
    let mut envelope = match decode(record.schema_version, &record.value) {
        Ok(envelope) => envelope,
        Err(DecodeError::FutureVersion { found }) => return Err(found),
        Err(error) => return Ok(dead(None, error.reason(), error.to_string())),
    };
    let event_type = Some(envelope.event.event_type());
    // two partitions that write one session would break "one writer a row"
    let home = partition_for(envelope.session_id.as_str().as_bytes(), partitions);
    if home != record.position.partition {
        return Ok(dead(event_type, "misplaced", format!("its session belongs on partition {home}")));
    }
    if let Err(error) = settle_end_time(&mut envelope.event) {
        return Ok(dead(event_type, "invalid", error));
    }
    Ok(Decoded::Event(Box::new(envelope)))
}

/// Brings end times to what PostgreSQL keeps and the contract can show.
fn settle_end_time(event: &mut Event) -> Result<(), String> {
    let end_time = match event {
        Event::SessionAnnounced(announced) => announced.end_time.as_mut(),
        Event::SessionCorrected(corrected) => corrected.end_time.as_mut().and_then(Option::as_mut),
        _ => None,
    };
    let Some(end_time) = end_time else { return Ok(()) };
    if !(1..=9999).contains(&end_time.year()) {
        return Err(format!("invalid end_time: the year {} is not between 1 and 9999", end_time.year()));
    }
    *end_time = to_micros(*end_time);
    Ok(())
}

/// SHA-256 of a record's value: tells whether the log is still the one that was projected.
pub fn digest(record: &Record) -> Vec<u8> {
    Sha256::digest(&record.value).to_vec()
}

/// The greatest `recorded_at` of some decoded records.
pub fn latest_recorded_at(decoded: &[Decoded]) -> Option<DateTime<Utc>> {
    decoded
        .iter()
        .filter_map(|one| match one {
            Decoded::Event(envelope) => Some(envelope.recorded_at),
            Decoded::Dead { .. } => None,
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::codec::SCHEMA_VERSION;

    fn record(offset: i64, session_id: &str, schema_version: u32) -> Record {
        let text = format!(
            r#"{{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_id_given":false,"type":"session.ended",
            "version":1,"session_id":"{session_id}","occurred_at":"2026-11-24T10:00:00Z",
            "recorded_at":"2026-11-24T10:00:00Z","payload":{{}}}}"#
        );
        Record {
            position: Position::new(0, offset),
            appended_at: DateTime::UNIX_EPOCH,
            schema_version: Some(schema_version),
            key: None,
            value: text.into_bytes(),
        }
    }

    #[test]
    fn a_batch_ends_before_the_first_record_of_a_newer_program() {
        let records = vec![record(3, "a", 1), record(5, "a", SCHEMA_VERSION + 1), record(6, "a", 1)];
        let (batch, parked) = Batch::decode(0, 1, records.clone(), &BTreeSet::new());
        assert_eq!((batch.len(), parked), (1, Some(Parked { offset: 5, found: SCHEMA_VERSION + 1 })));
        let (batch, parked) = Batch::decode(0, 1, records, &BTreeSet::from([5]));
        assert_eq!((batch.len(), parked), (3, None));
        assert!(matches!(batch.decoded[1], Decoded::Dead { event_type: None, reason: SKIPPED, .. }));
    }

    #[test]
    fn an_event_on_a_foreign_partition_is_dead() {
        let home = partition_for(b"a", 12);
        let mut one = record(0, "a", 1);
        one.position.partition = home;
        assert!(matches!(decode_record(&one, 12), Ok(Decoded::Event(_))));
        one.position.partition = (home + 1) % 12;
        assert!(matches!(decode_record(&one, 12), Ok(Decoded::Dead { reason: "misplaced", .. })));
    }

    #[test]
    fn an_end_beyond_the_calendar_is_dead_and_a_fine_one_is_cut() {
        let announced = |end_time: &str| {
            let mut one = record(0, "a", 1);
            let payload = format!(r#""payload":{{"user_agent":"u","ip_address":"::1","end_time":"{end_time}"}}}}"#);
            let text = String::from_utf8(one.value).unwrap().replace("session.ended", "session.announced");
            one.value = text.replace(r#""payload":{}}"#, &payload).into_bytes();
            decode_record(&one, 1).unwrap()
        };
        assert!(matches!(announced("+12026-01-01T00:00:00Z"), Decoded::Dead { reason: "invalid", .. }));
        let Decoded::Event(envelope) = announced("9999-12-31T23:59:59.9999999Z") else { panic!("not an event") };
        let Event::SessionAnnounced(announced) = envelope.event else { panic!("not an announcement") };
        assert_eq!(announced.end_time.unwrap().timestamp_subsec_nanos(), 999_999_000);
    }
}
