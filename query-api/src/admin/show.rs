//! Values as people read them.

use chrono::{DateTime, MappedLocalTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Characters of a text that a table shows; the whole is on the object's page.
const CUT: usize = 80;
/// Characters of a session's ID that a list shows: a UUID fits.
const CUT_ID: usize = 40;
/// Characters of a text that its tooltip shows.
const TOOLTIP: usize = 2_000;

/// A value in a table.
pub(super) struct Cell {
    pub text: String,
    /// The whole, when the text is cut; of a time, its decimals.
    pub whole: Option<String>,
    /// For a time: as machines read it.
    pub datetime: Option<String>,
}

impl Cell {
    /// A text, cut where it is long.
    pub fn text(text: &str) -> Self {
        Self::cut_at(text, CUT)
    }

    /// The ID of a session.
    pub fn session_id(text: &str) -> Self {
        Self::cut_at(text, CUT_ID)
    }

    fn cut_at(text: &str, most: usize) -> Self {
        let (cut, is_cut) = cut(text, most);
        let whole = is_cut.then(|| self::cut(text, TOOLTIP).0);
        Self { text: cut, whole, datetime: None }
    }

    pub fn optional(text: Option<&str>) -> Self {
        text.map_or_else(|| Self::text("–"), Self::text)
    }

    /// A moment in the zone.
    pub fn time(at: DateTime<Utc>, zone: Tz) -> Self {
        let whole = time(at, zone);
        // a table is read down its columns: whole seconds are enough for that
        let text = whole.split('.').next().unwrap_or_default().to_owned();
        Self { whole: (text != whole).then_some(whole), text, datetime: Some(service::time_format::show(at, zone)) }
    }
}

/// The beginning of a text, and whether there is more of it.
pub(super) fn cut(text: &str, most: usize) -> (String, bool) {
    match text.char_indices().nth(most) {
        None => (text.to_owned(), false),
        Some((end, _)) => (format!("{}…", &text[..end]), true),
    }
}

/// A moment by the zone's clocks; decimals where there are any.
pub(super) fn time(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let micros = local.nanosecond() / 1_000 != 0;
    local.format(if micros { "%Y-%m-%d %H:%M:%S%.6f" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// A moment in a field that can be edited: with its offset where the clocks alone would not tell it.
pub(super) fn editable(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    match zone.from_local_datetime(&local.naive_local()) {
        MappedLocalTime::Single(_) => time(at, zone),
        _ => format!("{}{}", time(at, zone), local.format("%:z")),
    }
}

/// A length of time in words: its two largest parts.
pub(super) fn in_words(gap: TimeDelta) -> String {
    let seconds = gap.num_seconds().max(0);
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3_600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let Some(first) = parts.iter().position(|(number, _)| *number > 0) else { return "less than a second".to_owned() };
    let said = |(number, unit): &(i64, &str)| format!("{number} {unit}{}", if *number == 1 { "" } else { "s" });
    let told: Vec<String> = parts[first..].iter().take(2).filter(|(number, _)| *number > 0).map(said).collect();
    told.join(" ")
}

/// Which value of a form this is, whatever a browser does to the ends of its lines.
pub(super) fn normal(text: &str) -> String {
    let unbroken: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    crate::text::trimmed(&unbroken).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "less than a second")]
    #[case(1, "1 second")]
    #[case(61, "1 minute 1 second")]
    #[case(3_600, "1 hour")]
    #[case(90_061, "1 day 1 hour")]
    #[case(86_400 * 40 + 59, "40 days")]
    #[case(-5, "less than a second")]
    fn a_gap_is_told_by_its_largest_parts(#[case] seconds: i64, #[case] told: &str) {
        assert_eq!(in_words(TimeDelta::seconds(seconds)), told);
    }

    #[test]
    fn an_hour_that_comes_twice_is_edited_with_its_offset() {
        let zone = Tz::Europe__Berlin;
        let at = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        assert_eq!(editable(at("2026-11-24T10:00:00.5Z"), zone), "2026-11-24 11:00:00.500000");
        let twice = editable(at("2026-10-25T00:30:00Z"), zone);
        assert_eq!(twice, "2026-10-25 02:30:00+02:00");
        for text in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-11-24T10:00:00.000001Z"] {
            assert_eq!(crate::filters::moment::read(&editable(at(text), zone), zone), Ok(at(text)));
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 2), ("äö…".to_owned(), true));
        assert_eq!(cut("äö", 2), ("äö".to_owned(), false));
    }
}
