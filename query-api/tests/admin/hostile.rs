//! HTML in data is text everywhere.

use crate::site::{Site, click, page_view, session};
use chrono::Utc;
use event_log::NewRecord;
use schema::codec;
use uuid::Uuid;

const NASTY: &str =
    "<script>alert('1')</script>\"'><img src=x onerror=alert(1)>&amp;\u{202e}\u{200f}{{1337*7331}}</textarea></title>";

/// No element and no attribute on the page comes out of the data.
fn assert_harmless(path: &str, page: &str) {
    for evil in ["<script>alert", "<img src=x", "onerror=alert(1)>", "</textarea></title>", "javascript:"] {
        assert!(!page.contains(evil), "{path}: {evil}: {page}");
    }
    assert!(!page.contains("9801547"), "{path}: no template is run");
    // what stands between quotes has none of its own, so tags are as many as are closed
    assert_eq!(page.matches("<textarea").count(), page.matches("</textarea>").count(), "{path}");
    assert_eq!(page.matches("<title>").count(), 1, "{path}");
}

/// What a report can be asked for.
const REPORTS: [&str; 10] = [
    "?url=",
    "?browser=",
    "?family=",
    "?os=",
    "?device=",
    "?search=",
    "?element=",
    "?range=",
    "?from=",
    "?range=today&compare=1&live=1&search=",
];

/// The same of the report, which has charts with titles and its numbers as JSON.
fn assert_report_is_harmless(path: &str, page: &str) {
    for evil in ["<script>alert", "<img", "onerror=alert(1)>", "</textarea>", "javascript:"] {
        assert!(!page.contains(evil), "{path}: {evil}: {page}");
    }
    let scripts = 1 + usize::from(path.contains("live=1"));
    assert_eq!((page.matches("<script").count(), page.matches("</script>").count()), (scripts, scripts), "{path}");
    assert_eq!(page.matches("<title>").count(), page.matches("</title>").count(), "{path}");
}

#[tokio::test]
async fn html_in_data_is_text_on_every_page() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let url = format!("http://a.example/?{NASTY}{}", "x".repeat(2_000 - 18 - NASTY.chars().count()));
    let url = url.replace(' ', "+");
    assert_eq!(url.chars().count(), 2_000);
    let metadata = serde_json::to_string(&serde_json::json!({ NASTY: NASTY })).unwrap();
    let ids = site
        .append(&[
            session(NASTY, now, NASTY, Some(NASTY)),
            page_view(NASTY, now, &url),
            click(NASTY, now, &format!("{NASTY}{}", "y".repeat(1_500)), &metadata),
            session("other", now, "curl", None),
        ])
        .await;
    let letter = NewRecord {
        key: NASTY.into(),
        event_id: Uuid::now_v7(),
        schema_version: codec::SCHEMA_VERSION,
        value: format!("{{\"type\": \"{NASTY}\"").into_bytes(),
    };
    let dead = schema::Position::from_id(site.append_raw(vec![letter]).await[0]).unwrap();
    let encoded: String = url::form_urlencoded::byte_serialize(NASTY.as_bytes()).collect();
    // through every form, and into every history
    let (session, view, act) = (
        format!("/admin/sessions/{}/", ids[0]),
        format!("/admin/pageviews/{}/", ids[1]),
        format!("/admin/interactions/{}/", ids[2]),
    );
    for (path, field) in [(&session, "user_agent"), (&session, "user_id"), (&act, "element")] {
        site.fill(path, &[(field, &format!("new {NASTY}"))]).await.location();
    }
    site.fill(&view, &[("url", "http://a.example/<script>alert(1)</script>")]).await.location();
    let wrong = site.fill(&view, &[("url", NASTY), ("session", NASTY)]).await;
    assert_eq!(wrong.status, 422);
    assert_harmless("422", &wrong.body);
    let found = site.fill(&view, &[("session", "script"), ("find", "1")]).await;
    assert_harmless("find", &found.body);
    let kind = site.fill("/admin/interactions/add/", &[("event_type", NASTY), ("metadata", NASTY)]).await;
    assert_harmless("choice", &kind.body);
    let fields = [("user_agent", NASTY), (NASTY, NASTY)];
    let door = site.send_signed_out(&session, &fields, "http://footfall.example").await;
    assert_harmless("sign-in", &door.body);
    let typed = [("name", "ann"), ("password", "correct horse")];
    let again = site.submit_with(&door.cookie("footfall_form"), "/sign-in/", &door.body, &typed).await;
    assert_harmless("signed in again", &again.body);

    let mut pages = vec![
        "/admin/".to_owned(),
        "/admin/partitions/".to_owned(),
        "/admin/dead-letters/".to_owned(),
        format!("/admin/dead-letters/{}/{}/", dead.partition, dead.offset),
        "/report/".to_owned(),
        format!("/admin/sessions/add/?session={encoded}"),
        format!("/admin/pageviews/add/?session={encoded}"),
        format!("/admin/pageviews/add/?list=search%3D{encoded}"),
    ];
    pages.extend(REPORTS.map(|query| format!("/report/{query}{encoded}")));
    for path in [&session, &view, &act] {
        pages.extend([path.clone(), format!("{path}delete/"), format!("{path}?done={encoded}&at={encoded}")]);
        pages.extend(["", "delete/"].map(|page| format!("{path}{page}?list={encoded}%3D{encoded}")));
    }
    for kind in ["sessions", "pageviews", "interactions"] {
        for query in
            ["search", "ordering", "user_id", "event_type", "session_id", "start_time_from", "timestamp_in", "page"]
        {
            pages.push(format!("/admin/{kind}/?{query}={encoded}"));
        }
        pages.push(format!("/admin/{kind}/"));
    }
    for path in &pages {
        let answer = site.get(path).await;
        assert!(answer.status < 500, "{path}: {}", answer.status);
        if path.starts_with("/report/") {
            assert_report_is_harmless(path, &answer.body);
        } else {
            assert_harmless(path, &answer.body);
        }
    }
    for path in [
        "/admin/sessions/0/",
        "/admin/sessions/-1/",
        "/admin/sessions/x/",
        "/admin/sessions/99999999999999999999/",
        "/admin/dead-letters/1/x/",
        "/admin/dead-letters/99999999999/1/",
        "/admin/nothing/",
        "/admin/sessions/%00/",
    ] {
        assert_eq!(site.get(path).await.status, 404, "{path}");
    }
    site.fill(&format!("{session}delete/"), &[]).await.location();
    let gone = site.get(&session).await;
    assert_harmless("gone", &gone.body);
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn a_body_that_is_no_form_changes_nothing() {
    let site = Site::new().await;
    let now = Utc::now();
    let ids = site.append(&[session("s", now, "curl", None)]).await;
    let large = format!("user_id={}", "x".repeat(9_000_000));
    for (body, status) in [("", 403), ("{\"a\":1}", 403), ("%00=%FF&token=%", 403), (large.as_str(), 413)] {
        for path in ["/admin/sessions/add/".to_owned(), format!("/admin/sessions/{}/", ids[0])] {
            let fields: Vec<(&str, &str)> = body.split('&').filter_map(|pair| pair.split_once('=')).collect();
            let answer = site.post(&path, &fields).await;
            assert_eq!(answer.status, status, "{path}");
        }
    }
    assert_eq!(site.number("SELECT count(*) FROM admin_change").await, 0);
}
