//! § 12, cursors.

use crate::site::{Site, announced, page_view};
use chrono_tz::Tz;

/// Follows `next` to the end; the ids of all pages.
async fn walk(site: &Site, start: &str) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut next = Some(start.to_owned());
    while let Some(path) = next {
        let answer = site.get(&path).await;
        pages.push(answer.ids());
        next = answer.link("next");
        assert!(pages.len() < 1_000, "a walk without end");
    }
    pages
}

#[tokio::test]
async fn every_order_can_be_walked_forth_and_back() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&[
        "--sessions-ordering-fields=id,session_id,start_time,end_time",
        "--interactions-ordering-fields=id,event_type,timestamp",
    ]);
    let lists = [
        "/sessions/?",
        "/sessions/?ordering=start_time&",
        "/sessions/?ordering=end_time&",
        "/sessions/?ordering=-end_time&",
        "/sessions/?ordering=-end_time,start_time&",
        "/sessions/?ordering=end_time,-start_time&",
        "/sessions/?ordering=session_id&",
        "/sessions/?ordering=-id&",
        "/sessions/?end_time_isnull=true&ordering=end_time&",
        "/pageviews/?",
        "/pageviews/?ordering=timestamp&",
        "/pageviews/?session=3&",
        "/pageviews/?search=example&count=none&",
        "/interactions/?ordering=event_type,-timestamp&",
        "/interactions/?ordering=-event_type&event_type_in=click&event_type_in=scroll&",
    ];
    for list in lists {
        let whole = site.get(&format!("{list}limit=100")).await.ids();
        for limit in 1..=5 {
            let pages = walk(&site, &format!("{list}limit={limit}&cursor=")).await;
            assert_eq!(pages.concat(), whole, "{list} by {limit}");
        }
        // and back from the last page
        let mut page = site.get(&format!("{list}limit=1&cursor=")).await;
        assert_eq!(page.link("previous"), None);
        while let Some(next) = page.link("next") {
            page = site.get(&next).await;
        }
        let mut back = page.ids();
        while let Some(previous) = page.link("previous") {
            page = site.get(&previous).await;
            back.extend(page.ids());
        }
        back.reverse();
        assert_eq!(back, whole, "{list} back");
    }
}

#[tokio::test]
async fn links_carry_all_other_parameters_and_no_offset() {
    let site = Site::filled(Tz::UTC).await;
    let first = site.get("/pageviews/?limit=1&offset=3&z=1&cursor=&session_id=42").await;
    assert_eq!(first.ids(), [8], "the place is in the cursor alone");
    let next = first.link("next").unwrap();
    assert!(next.starts_with("http://footfall.example/pageviews/?cursor="), "{next}");
    assert!(next.ends_with("&limit=1&session_id=42&z=1"), "{next}");
    let second = site.get(&next).await;
    assert_eq!((second.ids(), second.link("next"), second.json()["count"].as_i64()), (vec![7], None, Some(2)));
    assert!(second.link("previous").is_some());
}

#[tokio::test]
async fn a_cursor_is_refused_when_it_was_changed_or_made_for_something_else() {
    let site = Site::filled(Tz::UTC).await;
    let next = site.get("/pageviews/?limit=1&cursor=&session=3&ordering=timestamp").await.link("next").unwrap();
    let cursor = next.split("cursor=").nth(1).unwrap().split('&').next().unwrap();
    let with = |parameters: &str| format!("/pageviews/?cursor={cursor}&{parameters}");
    for fine in [
        "session=3&ordering=timestamp",
        "session=3&ordering=timestamp&limit=50&count=none&unknown=1&url=",
        "ordering=+timestamp,nonsense&session=+3",
    ] {
        assert_eq!(site.get(&with(fine)).await.ids(), [8], "{fine}");
    }
    for other in ["session=3", "ordering=timestamp", "session=1&ordering=timestamp", "session=3&ordering=-timestamp"] {
        assert_eq!(site.get(&with(other)).await.status, 400, "{other}");
    }
    for more in ["&search=a", "&url_contains=a", "&timestamp_after=2000-01-01"] {
        assert_eq!(site.get(&with(&format!("session=3&ordering=timestamp{more}"))).await.status, 400, "{more}");
    }
    let elsewhere = format!("/interactions/?cursor={cursor}&session=3&ordering=timestamp");
    assert_eq!(site.get(&elsewhere).await.status, 400);
    let shorter = &cursor[..cursor.len() - 1];
    let swapped = format!("{}{}", &cursor[1..2], &cursor[1..]);
    let end = if cursor.ends_with('A') { "B" } else { "A" };
    let last_changed = format!("{shorter}{end}");
    let without_signature = cursor.split('.').next().unwrap();
    for changed in [shorter, &swapped, &last_changed, without_signature, "x", ".", "5b5d.", "%00", "%F0%9F%92%A9"] {
        let answer = site.get(&format!("/pageviews/?session=3&ordering=timestamp&cursor={changed}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.as_str()),
            (400, r#"{"detail":"Invalid cursor."}"#),
            "{changed}"
        );
    }
}

#[tokio::test]
async fn a_walk_sees_every_old_row_exactly_once_while_rows_arrive() {
    let mut site = Site::empty(Tz::UTC, &[]).await;
    // many at the same moment, so that the id has to decide
    let at = |number: i64| format!("2025-03-{:02}T10:00:00Z", 10 + number / 9);
    let old: Vec<_> =
        (0..60).map(|number| page_view("s", &at(number), &format!("http://a.example/{number}"))).collect();
    site.project(&old).await;
    let mut expected = site.get("/pageviews/?limit=100").await.ids();
    for ordering in ["-timestamp", "timestamp"] {
        let mut seen = Vec::new();
        let mut next = Some(format!("/pageviews/?limit=7&ordering={ordering}&cursor="));
        let mut number = 0;
        while let Some(path) = next {
            let answer = site.get(&path).await;
            seen.extend(answer.ids());
            next = answer.link("next");
            // newer ones, older ones, and ones among those that have been seen and those that have not
            let arriving: Vec<_> = ["2025-03-30T00:00:00Z", "2025-03-01T00:00:00Z", &at(number), &at(59 - number)]
                .map(|at| page_view("s", at, "http://new.example/"))
                .into();
            site.project(&arriving).await;
            number += 7;
            assert!(number < 600, "new rows keep the walk from ending");
        }
        let old_seen: Vec<i64> = seen.iter().copied().filter(|id| *id <= 60).collect();
        assert_eq!(old_seen, expected, "{ordering}");
        let mut once = seen.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "{ordering}: no row twice");
        expected.reverse();
    }
}

#[tokio::test]
async fn a_walk_goes_on_when_the_row_at_its_place_has_gone() {
    let mut site = Site::empty(Tz::UTC, &[]).await;
    let events: Vec<_> =
        (0..6).map(|number| announced(&format!("s{number}"), "2025-03-01T10:00:00Z", "u", "::1", None, None)).collect();
    site.project(&events).await;
    let first = site.get("/sessions/?limit=2&cursor=").await;
    assert_eq!(first.ids(), [6, 5]);
    sqlx::query("DELETE FROM session WHERE id IN (5, 6)").execute(&site.pool).await.unwrap();
    assert_eq!(walk(&site, &first.link("next").unwrap()).await.concat(), [4, 3, 2, 1]);
}
