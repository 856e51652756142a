use chrono::{DateTime, TimeDelta, Utc};
use schema::SessionId;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What makes two events with client-given ids one event: 64 bits of SHA-256 over the session id, then 64 over both.
/// So the events of a session are neighbours in an index, and few of its pages are touched by a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub u128);

impl EventKey {
    /// The key of an event. The event id has a fixed length, so no two pairs run into one another.
    pub fn of(session_id: &SessionId, event_id: Uuid) -> Self {
        let session = u128::from(first_bits(&Sha256::digest(session_id.as_str())));
        let both = Sha256::new().chain_update(event_id.as_bytes()).chain_update(session_id.as_str()).finalize();
        Self(session << 64 | u128::from(first_bits(&both)))
    }

    /// As the tables keep it.
    pub fn as_uuid(self) -> Uuid {
        Uuid::from_u128(self.0)
    }
}

/// 128 bits of SHA-256 over a session id.
pub fn session_key(session_id: &str) -> u128 {
    let digest = Sha256::digest(session_id);
    let (first, _) = digest.split_first_chunk().expect("a SHA-256 has 32 bytes");
    u128::from_be_bytes(*first)
}

fn first_bits(digest: &[u8]) -> u64 {
    let (first, _) = digest.split_first_chunk().expect("a SHA-256 has 32 bytes");
    u64::from_be_bytes(*first)
}

/// Whether two records with one [`EventKey`] are one event: their `recorded_at` are not further apart than the
/// window. Never measured against the clock, so that a rebuild decides alike.
pub fn within_window(window: TimeDelta, one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (one - other).abs() <= window
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_includes_its_edge_and_looks_both_ways() {
        let at = DateTime::UNIX_EPOCH;
        let window = TimeDelta::days(7);
        for (apart, one) in [
            (TimeDelta::zero(), true),
            (window, true),
            (-window, true),
            (window + TimeDelta::microseconds(1), false),
            (-window - TimeDelta::microseconds(1), false),
        ] {
            assert_eq!(within_window(window, at, at + apart), one, "{apart}");
        }
    }

    #[test]
    fn a_key_depends_on_session_and_event() {
        let key = |session: &str, event| EventKey::of(&SessionId::parse(session).unwrap(), Uuid::from_u128(event));
        assert_eq!(key("a", 1), key("a", 1));
        assert_ne!(key("a", 1), key("b", 1));
        assert_ne!(key("a", 1), key("a", 2));
    }
}
