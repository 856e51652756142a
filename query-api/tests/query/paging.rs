//! Counts, limits, offsets and the links between pages. Contract § 5.

use crate::common::{HOST, PROXY, Setup, Site, encode, events::*, get};
use chrono::TimeDelta;
use service::client_address::Peer;
use std::collections::BTreeSet;

/// A site with so many page views of three sessions, on several partitions.
async fn with_page_views(number: i64, setup: Setup) -> Site {
    let mut site = Site::with(setup).await;
    let start = time("2026-07-01T10:00:00Z");
    let of = |i: i64| page_view(&format!("s{}", i % 3), start + TimeDelta::seconds(i / 2), "http://a.example/");
    site.project(&(0..number).map(of).collect::<Vec<_>>()).await;
    site
}

fn links(answer: &crate::common::Answer) -> (Option<String>, Option<String>) {
    let json = answer.json();
    let link = |key: &str| json[key].as_str().map(str::to_owned);
    (link("next"), link("previous"))
}

#[tokio::test]
async fn whoever_follows_the_links_sees_every_object_once_and_comes_back_the_same_way() {
    let site = with_page_views(23, Setup { partitions: 3, ..Setup::default() }).await;
    let everything = site.get("/pageviews/?limit=100").await.ids();
    assert_eq!(everything.iter().collect::<BTreeSet<_>>().len(), 23);
    let (mut path, mut seen, mut pages) = ("/pageviews/?limit=5".to_owned(), Vec::new(), Vec::new());
    loop {
        let answer = site.get(&path).await;
        assert_eq!(answer.json()["count"], 23);
        seen.extend(answer.ids());
        pages.push(answer.ids());
        let Some(next) = links(&answer).0 else { break };
        path = next;
    }
    assert_eq!((seen, pages.len()), (everything, 5));
    for page in pages.iter().rev().skip(1) {
        path = links(&site.get(&path).await).1.unwrap();
        assert_eq!(&site.get(&path).await.ids(), page);
    }
    assert_eq!(links(&site.get(&path).await).1, None);
}

#[tokio::test]
async fn a_limit_is_held_between_1_and_100_and_nonsense_is_10() {
    let site = with_page_views(120, Setup::default()).await;
    let cases = [
        ("", 10, 10),
        ("limit=7", 7, 7),
        ("limit=1", 1, 1),
        ("limit=100", 100, 100),
        ("limit=101", 100, 100),
        ("limit=999999999999999999999999", 100, 100),
        ("limit=0", 10, 10),
        ("limit=-1", 10, 10),
        ("limit=", 10, 10),
        ("limit=ten", 10, 10),
        ("limit=2.5", 10, 10),
        ("limit=3&limit=4", 4, 4),
    ];
    for (query, shown, told) in cases {
        let answer = site.get(&format!("/pageviews/?{query}")).await;
        assert_eq!((answer.ids().len(), answer.json()["count"].as_i64()), (shown, Some(120)), "{query}");
        let next = format!("http://{HOST}/pageviews/?limit={told}&offset={told}");
        assert_eq!(links(&answer), (Some(next), None), "{query}");
    }
}

#[tokio::test]
async fn an_offset_is_where_a_page_begins_and_beyond_the_end_the_page_is_empty() {
    let site = with_page_views(25, Setup::default()).await;
    let all = site.get("/pageviews/?limit=100").await.ids();
    let link = |query: &str| Some(format!("http://{HOST}/pageviews/?{query}"));
    let cases = [
        ("offset=0", 0..10, link("limit=10&offset=10"), None),
        ("offset=-3", 0..10, link("limit=10&offset=10"), None),
        ("offset=x", 0..10, link("limit=10&offset=10"), None),
        ("offset=3", 3..13, link("limit=10&offset=13"), link("limit=10")),
        ("offset=10", 10..20, link("limit=10&offset=20"), link("limit=10")),
        ("offset=15", 15..25, None, link("limit=10&offset=5")),
        ("offset=24", 24..25, None, link("limit=10&offset=14")),
        ("offset=25", 25..25, None, link("limit=10&offset=15")),
        ("offset=500&limit=20", 25..25, None, link("limit=20&offset=480")),
        ("offset=9223372036854775807", 25..25, None, link("limit=10&offset=9223372036854775797")),
    ];
    for (query, shown, next, previous) in cases {
        let answer = site.get(&format!("/pageviews/?{query}")).await;
        assert_eq!(answer.ids(), all[shown], "{query}");
        assert_eq!(links(&answer), (next, previous), "{query}");
    }
    let endless = site.get(&format!("/pageviews/?offset={}", "9".repeat(4_000))).await;
    assert_eq!((endless.ids(), endless.json()["count"].as_i64()), (vec![], Some(25)));
}

#[tokio::test]
async fn links_keep_all_other_parameters_sorted_by_name_below_the_base_path() {
    let site = with_page_views(3, Setup { base_path: "/user_behavior", ..Setup::default() }).await;
    let hard = "ü &=+#%/?";
    let query = format!("zebra=1&limit=1&ordering=timestamp&hard={0}&offset=1&zebra=0&empty=", encode(hard));
    let answer = site.get(&format!("/user_behavior/pageviews/?{query}")).await;
    let hard = "%C3%BC+%26%3D%2B%23%25%2F%3F";
    let url = format!("http://{HOST}/user_behavior/pageviews/?empty=&hard={hard}&limit=1");
    let next = format!("{url}&offset=2&ordering=timestamp&zebra=1&zebra=0");
    let previous = format!("{url}&ordering=timestamp&zebra=1&zebra=0");
    assert_eq!(links(&answer), (Some(next.clone()), Some(previous)));
    assert_eq!(site.get(&next).await.ids(), [3], "the link leads where it says");
}

#[tokio::test]
async fn links_have_the_scheme_and_host_of_the_request_and_forwarded_ones_from_trusted_proxies_alone() {
    let site = with_page_views(2, Setup::default()).await;
    let forwarded =
        || get("/pageviews/?limit=1").header("x-forwarded-proto", "https").header("x-forwarded-host", "shop.example");
    let of = |host: &str| Some(format!("{host}/pageviews/?limit=1&offset=1"));
    assert_eq!(links(&site.send(forwarded()).await).0, of(&format!("http://{HOST}")));
    assert_eq!(links(&site.send(forwarded().extension(Peer(PROXY))).await).0, of("https://shop.example"));
    let root = site.send(get("/").header("x-forwarded-proto", "https").extension(Peer(PROXY))).await;
    let expected = format!(
        r#"{{"sessions":"https://{HOST}/sessions/","pageviews":"https://{HOST}/pageviews/","interactions":"https://{HOST}/interactions/"}}"#
    );
    assert_eq!(root.body, expected);
}

#[tokio::test]
async fn the_sizes_of_a_page_are_settings() {
    let arguments = &["--page-size-default", "4", "--page-size-min", "2", "--page-size-max", "6"];
    let site = with_page_views(9, Setup { arguments, ..Setup::default() }).await;
    for (query, shown) in [("", 4), ("?limit=1", 4), ("?limit=2", 2), ("?limit=6", 6), ("?limit=7", 6)] {
        assert_eq!(site.get(&format!("/pageviews/{query}")).await.ids().len(), shown, "{query}");
    }
}

#[tokio::test]
async fn a_count_is_that_of_the_rows_after_repetitions_and_deletions() {
    let mut site = Site::with(Setup { partitions: 3, ..Setup::default() }).await;
    let at = time("2026-07-01T10:00:00Z");
    let mut events = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        events.extend([session(name, at, None), page_view(name, at, "http://a.example/"), click(name, at, "#a")]);
        let mut again = page_view(name, at, "http://b.example/");
        (again.event_id, again.event_id_given) = (uuid::Uuid::from_u128(1), true);
        events.extend([again.clone(), again]);
    }
    let mut deletion = session("a", at, None);
    deletion.event = schema::Event::SessionDeleted;
    events.push(deletion);
    site.project(&events).await;
    for (path, table, expected) in
        [("sessions", "session", 4), ("pageviews", "page_view", 8), ("interactions", "interaction", 4)]
    {
        let sql = format!("SELECT count(*) FROM {table}");
        let rows: i64 = sqlx::query_scalar(&sql).fetch_one(&site.pool).await.unwrap();
        let answer = site.get(&format!("/{path}/?limit=100")).await;
        let shown = i64::try_from(answer.ids().len()).unwrap();
        assert_eq!((answer.json()["count"].as_i64(), shown, rows), (Some(expected), expected, expected), "{path}");
    }
}
