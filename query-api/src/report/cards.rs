//! The lists of a report: pages, types, elements, visitors.

use super::{
    entry::{Entry, entry, narrowed, pages},
    format::grouped,
    links::Links,
    object::{Ranking, Report},
    state::By,
    totals::percentage,
};

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
    let make = |id, title, hint: &str, columns, rows: Vec<Entry>, more: i64, key: &str| Card {
        id,
        title,
        hint: hint.to_owned(),
        columns,
        rows,
        more: if more > 0 { grouped(more) } else { String::new() },
        csv: links.csv(id),
        whole: links.state.leaves_whole(key),
        search: search(links, id),
    };
    let ranked = |ranking: &Ranking, by: Option<By>| -> Vec<Entry> {
        let link = |name: &str| by.and_then(|by| narrowed(links, by, name));
        let rows = ranking.rows.iter();
        rows.map(|row| entry(&row.name, link(&row.name), row.count, row.percentage)).collect()
    };
    let (site, pages) = pages(&tail.pages, links);
    let elements = tail.elements.rows.iter().map(|row| {
        let faint = format!("{} on ", in_words(&row.interaction));
        Entry { faint, ..entry(&row.name, None, row.count, row.percentage) }
    });
    let browsers = tail.browser_data.iter().map(|of| {
        let link = narrowed(links, By::Browser, &of.browser);
        entry(&of.browser, link, of.count, of.percentage)
    });
    let devices = tail.devices.rows.iter().map(|row| {
        let link = narrowed(links, By::Device, &row.name);
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
