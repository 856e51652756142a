//! Classes of durations: what medians are told from.
//!
//! The SQL function `duration_class` of the read model gives the same classes. Class 0 is below a second (or below
//! zero), the last one has no end; those between are a second wide or a tenth of where they begin, whichever is more.

use chrono::{DateTime, Utc};

const CLASSES: usize = 118;

/// Where the classes from the second one on begin, in seconds.
pub const EDGES: [i64; CLASSES] = edges();

const fn edges() -> [i64; CLASSES] {
    let mut edges = [1; CLASSES];
    let mut at = 1;
    while at < CLASSES {
        let before = edges[at - 1];
        let tenth = before * 110 / 100;
        edges[at] = if tenth > before { tenth } else { before + 1 };
        at += 1;
    }
    edges[CLASSES - 1] = 2 * 24 * 3_600;
    edges
}

/// The class of a duration.
pub fn class_of(start: DateTime<Utc>, end: DateTime<Utc>) -> i16 {
    let seconds = (end.timestamp_micros() - start.timestamp_micros()).div_euclid(1_000_000);
    i16::try_from(EDGES.partition_point(|edge| *edge <= seconds)).unwrap_or(i16::MAX)
}

/// The middle of a class, in seconds: at most half a second or 5 % off any duration in it; of the last one, where it
/// begins.
#[expect(clippy::cast_precision_loss, reason = "edges are small")]
pub fn middle_of(class: i16) -> f64 {
    let class = usize::try_from(class).unwrap_or(0).min(CLASSES);
    let begin = if class == 0 { 0 } else { EDGES[class - 1] };
    let end = EDGES.get(class).copied().unwrap_or(begin);
    (begin + end) as f64 / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn the_tables_have_the_same_classes() {
        let sql = include_str!("../migrations/read_model/0003_report.sql");
        let (_, from) = sql.split_once("ARRAY[").unwrap();
        let edges: Vec<i64> =
            from.split_once(']').unwrap().0.split(',').map(|edge| edge.trim().parse().unwrap()).collect();
        assert_eq!(edges, EDGES);
    }

    #[test]
    fn the_middle_of_a_class_is_near_everything_in_it() {
        let start = DateTime::UNIX_EPOCH;
        for millis in (0..172_800_000_i32).step_by(997) {
            let middle = middle_of(class_of(start, start + TimeDelta::milliseconds(millis.into())));
            let seconds = f64::from(millis) / 1_000.0;
            assert!((middle - seconds).abs() <= 0.5_f64.max(0.05 * seconds), "{seconds} s: {middle}");
        }
    }

    #[test]
    fn durations_below_zero_and_beyond_all_classes_have_one() {
        let start = DateTime::UNIX_EPOCH;
        assert_eq!(class_of(start, start - TimeDelta::days(1)), 0);
        assert_eq!(class_of(start, start + TimeDelta::milliseconds(999)), 0);
        assert_eq!(class_of(start, start + TimeDelta::days(9)), 118);
        assert!((middle_of(118) - 172_800.0).abs() < f64::EPSILON);
    }
}
