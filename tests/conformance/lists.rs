//! § 5.

use crate::{
    Case,
    site::{Site, encode, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("5", "limit and offset are forgiving", paging),
    Case("5", "a page has 10 objects without a limit and 100 at most", sizes),
    Case("5", "next and previous are absolute, keep all other parameters, keys sorted", links),
    Case("5", "newest first without ordering; ordering takes the allowed fields, the last repeated one", ordering),
    Case("5", "search: all terms, in any field, phrases kept together, wildcards literal", search),
    Case("5", "search and filters turn a detail that does not match into 404", details),
    Case("5", "count=capped and count=none", counts),
];

/// Page views of a session of its own, one a URL, in their order; gives the session_id.
pub fn page_views(site: &Site, urls: &[&str]) -> String {
    let id = site.session();
    for url in urls {
        let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": url}));
        site.found("pageviews", &taken);
    }
    id
}

/// A field of each object of a list, as text.
pub fn pick(list: &Value, field: &str) -> Vec<String> {
    let results = list["results"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    results.iter().map(|object| object[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// The URLs of most lists here.
pub const PAGES: [&str; 5] =
    ["http://a.example/1", "http://a.example/2", "http://a.example/3", "http://a.example/4", "http://a.example/5"];

fn paging(site: &Site) {
    let id = page_views(site, &PAGES);
    let list = |query: &str| site.get(&format!("/pageviews/?session_id={}&{query}", encode(&id))).json();
    for (query, shown) in [
        ("limit=2", 2),
        ("limit=0", 5),
        ("limit=-1", 5),
        ("limit=", 5),
        ("limit=x", 5),
        ("limit=1.0", 5),
        ("limit=101", 5),
        ("limit=999999999999999999999", 5),
        ("limit=2&limit=3", 3),
        ("offset=3", 2),
        ("offset=-3", 5),
        ("offset=x", 5),
        ("offset=5", 0),
        ("offset=99999999999999999999999", 0),
    ] {
        let found = list(query);
        assert_eq!((pick(&found, "url").len(), &found["count"]), (shown, &json!(5)), "{query}");
    }
    let beyond = list("offset=50");
    assert!(beyond["next"].is_null() && beyond["previous"].is_string(), "{beyond}");
}

fn sizes(site: &Site) {
    let id = site.session();
    let events: Vec<Value> = (0..101)
        .map(|n| json!({"type": "pageview", "session_id": id, "url": format!("http://a.example/{n}")}))
        .collect();
    let taken = site.accept_json("batch", &json!({ "events": events }));
    site.found("pageviews", &taken["results"][100]);
    for (query, shown, next) in [("", 10, 10), ("&limit=100", 100, 100), ("&limit=101", 100, 100), ("&limit=0", 10, 10)]
    {
        let list = site.get(&format!("/pageviews/?session_id={id}{query}")).json();
        assert_eq!((pick(&list, "url").len(), &list["count"]), (shown, &json!(101)), "{query}");
        let link = list["next"].as_str().unwrap();
        assert!(link.contains(&format!("limit={next}&offset={next}&")), "{query}: {link}");
    }
}

fn links(site: &Site) {
    let id = page_views(site, &PAGES);
    let at = format!("http://{}{}/pageviews/", site.host, site.base);
    let list = site.get(&format!("/pageviews/?z=1&session_id={id}&limit=2&a=b%20c&offset=2")).json();
    assert_eq!(list["next"], format!("{at}?a=b+c&limit=2&offset=4&session_id={id}&z=1"));
    assert_eq!(list["previous"], format!("{at}?a=b+c&limit=2&session_id={id}&z=1"));
    let (mut seen, mut next) = (Vec::new(), format!("/pageviews/?limit=2&session_id={id}"));
    loop {
        let list = site.get(&next).json();
        seen.extend(pick(&list, "url"));
        let Some(url) = list["next"].as_str() else { break };
        next = site.path_of(url);
    }
    assert_eq!(seen, PAGES.iter().rev().copied().collect::<Vec<_>>());
}

fn ordering(site: &Site) {
    let id = page_views(site, &PAGES[..3]);
    let of = |query: &str| pick(&site.get(&format!("/pageviews/?session_id={id}&{query}")).json(), "url");
    let (up, down) = (PAGES[..3].to_vec(), PAGES[..3].iter().rev().copied().collect::<Vec<_>>());
    for (query, expected) in [
        ("", &down),
        ("ordering=timestamp", &up),
        ("ordering=-timestamp", &down),
        ("ordering=url", &down),
        ("ordering=-timestamp&ordering=timestamp", &up),
        ("ordering=x,timestamp", &up),
        ("ordering= timestamp ", &up),
        ("ordering=", &down),
    ] {
        assert_eq!(&of(&query.replace(' ', "%20")), expected, "{query}");
    }
    let [none, early, late] = [None, Some("2025-01-01T00:00:00Z"), Some("2025-01-02T00:00:00Z")].map(|end| {
        let id = site.session();
        site.accept_json(
            "sessions",
            &with(with(session(&id), "end_time", json!(end)), "user_id", json!(format!("{}o", site.prefix))),
        );
        site.session_when(&id, |_| true);
        id
    });
    let of = |order: &str| {
        pick(&site.get(&format!("/sessions/?user_id={}o&ordering={order}", site.prefix)).json(), "session_id")
    };
    assert_eq!(of("end_time"), [&early, &late, &none].map(Clone::clone), "nulls last");
    assert_eq!(of("-end_time"), [&none, &late, &early].map(Clone::clone), "nulls first");
}

fn search(site: &Site) {
    let id = site.session();
    for element in ["Buy now", "buy 100% later", "under_score", "back\\slash", "plain"] {
        let event = json!({"session_id": id, "event_type": "click", "element": element});
        site.found("interactions", &site.accept_json("interactions", &event));
    }
    for (terms, expected) in [
        ("buy", &["buy 100% later", "Buy now"][..]),
        ("BUY now", &["Buy now"]),
        ("now,buy", &["Buy now"]),
        ("\"buy now\"", &["Buy now"]),
        ("\"now buy\"", &[]),
        ("'buy 100%'", &["buy 100% later"]),
        ("%", &["buy 100% later"]),
        ("_", &["under_score"]),
        ("\\", &["back\\slash"]),
        ("", &["plain", "back\\slash", "under_score", "buy 100% later", "Buy now"]),
    ] {
        let query = format!("/interactions/?session_id={id}&search={}", encode(terms));
        assert_eq!(pick(&site.get(&query).json(), "element"), expected, "{terms}");
    }
    let found = site.get(&format!("/interactions/?search={}", encode(&format!("plain {id}")))).json();
    assert_eq!(pick(&found, "element"), ["plain"], "terms may match in different fields");
    let nul = site.get("/interactions/?search=%00");
    assert_eq!((nul.status, nul.json()), (400, json!(["Null characters are not allowed."])));
}

fn details(site: &Site) {
    let id = site.session();
    let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/here"}));
    site.found("pageviews", &taken);
    for (query, status) in
        [("url_contains=HERE", 200), ("url_contains=there", 404), ("search=here", 200), ("search=nowhere", 404)]
    {
        let answer = site.get(&format!("/pageviews/{}/?{query}", taken["id"]));
        assert_eq!(answer.status, status, "{query}");
        if status == 404 {
            assert_eq!(answer.json(), json!({"detail": "No PageView matches the given query."}));
        }
    }
}

fn counts(site: &Site) {
    let id = page_views(site, &PAGES[..2]);
    let of = |mode: &str| site.get(&format!("/pageviews/?session_id={id}&limit=1&count={mode}"));
    assert_eq!((of("exact").json()["count"].clone(), of("x").json()["count"].clone()), (json!(2), json!(2)));
    assert_eq!((of("capped").json()["count"].clone(), of("capped").header("footfall-count")), (json!(2), None));
    let none = of("none").json();
    assert!(none["count"].is_null() && none["next"].is_string(), "{none}");
}
