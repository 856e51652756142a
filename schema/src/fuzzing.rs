//! What must hold for any bytes, for the fuzz targets in `fuzz/` and the test that replays what they found.

use crate::codec::{self, DecodeError, SCHEMA_VERSION};

/// A record's value, the first byte its `schema-version`: read, or refused for a reason that has a name; and what was
/// read means the same when it is written and read again.
///
/// # Panics
/// When it does not hold.
pub fn record(data: &[u8]) {
    let Some((version, value)) = data.split_first() else { return };
    let version = (*version > 0).then(|| u32::from(*version));
    match codec::decode(version, value) {
        Ok(envelope) => {
            assert!(version.is_none_or(|version| version <= SCHEMA_VERSION), "a later version is not guessed at");
            let written = codec::encode(&envelope);
            assert_eq!(codec::decode(Some(SCHEMA_VERSION), &written), Ok(envelope.clone()), "another meaning");
            assert_eq!(codec::encode(&envelope), written, "written otherwise");
        }
        Err(error @ DecodeError::FutureVersion { .. }) => {
            assert!(version.is_some_and(|version| version > SCHEMA_VERSION), "{error}");
        }
        Err(error) => assert!(!error.reason().is_empty() && error.to_string().len() <= 12 * value.len() + 1_000),
    }
}
