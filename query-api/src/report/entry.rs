//! The rows of a list: names as they are shown and what they lead to. No name makes a page heavy.

use super::{
    format::{decimal, grouped},
    links::Links,
    object::{RankedRow, Ranking},
    state::By,
};

/// Characters of a name that are shown.
const SHOWN: usize = 120;

/// Bytes of a name that are in its title and in the link behind it, from where all links have them again. The CSV has
/// all of a name.
const LONGEST: usize = 400;

/// A host that is longer is not told apart from its path.
const HOST: usize = 100;

/// A row.
pub(crate) struct Entry {
    /// What repeats in front of the name, such as `https://shop.example`.
    pub faint: String,
    pub name: String,
    /// All of it or much of it, where the name was cut.
    pub whole: String,
    /// The report narrowed by it.
    pub link: Option<String>,
    pub count: String,
    pub share: String,
    /// The share as the length of a bar, 0 to 100.
    pub length: String,
}

/// The report of this name alone. A URL that is very long leads to all that begin as it does; nothing else can.
pub(super) fn narrowed(links: Links<'_>, by: By, name: &str) -> Option<String> {
    let beginning = &name[..name.floor_char_boundary(LONGEST)];
    (by == By::Url || beginning == name).then(|| links.filter(by, beginning))
}

/// A row without a faint part.
pub(super) fn entry(name: &str, link: Option<String>, count: i64, percentage: f64) -> Entry {
    let short = match name.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &name[..at]),
        None => name.to_owned(),
    };
    let title = &name[..name.floor_char_boundary(LONGEST)];
    let whole = match () {
        () if short == name => String::new(),
        () if title == name => name.to_owned(),
        () => format!("{title}…"),
    };
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
pub(super) fn pages<'a>(ranking: &'a Ranking, links: Links<'_>) -> (&'a str, Vec<Entry>) {
    let site = common_host(ranking.rows.iter().map(|row| row.name.as_str()));
    let entry = |row: &RankedRow| {
        let at = host_end(&row.name);
        let faint = if site.is_empty() { &row.name[..at] } else { "" };
        let link = narrowed(links, By::Url, &row.name);
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
    url[host..].find(['/', '?', '#']).map(|at| host + at).filter(|at| *at <= HOST).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{super::state::State, *};

    #[test]
    fn what_repeats_in_a_url_is_told_apart_from_its_path() {
        for (url, at) in [
            ("https://shop.example/a?b", 20),
            ("https://shop.example?b", 20),
            ("https://shop.example", 0),
            ("x", 0),
            ("https://a/ä", 9),
            (&format!("https://{}:p@a/b", "u".repeat(HOST)), 0),
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
        let longest = entry(&"ä".repeat(2_000), None, 1, 1.0).whole;
        assert!(longest.len() < LONGEST + 4 && longest.ends_with("ä…"), "{longest}");
    }

    #[test]
    fn a_link_is_never_long_and_never_asks_for_what_its_name_is_not() {
        let state = State::default();
        let links = Links { base: "", state: &state };
        assert_eq!(narrowed(links, By::Family, "a b").as_deref(), Some("/report/?family=a+b"));
        assert_eq!(narrowed(links, By::Family, &"x".repeat(LONGEST + 1)), None);
        let url = narrowed(links, By::Url, &"ä".repeat(2_000)).unwrap();
        assert_eq!(url, format!("/report/?url={}", "%C3%A4".repeat(LONGEST / 2)));
    }
}
