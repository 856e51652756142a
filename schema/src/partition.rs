/// The partition on which a session's events live.
///
/// Both engines of the log place by this function and no other, so a log can be moved between them. It is the
/// `murmur2` placement that Apache Kafka's own Java clients use for keyed records, so other producers that write to
/// the topic with their defaults agree with it.
///
/// # Panics
/// If `partitions` is 0.
pub fn partition_for(key: &[u8], partitions: u16) -> u16 {
    assert!(partitions > 0, "a log has at least one partition");
    let positive = murmur2(key) & 0x7fff_ffff;
    u16::try_from(positive % u32::from(partitions)).expect("a remainder is below its divisor, which is a u16")
}

/// MurmurHash2 with Kafka's seed.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut hash = 0x9747_b28c ^ length;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (i, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Apache Kafka's own test of its function expects.
    #[test]
    fn places_as_kafkas_java_clients_do() {
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash.cast_unsigned(), "{key}");
        }
    }

    #[test]
    fn a_placement_never_changes() {
        let placed: Vec<u16> =
            ["", "a", "session-1", "session-2", "日本"].map(|k| partition_for(k.as_bytes(), 12)).into();
        assert_eq!(placed, FROZEN);
    }

    /// What these keys were placed on when the first log was written: to change a number here is to lose the order
    /// of sessions on every log in existence.
    const FROZEN: [u16; 5] = [9, 4, 4, 11, 3];

    #[test]
    fn every_partition_gets_its_share() {
        let mut counts = [0_u32; 12];
        for i in 0..12_000 {
            counts[usize::from(partition_for(format!("session-{i}").as_bytes(), 12))] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
