//! Numbers, times and days as people read them.

use super::window::Window;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

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

/// A share or a mean with one decimal, as it is written with a unit behind it.
pub(crate) fn decimal(number: f64) -> String {
    let text = format!("{number:.1}");
    let (whole, tenth) = text.split_once('.').unwrap_or((&text, "0"));
    // below a thousand there is nothing to part, and a minus stays before a zero
    whole
        .parse()
        .ok()
        .filter(|whole: &i64| whole.abs() >= 1_000)
        .map_or_else(|| text.clone(), |whole| format!("{}.{tenth}", grouped(whole)))
}

/// A number of seconds in its two largest units.
#[expect(clippy::cast_possible_truncation, reason = "durations are far below 2^53 seconds")]
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds > 0.0 && seconds < 10.0 && seconds.fract() > 0.0 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round() as i64;
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(length, _)| seconds >= *length).unwrap_or(3);
    let (length, unit) = units[first];
    let mut text = format!("{} {unit}", grouped(seconds / length));
    if let Some((shorter, unit)) = units.get(first + 1)
        && seconds % length / shorter > 0
    {
        text = format!("{text} {} {unit}", seconds % length / shorter);
    }
    text
}

/// The same where there is little room: `1m 39s`.
pub(crate) fn duration_in_short(seconds: f64) -> String {
    let words = duration(seconds);
    words.replace(" min", "m").replace(" s", "s").replace(" h", "h").replace(" d", "d")
}

/// By how much something has grown: `+12 %`, `−3 %`, `±0 %`.
pub(crate) fn change(percent: f64) -> String {
    let rounded = percent.round();
    let sign = if rounded > 0.0 {
        "+"
    } else if rounded < 0.0 {
        "−"
    } else {
        "±"
    };
    if rounded.abs() >= 1_000.0 { format!("over {sign}999 %") } else { format!("{sign}{:.0} %", rounded.abs()) }
}

/// `19 – 25 November 2026`, with as much of the first day as differs.
pub(crate) fn days(window: Window) -> String {
    let Window { first, last } = window;
    let end = last.format("%-d %B %Y").to_string();
    if first == last {
        return format!("{}, {end}", last.format("%A"));
    }
    let begin = match (first.year() == last.year(), first.month() == last.month()) {
        (true, true) => first.format("%-d"),
        (true, false) => first.format("%-d %B"),
        _ => first.format("%-d %B %Y"),
    };
    format!("{begin} – {end}")
}

/// A day in a table.
pub(crate) fn day(date: NaiveDate) -> String {
    date.format("%a %-d %b %Y").to_string()
}

/// A time in the zone; today's without its date.
pub(crate) fn time(time: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    let (time, now) = (time.with_timezone(&zone), now.with_timezone(&zone));
    let pattern = if time.date_naive() == now.date_naive() { "%H:%M:%S" } else { "%-d %B %Y, %H:%M:%S" };
    time.format(pattern).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((grouped(999).as_str(), grouped(-1_000).as_str()), ("999", "−1\u{202f}000"));
    }

    #[test]
    fn means_are_grouped_as_well() {
        for (number, text) in [(0.04, "0.0"), (-0.5, "-0.5"), (999.94, "999.9"), (1_234.56, "1\u{202f}234.6")] {
            assert_eq!(decimal(number), text);
        }
    }

    #[rstest]
    #[case(0.0, "0 s")]
    #[case(-5.0, "0 s")]
    #[case(0.5, "0.5 s")]
    #[case(9.0, "9 s")]
    #[case(59.6, "1 min")]
    #[case(200.0, "3 min 20 s")]
    #[case(3_600.0, "1 h")]
    #[case(3_900.0, "1 h 5 min")]
    #[case(172_800.0, "2 d")]
    #[case(1_000.0 * 86_400.0 + 3_600.0, "1\u{202f}000 d 1 h")]
    fn durations_are_told_in_two_units(#[case] seconds: f64, #[case] text: &str) {
        assert_eq!(duration(seconds), text);
    }

    #[test]
    fn durations_are_short_in_tiles() {
        for (seconds, text) in [(99.0, "1m 39s"), (0.5, "0.5s"), (3_900.0, "1h 5m"), (180_000.0, "2d 2h")] {
            assert_eq!(duration_in_short(seconds), text);
        }
    }

    #[rstest]
    #[case(12.4, "+12 %")]
    #[case(-3.0, "−3 %")]
    #[case(0.2, "±0 %")]
    #[case(123_456.0, "over +999 %")]
    fn growth_has_a_sign(#[case] percent: f64, #[case] text: &str) {
        assert_eq!(change(percent), text);
    }

    #[rstest]
    #[case("2026-11-19", "2026-11-25", "19 – 25 November 2026")]
    #[case("2026-10-27", "2026-11-25", "27 October – 25 November 2026")]
    #[case("2025-12-31", "2026-01-01", "31 December 2025 – 1 January 2026")]
    #[case("2026-11-25", "2026-11-25", "Wednesday, 25 November 2026")]
    fn days_are_named_once(#[case] first: &str, #[case] last: &str, #[case] text: &str) {
        assert_eq!(days(Window { first: first.parse().unwrap(), last: last.parse().unwrap() }), text);
    }
}
