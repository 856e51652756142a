//! How heavy a page of the report can get, whatever arrives.

use crate::{
    common::{Site, events::*},
    report::embedded,
};
use chrono::{TimeDelta, Utc};
use schema::{Envelope, InteractionKind};
use serde_json::Value;

/// Bytes of a page, without its style sheet: of a normal week, and of any.
const NORMAL: usize = 100_000;
const ANY: usize = 300_000;

/// Every day of a week has as many page views of URLs that are made from the day and a number.
fn week(urls: usize, url: impl Fn(i64, usize) -> String) -> Vec<Envelope> {
    let of_day = |day| {
        let at = Utc::now() - TimeDelta::days(day);
        (0..urls).map(|number| page_view("s", at, &url(day, number))).collect::<Vec<_>>()
    };
    (0..7).flat_map(of_day).collect()
}

/// Of each day, how many URLs are listed, and how many are said to be left out.
fn listed_and_left_out(report: &Value) -> Vec<(usize, u64)> {
    let days = report["page_views"].as_array().unwrap();
    let left_out = report["urls_left_out"].as_array().unwrap();
    let of = |(day, out): (&Value, &Value)| (day["urls"].as_array().unwrap().len(), out["count"].as_u64().unwrap());
    days.iter().zip(left_out).map(of).collect()
}

#[tokio::test]
async fn a_week_of_the_longest_urls_is_a_page_of_less_than_300_kb_that_says_what_it_leaves_out() {
    for letter in ["x", "<", "ä"] {
        let mut site = Site::new().await;
        let whole = |day: i64, number: usize| {
            let begin = format!("http://a.example/{day}/{number:03}/");
            format!("{begin}{}", letter.repeat(2_000 - begin.len()))
        };
        site.project(&week(100, whole)).await;
        let element = |number: usize| {
            interaction("s", Utc::now(), InteractionKind::Click, &format!("{number:02}{}", letter.repeat(1_998)), "{}")
        };
        site.project(&(0..30).map(element).collect::<Vec<_>>()).await;
        for query in ["", "?compare=1&live=1"] {
            let page = site.get_as_staff(&format!("/report/{query}")).await.body;
            assert!(page.len() < ANY, "{letter}, {query}: {} bytes", page.len());
            let report = embedded(&page);
            let days = listed_and_left_out(&report);
            assert_eq!(days.len(), 7);
            for (listed, left_out) in days {
                assert_eq!(listed as u64 + left_out, 100, "each is listed or counted: {report}");
            }
            let first = whole(0, 0);
            if letter == "x" {
                assert_eq!(report["page_views"][0]["urls"][0]["url"], first, "what is listed is whole");
            }
            let path: String = first.chars().skip("http://a.example".len()).take(120).collect();
            if letter != "<" {
                assert!(page.contains(&format!(">{path}…</a>")), "what is to be read is cut");
            }
            let (pages, elements) = (&report["pages"], &report["elements"]);
            for (list, of) in [(pages, 700), (elements, 30)] {
                let rows = list["rows"].as_array().unwrap().len() as u64;
                assert_eq!(rows + list["more"].as_u64().unwrap(), of, "{list}");
            }
        }
        let numbers = site.get_as_staff("/report/data/").await.json();
        assert_eq!(listed_and_left_out(&numbers), [(100, 0); 7], "the numbers have all of it");
        assert_eq!(numbers["pages"]["rows"].as_array().unwrap().len(), 25);
        let csv = site.get_as_staff("/report/csv/?table=pages").await.body;
        assert!(csv.lines().count() == 701 && csv.contains(&whole(3, 99)), "and so has the CSV");
    }
}

#[tokio::test]
async fn a_normal_week_is_a_page_of_less_than_100_kb_with_a_hundred_urls_of_each_day() {
    let mut site = Site::new().await;
    let url = |_, number: usize| format!("https://shop.example/products/{number:03}/a-name-of-some-words");
    site.project(&week(120, url)).await;
    let page = site.get_as_staff("/report/?compare=1").await.body;
    println!("{} bytes", page.len());
    assert!(page.len() < NORMAL, "{} bytes", page.len());
    assert_eq!(listed_and_left_out(&embedded(&page)), [(100, 20); 7]);
}
