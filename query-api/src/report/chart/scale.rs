//! From the largest value to an axis of few round steps.

use crate::report::format::{duration, grouped};

/// What the values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Seconds,
}

/// Steps of an axis of times: what a clock has, up to a day.
const TIMES: [i64; 18] =
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];

/// Zero and up to five round steps, the last one at or above `most`.
pub(super) fn ticks(most: i64, unit: Unit) -> Vec<i64> {
    let least = most.max(0) / 4 + i64::from(most.max(0) % 4 > 0);
    let step = match unit {
        Unit::Count => round_step(least),
        Unit::Seconds => TIMES
            .into_iter()
            .find(|step| *step >= least)
            .unwrap_or_else(|| round_step(least / 86_400 + 1).saturating_mul(86_400)),
    };
    let count = most.max(0) / step + i64::from(most.max(0) % step > 0);
    (0..=count.max(1)).map(|tick| tick.saturating_mul(step)).collect()
}

/// The next of 1, 2, 5, 10, 20, 50 … that is at least `value`.
fn round_step(value: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= value {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

/// A tick as it fits beside an axis: 8 000, 20k, 1.5M; 30 s, 5 min.
pub(super) fn short(tick: i64, unit: Unit) -> String {
    if unit == Unit::Seconds {
        #[expect(clippy::cast_precision_loss, reason = "ticks are round")]
        return if tick == 0 { "0".to_owned() } else { duration(tick as f64) };
    }
    if tick < 10_000 {
        return grouped(tick);
    }
    let (unit, letter) = match tick {
        10_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    // ticks are round, so one decimal is all they can have
    let (whole, tenth) = (tick / unit, tick % unit * 10 / unit);
    if tenth == 0 { format!("{}{letter}", grouped(whole)) } else { format!("{}.{tenth}{letter}", grouped(whole)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, Unit::Count, &[0, 1])]
    #[case(1, Unit::Count, &[0, 1])]
    #[case(4, Unit::Count, &[0, 1, 2, 3, 4])]
    #[case(5, Unit::Count, &[0, 2, 4, 6])]
    #[case(37, Unit::Count, &[0, 10, 20, 30, 40])]
    #[case(800_000, Unit::Count, &[0, 200_000, 400_000, 600_000, 800_000])]
    #[case(0, Unit::Seconds, &[0, 1])]
    #[case(50, Unit::Seconds, &[0, 15, 30, 45, 60])]
    #[case(280, Unit::Seconds, &[0, 120, 240, 360])]
    #[case(13_000, Unit::Seconds, &[0, 3_600, 7_200, 10_800, 14_400])]
    fn ticks_are_round_and_few(#[case] most: i64, #[case] unit: Unit, #[case] expected: &[i64]) {
        assert_eq!(ticks(most, unit), expected);
    }

    #[test]
    fn ticks_end_above_any_number() {
        for unit in [Unit::Count, Unit::Seconds] {
            for most in [9, 99, 12_345, 987_654_321, 252_455_616_000, i64::MAX / 16, i64::MAX] {
                let found = ticks(most, unit);
                assert!(*found.last().unwrap() >= most && found.len() <= 7, "{most}: {found:?}");
            }
        }
    }

    #[test]
    fn ticks_are_short() {
        for (tick, text) in [(8_000, "8\u{202f}000"), (20_000, "20k"), (400_000, "400k"), (1_500_000, "1.5M")] {
            assert_eq!(short(tick, Unit::Count), text);
        }
        for (tick, text) in [(0, "0"), (30, "30 s"), (300, "5 min"), (7_200, "2 h")] {
            assert_eq!(short(tick, Unit::Seconds), text);
        }
    }
}
