//! What a filter of the report cannot touch: the page, the numbers and every CSV say so, and all say the same.

use crate::{common::Site, report_asked::site};
use serde_json::{Value, json};

const URL: &str = "url=http://a.example/shop";
const DEVICE: &str = "device=phone";

/// What is marked as being of the whole site, of the parts of a page that begin and end like this.
fn marked(page: &str, begin: &str, end: &str) -> Vec<String> {
    let parts = page.split(begin).skip(1).map(|rest| rest.split(end).next().unwrap());
    let marked = parts.filter(|part| part.contains("class=\"whole\">whole site<"));
    // a heading's id stands before its text
    let text =
        |part: &str| part.rsplit_once("\">").filter(|_| begin.ends_with('"')).map_or(part, |(_, text)| text).to_owned();
    marked.map(|part| text(part.split(['<']).next().unwrap()).trim().to_owned()).collect()
}

async fn page(site: &Site, query: &str) -> String {
    site.get_as_staff(&format!("/report/?{query}")).await.body
}

#[tokio::test]
async fn what_a_filter_cannot_touch_is_marked_on_the_page_and_nothing_else_is() {
    let site = site().await;
    let visitors =
        ["Interactions by type", "Browsers, in short", "Browsers and programs", "Operating systems", "Devices", "Bots"];
    let by_url_parts = ["Sessions a day", "Interactions a day", "Mean duration a day", "Interactions by element"];
    let tiles = ["Sessions", "Interactions", "Pages a session", "Single-page sessions", "Median duration"];
    let columns = ["Sessions", "Interactions", "Pages a session", "Single page", "Mean duration", "Median"];
    let by_url = page(&site, &format!("{URL}&compare=1")).await;
    assert_eq!(marked(&by_url, "<h2 id=\"", "</h2>"), [&by_url_parts[..], &visitors].concat());
    assert_eq!(marked(&by_url, "<dt>", "</div>"), tiles);
    let before = ["Sessions before", "Interactions before"];
    assert_eq!(marked(&by_url, "<th scope=\"col\" class=\"n\">", "</th>"), [&columns[..], &before].concat());
    assert!(by_url.contains("What is marked “whole site” is not touched by the filter."), "the table says it");

    let by_device = page(&site, &format!("{DEVICE}&compare=1")).await;
    assert_eq!(marked(&by_device, "<h2 id=\"", "</h2>"), ["Pages", "Interactions by element"]);
    let hours = page(&site, &format!("{DEVICE}&range=today")).await;
    let by_hour = ["Page views an hour", "Sessions an hour", "Interactions an hour"];
    assert_eq!(marked(&hours, "<h2 id=\"", "</h2>")[..3], by_hour, "hours are of everybody");
    for page in [&by_device, &page(&site, "").await] {
        assert_eq!(marked(page, "<dt>", "</div>"), [""; 0]);
        assert_eq!(marked(page, "<th scope=\"col\" class=\"n\">", "</th>"), [""; 0]);
        assert!(!page.contains("is not touched by the filter"), "there is nothing to say");
    }
    assert_eq!(marked(&page(&site, "").await, "<h2 id=\"", "</h2>"), [""; 0]);
}

#[tokio::test]
async fn a_column_of_a_csv_that_a_filter_cannot_touch_has_it_in_its_name() {
    let site = site().await;
    let days = "day,page_views,sessions,interactions,ended,pages_per_session,single_page_percentage,mean_seconds,\
                median_seconds";
    // all but the day and the page views
    let days_by_url = format!("{}_whole_site", days.replace(',', "_whole_site,")).replacen(
        "day_whole_site,page_views_whole_site",
        "day,page_views",
        1,
    );
    for (table, names, by_url, by_device) in [
        ("days", days, days_by_url.as_str(), days),
        (
            "hours&range=today",
            "hour,page_views,sessions,interactions",
            "hour,page_views_whole_site,sessions_whole_site,interactions_whole_site",
            "hour,page_views_whole_site,sessions_whole_site,interactions_whole_site",
        ),
        ("pages", "url,count,percentage", "url,count,percentage", "url,count_whole_site,percentage_whole_site"),
        (
            "elements",
            "element,interaction,count,percentage",
            "element,interaction,count_whole_site,percentage_whole_site",
            "element,interaction,count_whole_site,percentage_whole_site",
        ),
        (
            "types",
            "interaction,count,percentage",
            "interaction,count_whole_site,percentage_whole_site",
            "interaction,count,percentage",
        ),
        (
            "browsers",
            "browser,sessions,percentage",
            "browser,sessions_whole_site,percentage_whole_site",
            "browser,sessions,percentage",
        ),
        (
            "families",
            "browser,sessions,percentage",
            "browser,sessions_whole_site,percentage_whole_site",
            "browser,sessions,percentage",
        ),
        (
            "systems",
            "system,sessions,percentage",
            "system,sessions_whole_site,percentage_whole_site",
            "system,sessions,percentage",
        ),
        (
            "devices",
            "device,sessions,percentage",
            "device,sessions_whole_site,percentage_whole_site",
            "device,sessions,percentage",
        ),
        ("bots", "bot,sessions,percentage", "bot,sessions_whole_site,percentage_whole_site", "bot,sessions,percentage"),
    ] {
        for (filter, names) in [("", names), (URL, by_url), (DEVICE, by_device)] {
            let csv = site.get_as_staff(&format!("/report/csv/?table={table}&{filter}")).await.body;
            assert_eq!(csv.split("\r\n").next(), Some(names), "{table} {filter}");
        }
    }
    let compared = site.get_as_staff(&format!("/report/csv/?compare=1&{URL}")).await.body;
    let of_before = ",day_before,page_views_before,sessions_before_whole_site,interactions_before_whole_site,";
    assert!(compared.lines().next().unwrap().contains(of_before), "{compared}");
    let columns = |line: &str| line.split(',').count();
    assert!(compared.lines().all(|line| columns(line) == 18), "{compared}");
}

#[tokio::test]
async fn the_numbers_name_what_a_filter_cannot_touch() {
    let site = site().await;
    let phone = site.get_as_staff(&format!("/report/data/?{DEVICE}")).await.json();
    let filter = json!({
        "by": "device", "value": "phone", "not_narrowed": ["hours", "pages", "elements"], "members_not_narrowed": []
    });
    assert_eq!(phone["period"]["filter"], filter);
    assert_eq!((&phone["totals"]["sessions"], &phone["page_views"][0]["count"]), (&1.into(), &2.into()));
    assert_eq!(phone["page_views"][0]["urls"], json!([]), "whose page views are of which URL is not kept");
    let shop = site.get_as_staff(&format!("/report/data/?{URL}")).await.json();
    let everything = site.get_as_staff("/report/data/").await.json();
    assert_eq!(shop["totals"]["page_views"], 1);
    let filter = &shop["period"]["filter"];
    assert!(
        ["hours", "sessions_data", "browser_data"].iter().all(|key| listed(filter, "not_narrowed", key)),
        "{filter}"
    );
    assert!(["sessions", "interactions"].iter().all(|key| listed(filter, "members_not_narrowed", key)), "{filter}");
    for name in shop["period"]["filter"]["members_not_narrowed"].as_array().unwrap() {
        let name = name.as_str().unwrap();
        assert!(shop["totals"].get(name).is_some(), "{name} is no member");
        assert_eq!(shop["totals"][name], everything["totals"][name], "{name}");
    }
    for key in shop["period"]["filter"]["not_narrowed"].as_array().unwrap() {
        let key = key.as_str().unwrap();
        assert!(shop.get(key).is_some(), "{key} is no key");
        assert_eq!(shop[key], everything[key], "{key}");
    }
}

fn listed(filter: &Value, list: &str, key: &str) -> bool {
    filter[list].as_array().unwrap().iter().any(|name| name == key)
}
