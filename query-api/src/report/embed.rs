//! What the page embeds of the numbers: all of them, but of lists that can be long what fits, so that no page is heavy.

use super::{
    object::{Ranking, Report},
    window::Window,
};

/// URLs that are embedded of each day of a week, and in all.
const URLS_A_DAY: usize = 100;
const URLS: usize = 700;

/// Bytes that they may take together, as many on each day: a hundred a day of a week have 146 characters each.
const URL_BYTES: usize = 120_000;

/// Bytes that the rows of each other list may take.
const LIST_BYTES: usize = 8_000;

/// What stands around a URL and its count: `{"url":"","count":12345},`.
const AROUND_URL: usize = 24;

/// What stands around the texts of a row of another list.
const AROUND_ROW: usize = 60;

/// How many URLs of a day, and in how many bytes those of all days.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub urls: usize,
    pub bytes: usize,
}

impl Most {
    /// None.
    pub const NONE: Self = Self { urls: 0, bytes: 0 };

    /// Of the days of a window.
    pub fn of(window: Window) -> Self {
        Self { urls: (URLS / usize::from(window.length()).max(1)).clamp(1, URLS_A_DAY), bytes: URL_BYTES }
    }

    /// What each of these days may have of it.
    pub fn shared_by(self, days: usize) -> Self {
        Self { bytes: self.bytes / days.max(1), ..self }
    }

    /// Whether there is room for this one; if there is, there is less of it afterwards.
    pub fn takes(&mut self, url: &str) -> bool {
        let left = self.urls.checked_sub(1).zip(self.bytes.checked_sub(length(url) + AROUND_URL));
        left.inspect(|(urls, bytes)| (self.urls, self.bytes) = (*urls, *bytes)).is_some()
    }
}

/// The object as JSON that cannot end the script element around it.
pub(super) fn embedded(report: &Report) -> String {
    let mut report = report.clone();
    let tail = &mut report.tail;
    for list in
        [&mut tail.pages, &mut tail.elements, &mut tail.families, &mut tail.systems, &mut tail.devices, &mut tail.bots]
    {
        shorten(list);
    }
    safe(&serde_json::to_string(&report).unwrap_or_else(|_| "null".to_owned()))
}

/// Leaves out the rows that do not fit; they are counted with those that are not listed anyway.
fn shorten(list: &mut Ranking) {
    let (mut left, before) = (LIST_BYTES, list.rows.len());
    list.rows.retain(|row| {
        let bytes = length(&row.name) + length(&row.interaction) + AROUND_ROW;
        left.checked_sub(bytes).inspect(|rest| left = *rest).is_some()
    });
    list.more += i64::try_from(before - list.rows.len()).unwrap_or(0);
}

fn safe(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Bytes of a text in the page.
fn length(text: &str) -> usize {
    serde_json::to_string(text).map_or(0, |json| safe(&json).len() - 2)
}

#[cfg(test)]
mod tests {
    use super::{super::object::RankedRow, *};

    fn window(days: u16) -> Window {
        Window::of_last(days, "2026-11-25".parse().unwrap())
    }

    #[test]
    fn a_hundred_ordinary_urls_of_each_day_of_a_week_fit_and_fewer_of_more_days() {
        for (days, urls) in [(1, 100), (7, 100), (30, 23), (90, 7), (400, 1)] {
            let mut most = Most::of(window(days)).shared_by(usize::from(days));
            let fit = (0..200).filter(|_| most.takes(&"x".repeat(146))).count();
            assert_eq!(fit, urls, "{days} days");
        }
    }

    #[test]
    fn no_urls_take_more_than_their_bytes_however_they_are_written() {
        for text in ["x".repeat(2_000), "ä".repeat(2_000), "<".repeat(2_000), "\"".repeat(2_000), "😀".repeat(2_000)]
        {
            let mut most = Most::of(window(7)).shared_by(7);
            let fit = (0..100).filter(|_| most.takes(&text)).count();
            let embedded = safe(&serde_json::to_string(&text).unwrap()).len();
            assert!(fit * embedded <= URL_BYTES / 7 && fit < 9, "{fit} of {embedded} bytes");
        }
        let mut most = Most::of(window(7)).shared_by(7);
        assert!(!most.takes(&"x".repeat(18_000)) && most.takes("x"), "one that is too long leaves room for others");
        let mut none = Most::NONE;
        assert!(!none.takes(""));
    }

    #[test]
    fn rows_that_do_not_fit_are_counted() {
        let row = |name: String| RankedRow { name, interaction: String::new(), count: 1, percentage: 1.0 };
        let rows = vec![row("x".repeat(7_800)), row("<".repeat(2_000)), row("short".to_owned())];
        let mut list = Ranking { rows, more: 4, total: 7 };
        shorten(&mut list);
        assert_eq!((list.rows.len(), list.more, list.total), (2, 4 + 1, 7), "{list:?}");
        assert_eq!(list.rows[1].name, "short");
    }
}
