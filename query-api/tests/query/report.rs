//! The report as an object and as a page. Contract § 9.

use crate::common::{Setup, Site, events::*};
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use schema::InteractionKind;
use serde_json::Value;

/// The numbers that a page has.
pub fn embedded(page: &str) -> Value {
    let (_, from) = page.split_once(r#"<script type="application/json" id="report-data">"#).unwrap();
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

/// The page and the numbers, both of the same day: midnight may pass between two requests.
async fn both(site: &Site) -> (String, Value, Value) {
    loop {
        let page = site.get_as_staff("/report/").await.body;
        let numbers = site.get_as_staff("/report/data/").await.json();
        let embedded = embedded(&page);
        let day = |report: &Value| report["as_of"].as_str().unwrap()[..10].to_owned();
        if day(&embedded) == day(&numbers) {
            return (page, embedded, numbers);
        }
    }
}

fn without_time(mut report: Value) -> Value {
    assert!(report.as_object_mut().unwrap().remove("as_of").is_some());
    report
}

#[tokio::test]
async fn the_page_embeds_the_object_that_the_numbers_are() {
    let mut site = Site::with(Setup { zone: Tz::Europe__Berlin, partitions: 3, ..Setup::default() }).await;
    for day in 0..9 {
        let (name, at) = (format!("s{day}"), Utc::now() - TimeDelta::days(day));
        site.project(&[
            session(&name, at, Some(at + TimeDelta::minutes(day))),
            page_view(&name, at, "http://a.example/<&>"),
            interaction(&name, at, InteractionKind::Keypress, "#a", "{}"),
        ])
        .await;
    }
    let (_, embedded, numbers) = both(&site).await;
    assert_eq!(without_time(embedded), without_time(numbers.clone()));
    for key in ["interaction_data", "timestamps_data", "page_views", "start_end_times_data", "browser_data"] {
        assert!(!numbers[key].as_array().unwrap().is_empty(), "{key}: {numbers}");
    }
    assert_eq!(numbers["interaction_data"][0]["interaction"], "keypress");
    assert_eq!(numbers["timestamps_data"].as_array().unwrap().len(), 7, "seven days, today included: {numbers}");
}

#[tokio::test]
async fn the_page_has_the_hundred_most_viewed_urls_of_a_day_and_says_how_many_more_there_are() {
    let mut site = Site::new().await;
    let at = Utc::now();
    let view = |url: i32| page_view("s", at, &format!("http://a.example/{url:03}"));
    // the last thirty are viewed twice
    let views: Vec<_> = (0..130).chain(100..130).map(view).collect();
    site.project(&views).await;
    let (page, embedded, numbers) = both(&site).await;
    let urls = |report: &Value| -> Vec<String> {
        let urls = report["page_views"][0]["urls"].as_array().unwrap();
        urls.iter().map(|of| of["url"].as_str().unwrap()[17..].to_owned()).collect()
    };
    let of = |range: std::ops::Range<i32>| range.map(|url| format!("{url:03}")).collect::<Vec<_>>();
    assert_eq!(urls(&numbers), of(0..130));
    assert_eq!(urls(&embedded), [of(0..70), of(100..130)].concat(), "most viewed, by URL");
    for (report, left_out) in [(&numbers, 0), (&embedded, 30)] {
        assert_eq!(report["page_views"][0]["count"], 160);
        assert_eq!(report["urls_left_out"][0]["count"], left_out, "{report}");
    }
    assert!(page.contains("and 105 more"), "25 of 130 pages are listed: {page}");
}

#[tokio::test]
async fn a_day_without_anything_is_a_zero_on_the_page_and_missing_in_the_numbers() {
    let mut site = Site::new().await;
    let at = Utc::now() - TimeDelta::days(1);
    let views: Vec<_> = (0..1_234).map(|_| page_view("s", at, "http://a.example/")).collect();
    site.project(&views).await;
    let (page, _, numbers) = both(&site).await;
    assert_eq!(numbers["page_views"].as_array().unwrap().len(), 1);
    assert_eq!(numbers["start_end_times_data"], serde_json::json!([]), "no session has ended");
    let (_, table) = page.split_once(r#"<h2 id="days">"#).unwrap();
    let rows: Vec<&str> = table.split("</table>").next().unwrap().split("<tr><th scope=\"row\">").skip(1).collect();
    assert_eq!(rows.len(), 7, "{rows:?}");
    let zeros =
        rows.iter().filter(|row| row.contains(r#"<td class="n">0</td><td class="n">0</td><td class="n">0</td>"#));
    assert_eq!(zeros.count(), 6, "{rows:?}");
    assert!(rows[0].contains("so far") && rows[1].contains("1\u{202f}234"), "{rows:?}");
    for chart in ["Page views a day", "Sessions a day", "Interactions a day", "Mean duration a day"] {
        let (_, svg) = page.split_once(&format!(r#"aria-label="{chart}""#)).unwrap();
        assert_eq!(svg.split("</svg>").next().unwrap().matches("<title>").count(), 7, "{chart}");
    }
}

#[tokio::test]
async fn an_empty_installation_has_an_empty_report_that_says_how_to_begin() {
    let site = Site::with(Setup { base_path: "/below", ..Setup::default() }).await;
    let page = site.get_as_staff("/below/report/").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("/below/pageviews/"), "{}", page.body);
    let keys = ["interaction_data", "timestamps_data", "page_views", "start_end_times_data", "browser_data"];
    let report = embedded(&page.body);
    for key in keys {
        assert_eq!(report[key], serde_json::json!([]), "{key}");
    }
    assert_eq!(report["newest_event_at"], Value::Null);
}

#[tokio::test]
async fn the_keys_of_the_report_come_in_the_contracts_order() {
    let site = Site::new().await;
    let body = site.get_as_staff("/report/data/").await.body;
    let keys = ["interaction_data", "timestamps_data", "page_views", "start_end_times_data", "browser_data"];
    let places: Vec<usize> = keys.iter().map(|key| body.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted() && places[0] == 1, "{body}");
}

#[tokio::test]
async fn a_mean_duration_below_a_minute_or_below_zero_is_0() {
    for (seconds, minutes) in [([59, 60], "0"), ([-600, 60], "0"), ([0, 0], "0"), ([60, 61], "1"), ([119, 120], "1")] {
        let mut site = Site::new().await;
        let at = Utc::now();
        let of = |place: usize| session(&format!("s{place}"), at, Some(at + TimeDelta::seconds(seconds[place])));
        site.project(&[of(0), of(1), session("open", at, None)]).await;
        let report = site.get_as_staff("/report/data/").await.json();
        let found = &report["start_end_times_data"][0];
        assert_eq!((&found["duration"], &found["count"]), (&minutes.into(), &2.into()), "{seconds:?}");
    }
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere_and_are_kept_nowhere() {
    let site = Site::new().await;
    let live = site.get_as_staff("/report/?live=1&compare=1").await;
    for page in [site.get("/sign-in/").await, site.get("/report/").await, site.get_as_staff("/report/").await, live] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!((page.header("x-content-type-options"), page.header("cache-control")), ("nosniff", "no-store"));
        for address in page.body.split("src=\"").skip(1).chain(page.body.split("href=\"").skip(1)) {
            let local = address.starts_with('/') && !address.starts_with("//");
            assert!(local || address.starts_with('#'), "{address}");
        }
        for inline in [" style=", "<style", "javascript:"] {
            assert!(!page.body.contains(inline), "{inline}");
        }
    }
    let sheet = site.get("/assets/footfall.css").await;
    assert_eq!((sheet.status.as_u16(), sheet.header("content-type")), (200, "text/css; charset=utf-8"));
    let script = site.get("/assets/report.js").await;
    assert_eq!((script.status.as_u16(), script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    for asset in [sheet.body, script.body] {
        assert!(!asset.contains("http:") && !asset.contains("https:") && !asset.contains("@import"), "{asset}");
    }
}
