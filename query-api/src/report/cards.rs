//! The lists of a report: pages, types, elements, visitors.

use super::{
    format::{decimal, grouped},
    links::Links,
    object::{RankedRow, Ranking, Report},
    state::By,
    totals::percentage,
};

/// Characters of a name that are shown; the whole stands in the title.
const SHOWN: usize = 120;

/// A list as the page shows it.
pub(crate) struct Card {
    /// Its name as a table of its own, too.
    pub id: &'static str,
    pub title: &'static str,
    pub hint: String,
    /// What stands above the names and the numbers.
    pub columns: [&'static str; 2],
    pub rows: Vec<Entry>,
    /// How many more there are; empty for none.
    pub more: String,
    pub csv: String,
    /// It is of the whole site, whatever the filter.
    pub whole: bool,
    pub search: Option<Search>,
}

/// A search in a list.
pub(crate) struct Search {
    /// Its parameter.
    pub name: &'static str,
    pub label: &'static str,
    pub value: String,
    /// The report without it.
    pub without: String,
    pub all: &'static str,
}

/// A row.
pub(crate) struct Entry {
    /// What repeats in front of the name, such as `https://shop.example`.
    pub faint: String,
    pub name: String,
    /// All of it, where it was cut.
    pub whole: String,
    /// The report narrowed by it.
    pub link: Option<String>,
    pub count: String,
    pub share: String,
    /// The share as the length of a bar, 0 to 100.
    pub length: String,
}

/// The search in a list that can be long.
fn search(links: Links<'_>, id: &str) -> Option<Search> {
    match id {
        "pages" => Some(Search {
            name: "search",
            label: "Search in the pages",
            value: links.state.search.clone(),
            without: links.without_search(),
            all: "All pages",
        }),
        "elements" => Some(Search {
            name: "element",
            label: "Search in the elements",
            value: links.state.element.clone(),
            without: links.without_element(),
            all: "All elements",
        }),
        _ => None,
    }
}

/// All of them, in the order of the page.
pub(crate) fn cards(report: &Report, links: Links<'_>) -> Vec<Card> {
    let tail = &report.tail;
    let not_narrowed = tail.period.filter.as_ref().map_or(&[][..], |filter| filter.not_narrowed);
    let make = |id, title, hint: &str, columns, rows: Vec<Entry>, more: i64, key: &str| Card {
        id,
        title,
        hint: hint.to_owned(),
        columns,
        rows,
        more: if more > 0 { grouped(more) } else { String::new() },
        csv: links.csv(id),
        whole: not_narrowed.contains(&key),
        search: search(links, id),
    };
    let ranked = |ranking: &Ranking, by: Option<By>| -> Vec<Entry> {
        let link = |name: &str| by.map(|by| links.filter(by, name));
        let rows = ranking.rows.iter();
        rows.map(|row| entry(&row.name, link(&row.name), row.count, row.percentage)).collect()
    };
    let (site, pages) = pages(&tail.pages, links);
    let elements = tail.elements.rows.iter().map(|row| {
        let faint = format!("{} on ", in_words(&row.interaction));
        Entry { faint, ..entry(&row.name, None, row.count, row.percentage) }
    });
    let browsers = tail.browser_data.iter().map(|of| {
        let link = Some(links.filter(By::Browser, &of.browser));
        entry(&of.browser, link, of.count, of.percentage)
    });
    let devices = tail.devices.rows.iter().map(|row| {
        let link = Some(links.filter(By::Device, &row.name));
        entry(device_in_words(&row.name), link, row.count, row.percentage)
    });
    let bots = tail.bots.total;
    let bots_hint = format!("{} of {} sessions", grouped(bots), grouped(tail.totals.sessions));
    vec![
        make("pages", "Pages", site, ["Page", "Views"], pages, tail.pages.more, "pages"),
        make(
            "elements",
            "Interactions by element",
            "",
            ["Element", "Interactions"],
            elements.collect(),
            tail.elements.more,
            "elements",
        ),
        make("types", "Interactions by type", "", ["Type", "Interactions"], types(report), 0, "interaction_data"),
        make(
            "browsers",
            "Browsers, in short",
            "everybody, bots as well",
            ["Browser", "Sessions"],
            browsers.collect(),
            0,
            "browser_data",
        ),
        make(
            "families",
            "Browsers and programs",
            "without bots",
            ["Browser", "Sessions"],
            ranked(&tail.families, Some(By::Family)),
            tail.families.more,
            "families",
        ),
        make(
            "systems",
            "Operating systems",
            "without bots",
            ["System", "Sessions"],
            ranked(&tail.systems, Some(By::System)),
            tail.systems.more,
            "systems",
        ),
        make("devices", "Devices", "without bots", ["Device", "Sessions"], devices.collect(), 0, "devices"),
        make(
            "bots",
            "Bots",
            &bots_hint,
            ["Bot", "Sessions"],
            ranked(&tail.bots, Some(By::Family)),
            tail.bots.more,
            "bots",
        ),
    ]
}

/// Interactions by type, the most frequent ones first.
fn types(report: &Report) -> Vec<Entry> {
    let mut types: Vec<_> = report.head.interaction_data.iter().collect();
    types.sort_by_key(|of| -of.count);
    let share = |count| percentage(count, report.tail.totals.interactions);
    types.into_iter().map(|of| entry(in_words(&of.interaction), None, of.count, share(of.count))).collect()
}

fn entry(name: &str, link: Option<String>, count: i64, percentage: f64) -> Entry {
    let short = match name.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    };
    let whole = if short == name { String::new() } else { name.to_owned() };
    let name = if short.is_empty() { "(empty)".to_owned() } else { short };
    Entry {
        faint: String::new(),
        name,
        whole,
        link,
        count: grouped(count),
        share: format!("{} %", decimal(percentage)),
        length: decimal(percentage.clamp(0.0, 100.0)),
    }
}

/// The pages, and what all of them have in front of their path: that is said once, and not with each.
fn pages<'a>(ranking: &'a Ranking, links: Links<'_>) -> (&'a str, Vec<Entry>) {
    let site = common_host(ranking.rows.iter().map(|row| row.name.as_str()));
    let entry = |row: &RankedRow| {
        let at = host_end(&row.name);
        let faint = if site.is_empty() { &row.name[..at] } else { "" };
        let link = Some(links.filter(By::Url, &row.name));
        Entry { faint: faint.to_owned(), ..entry(&row.name[at..], link, row.count, row.percentage) }
    };
    (site, ranking.rows.iter().map(entry).collect())
}

/// What all URLs have in front of their path; nothing when they differ.
fn common_host<'a>(mut urls: impl Iterator<Item = &'a str>) -> &'a str {
    let host = |url: &'a str| &url[..host_end(url)];
    let first = urls.next().map(host).unwrap_or_default();
    if urls.all(|url| host(url) == first) { first } else { "" }
}

/// Where the path of a URL begins, if there is more than the host.
fn host_end(url: &str) -> usize {
    let Some(host) = url.find("://").map(|at| at + 3) else { return 0 };
    url[host..].find(['/', '?', '#']).map_or(0, |at| host + at)
}

/// `form_submit` as people say it.
fn in_words(kind: &str) -> &str {
    match kind {
        "click" => "Click",
        "scroll" => "Scroll",
        "mouse_move" => "Mouse move",
        "form_submit" => "Form submit",
        "input_change" => "Input change",
        "page_resize" => "Page resize",
        "keypress" => "Key press",
        "hover" => "Hover",
        other => other,
    }
}

/// A class of devices as people say it.
pub(crate) fn device_in_words(class: &str) -> &str {
    match class {
        "desktop" => "Desktop",
        "phone" => "Phone",
        "tablet" => "Tablet",
        "bot" => "Bot",
        "other" => "Other, programs",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_in_a_url_is_told_apart_from_its_path() {
        for (url, at) in [
            ("https://shop.example/a?b", 20),
            ("https://shop.example?b", 20),
            ("https://shop.example", 0),
            ("x", 0),
            ("https://a/ä", 9),
        ] {
            assert_eq!(host_end(url), at, "{url}");
        }
    }

    #[test]
    fn a_host_is_said_once_when_all_pages_have_it() {
        let common = |urls: &[&'static str]| common_host(urls.iter().copied());
        assert_eq!(common(&["https://shop.example/a", "https://shop.example?b"]), "https://shop.example");
        assert_eq!(common(&["https://shop.example/a", "http://shop.example/a"]), "");
        assert_eq!(common(&["https://shop.example/a", "x"]), "");
        assert_eq!(common(&[]), "");
    }

    #[test]
    fn a_long_name_is_cut_between_characters_and_kept_whole_in_its_title() {
        let long = "ä".repeat(SHOWN + 1);
        let found = entry(&long, None, 1, 0.04);
        assert_eq!((found.name.chars().count(), found.whole.as_str()), (SHOWN + 1, long.as_str()));
        assert_eq!((found.share.as_str(), found.length.as_str()), ("0.0 %", "0.0"));
        let short = entry(&long[..SHOWN * 2], None, 1, 100.0);
        assert!(short.whole.is_empty() && !short.name.ends_with('…'));
        assert_eq!(entry("", None, 1, 1.0).name, "(empty)");
    }
}
