//! Charts: numbers in, SVG out. Pure functions; colours come from the style sheet by class.

use std::fmt::Write;

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    pub label: String,
    pub value: i64,
    /// Today is not over yet.
    pub unfinished: bool,
}

const WIDTH: i64 = 640;
const HEIGHT: i64 = 180;
const LEFT: i64 = 48;
const BOTTOM: i64 = 24;
const TOP: i64 = 12;

/// Upright bars, one a day, zeros as zeros, with an axis of sensible ticks. `unit` stands in the hover titles.
pub(crate) fn columns(bars: &[Bar], title: &str, unit: &str) -> String {
    let ticks = ticks(bars.iter().map(|bar| bar.value).max().unwrap_or(0));
    let top = ticks.last().copied().unwrap_or(1).max(1);
    let (plot, floor) = (HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM);
    let height = |value: i64| scaled(value, top, plot);
    let mut svg =
        format!("<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(title));
    for tick in ticks {
        let y = floor - height(tick);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y}\" x2=\"{WIDTH}\" y2=\"{y}\"/><text class=\"tick\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            LEFT - 8,
            y + 4,
            short(tick)
        );
    }
    let slot = (WIDTH - LEFT) / i64::try_from(bars.len().max(1)).unwrap_or(1);
    for (place, bar) in (0_i64..).zip(bars) {
        let (x, h) = (LEFT + place * slot + slot / 6, height(bar.value));
        let class = if bar.unfinished { "bar unfinished" } else { "bar" };
        let so_far = if bar.unfinished { " so far" } else { "" };
        let _ = write!(
            svg,
            "<g><title>{}: {} {unit}{so_far}</title><rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{h}\" rx=\"2\"/><text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>",
            escape(&bar.label),
            grouped(bar.value),
            floor - h,
            slot * 2 / 3,
            x + slot / 3,
            HEIGHT - 6,
            escape(&bar.label)
        );
    }
    svg + "</svg>"
}

/// Zero and up to five round steps, the last one at or above `most`.
fn ticks(most: i64) -> Vec<i64> {
    let step = round_step((most + 3) / 4);
    let count = (most + step - 1) / step;
    (0..=count.max(1)).map(|tick| tick * step).collect()
}

/// The next of 1, 2, 5, 10, 20, 50 … that is at least `value`.
fn round_step(value: i64) -> i64 {
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            if power.saturating_mul(factor) >= value {
                return power.saturating_mul(factor);
            }
        }
        power = power.saturating_mul(10);
    }
}

/// `value` of `top`, in `pixels`; at least one pixel for what is not zero.
fn scaled(value: i64, top: i64, pixels: i64) -> i64 {
    let exact = i128::from(value.max(0)) * i128::from(pixels) / i128::from(top);
    i64::try_from(exact).unwrap_or(pixels).max(i64::from(value > 0))
}

/// A number with its thousands apart: 1 234 567 with narrow spaces.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::from(if number < 0 { "−" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A tick as it fits beside an axis: 8 000, 20k, 1.5M. Ticks are round, so one decimal is all they can have.
fn short(tick: i64) -> String {
    if tick < 10_000 {
        return grouped(tick);
    }
    let (unit, letter) = match tick {
        10_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    let (whole, tenth) = (tick / unit, tick % unit * 10 / unit);
    if tenth == 0 { format!("{}{letter}", grouped(whole)) } else { format!("{}.{tenth}{letter}", grouped(whole)) }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, &[0, 1])]
    #[case(1, &[0, 1])]
    #[case(4, &[0, 1, 2, 3, 4])]
    #[case(5, &[0, 2, 4, 6])]
    #[case(37, &[0, 10, 20, 30, 40])]
    #[case(1_000_000, &[0, 500_000, 1_000_000])]
    #[case(800_000, &[0, 200_000, 400_000, 600_000, 800_000])]
    fn ticks_are_round_and_few(#[case] most: i64, #[case] expected: &[i64]) {
        let found = ticks(most);
        assert!(found.len() <= 6 && *found.last().unwrap() >= most, "{found:?}");
        assert_eq!(found, expected);
    }

    #[test]
    fn ticks_are_short() {
        for (tick, text) in [(8_000, "8\u{202f}000"), (20_000, "20k"), (400_000, "400k"), (1_500_000, "1.5M")] {
            assert_eq!(short(tick), text);
        }
    }

    #[test]
    fn ticks_end_above_any_number() {
        for most in [9, 99, 12_345, 987_654_321, i64::MAX / 16] {
            let found = ticks(most);
            assert!(*found.last().unwrap() >= most && found.len() <= 7, "{most}: {found:?}");
        }
    }

    #[test]
    fn a_zero_is_a_zero_and_the_smallest_value_is_seen() {
        assert_eq!((scaled(0, 100, 50), scaled(1, 1_000_000, 50), scaled(100, 100, 50)), (0, 1, 50));
    }

    #[test]
    fn labels_are_text() {
        let bars = [Bar { label: "<b>\"&".into(), value: 3, unfinished: true }];
        let svg = columns(&bars, "<i>", "views");
        assert!(!svg.contains("<b>") && !svg.contains("<i>") && svg.contains("unfinished"), "{svg}");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((grouped(999).as_str(), grouped(-1_000).as_str()), ("999", "−1\u{202f}000"));
    }
}
