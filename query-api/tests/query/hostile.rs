//! Text that wants to be more than text, in every field and every parameter.

use crate::common::{Setup, Site, encode, events::*, get};
use chrono::Utc;
use schema::InteractionKind;
use service::access::Role;
use std::collections::BTreeMap;

fn texts() -> Vec<String> {
    let long = format!("https://shop.example/{}", "\u{1f600}<".repeat(989));
    assert_eq!(long.chars().count(), 1_999);
    let texts = [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "]]><img src=x onerror=alert(1)>",
        r#"" onmouseover="alert(1)" x=""#,
        "' onfocus='alert(1)",
        "javascript:alert(1)",
        "&lt;b&gt; &amp; &#60; &",
        "\u{202e}lmth.elif\u{202c} \u{200f}\u{2066}x",
        "line\u{2028}separator\u{2029}\r\n\ttab\u{1}\u{7f}\u{85}",
        "'; DROP TABLE footfall.session; --",
        r"back\slash \u003c %00 %s {{ 7*7 }} {% raw %} ${x}",
        "a, b: c ,  [1, 2]  ",
        "e\u{301} \u{feff}\u{fffd}\u{10ffff}",
    ];
    texts.into_iter().map(str::to_owned).chain([long]).collect()
}

/// A session, a page view and an interaction for each text, the text in every field that takes one.
async fn with_texts() -> Site {
    let mut site = Site::with(Setup { partitions: 3, ..Setup::default() }).await;
    for text in texts() {
        let name: String = text.chars().take(255).collect();
        let user: String = text.chars().take(200).collect();
        let metadata = serde_json::json!({ &text: [&text] }).to_string();
        site.project(&[
            announced(&name, Utc::now(), &text, None, Some(&user)),
            page_view(&name, Utc::now(), &text),
            interaction(&name, Utc::now(), InteractionKind::Click, &text, &metadata),
        ])
        .await;
    }
    site
}

#[tokio::test]
async fn text_comes_back_as_it_was_sent() {
    let site = with_texts().await;
    let (sessions, page_views) = (site.get("/sessions/?limit=100").await, site.get("/pageviews/?limit=100").await);
    let interactions = site.get("/interactions/?limit=100").await;
    let strings = |values: Vec<serde_json::Value>| -> Vec<String> {
        let mut strings: Vec<String> = values.iter().map(|value| value.as_str().unwrap().to_owned()).collect();
        strings.sort();
        strings
    };
    let sent = |characters: usize| {
        let mut sent: Vec<String> = texts().iter().map(|text| text.chars().take(characters).collect()).collect();
        sent.sort();
        sent
    };
    assert_eq!(strings(sessions.each("session_id")), sent(255));
    assert_eq!(strings(sessions.each("user_id")), sent(200));
    assert_eq!(strings(sessions.each("user_agent")), sent(usize::MAX));
    assert_eq!(strings(page_views.each("url")), sent(usize::MAX));
    assert_eq!(strings(interactions.each("element")), sent(usize::MAX));
    let metadata: BTreeMap<String, serde_json::Value> =
        interactions.each("metadata").iter().flat_map(|one| one.as_object().unwrap().clone()).collect();
    assert_eq!(metadata, texts().iter().map(|text| (text.clone(), serde_json::json!([text]))).collect());
    for (path, answer) in [("sessions", sessions), ("pageviews", page_views), ("interactions", interactions)] {
        for object in answer.json()["results"].as_array().unwrap() {
            assert_eq!(site.get(&format!("/{path}/{}/", object["id"])).await.json(), *object);
        }
    }
}

#[tokio::test]
async fn text_is_text_in_the_reports_page_and_in_its_numbers() {
    let site = with_texts().await;
    let page = site.get_as_staff("/report/").await.body;
    let embedded = embedded(&page);
    let urls = |report: &serde_json::Value| -> Vec<String> {
        let urls = report["page_views"][0]["urls"].as_array().unwrap();
        urls.iter().map(|of| of["url"].as_str().unwrap().to_owned()).collect()
    };
    let mut sent = texts();
    sent.sort();
    assert_eq!(urls(&embedded), sent, "in the page's numbers");
    assert_eq!(urls(&site.get_as_staff("/report/data/").await.json()), sent, "in the numbers alone");

    let (_, pages) = page.split_once(r#"<h2 id="pages">"#).unwrap();
    let pages = pages.split("</section>").next().unwrap();
    let cells: Vec<String> = pages.split(r#"<th scope="row" class="url""#).skip(1).map(shown).collect();
    // the host, and as much of the rest as a title has
    let cut = |text: &String| match text.floor_char_boundary("https://shop.example".len() + 400) {
        whole if whole == text.len() => text.clone(),
        end => format!("{}…", &text[..end]),
    };
    assert_eq!(cells, sent[..sent.len().min(25)].iter().map(cut).collect::<Vec<_>>(), "in the table");
    let (before, after) = page.split_once(r#"<script type="application/json" id="report-data">"#).unwrap();
    let (json, after) = after.split_once("</script>").unwrap();
    assert!(!json.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "nothing that HTML could take for its own");
    for html in [before, after] {
        for wrong in ["<script", "</script", "<img", "<!--<", " onmouseover=\"", "alert(1)\"", "\0"] {
            assert!(!html.contains(wrong), "{wrong} in {html}");
        }
    }
}

/// What a browser shows of a cell; what its title has, where it was cut.
fn shown(cell: &str) -> String {
    let between = |from: &str, to: &str| {
        let (_, rest) = cell.split_once(from).unwrap();
        rest.split(to).next().unwrap().to_owned()
    };
    let mut text = if cell.starts_with(" title=") {
        between(" title=\"", "\"")
    } else {
        let link = between("</span><a href=\"", "</a>");
        between("<span class=\"faint\">", "</span>") + link.split_once("\">").unwrap().1
    };
    for (entity, character) in [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")] {
        text = text.replace(entity, character);
    }
    text
}

fn embedded(page: &str) -> serde_json::Value {
    let (_, from) = page.split_once(r#"id="report-data">"#).unwrap();
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

#[tokio::test]
async fn an_accounts_name_and_a_typed_name_are_text() {
    let site = Site::new().await;
    let hostile = r#""><script>alert(1)</script>"#;
    query_api::accounts::add(&site.database, hostile, "a long password", Role::Staff).await.unwrap();
    let token = site.keys.issue(
        service::access::Purpose::Cookie,
        hostile,
        Role::Staff,
        Utc::now(),
        chrono::TimeDelta::hours(1),
    );
    let page = site.send(get("/report/").header("cookie", format!("footfall_session={token}"))).await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>") && page.body.contains("alert(1)"), "{}", page.body);
    let typed = crate::sign_in::submit(&site, hostile, "wrong", &format!("/report/?{hostile}")).await;
    assert_eq!(typed.status, 422);
    assert!(!typed.body.contains("<script>") && typed.body.contains("alert(1)"), "{}", typed.body);
}

#[tokio::test]
async fn no_parameter_makes_the_server_fail() {
    let mut site = Site::new().await;
    let at = time("2026-07-01T10:00:00Z");
    let [session, ..] = site
        .project(&[session("s", at, None), page_view("s", at, "http://a.example/"), click("s", at, "#a")])
        .await[..]
    else {
        panic!("three events have three ids")
    };
    let raw =
        ["%00", "%FF%FE", "%C3", "%", "%zz", "%ED%A0%80", "%F4%90%80%80", "%u0000", "+", "&&&===", "[]", "%5B%5D=1"];
    let texts = [
        "'; DROP TABLE footfall.session; --",
        "1 OR 1=1",
        "timestamp; SELECT pg_sleep(10)",
        "timestamp DESC NULLS LAST, (SELECT 1/0)",
        "\"timestamp\"",
        "id\0",
        "<script>",
        "{{7*7}}",
        "-9223372036854775808",
        "9223372036854775807",
        "1e400",
        "\u{202e}\u{10ffff}",
    ];
    let long = encode(&"x,-".repeat(10_000));
    let values: Vec<String> =
        raw.into_iter().map(str::to_owned).chain(texts.into_iter().map(encode)).chain([long]).collect();
    let detail = format!("/sessions/{session}/");
    let names = [
        "limit", "offset", "ordering", "format", "search", "cursor", "count", "id", "session", "next", "link", "%00",
        "%FF",
    ];
    let paths = [
        "/",
        "/sessions/",
        "/pageviews/",
        "/interactions/",
        &detail,
        "/report/",
        "/report/data/",
        "/sign-in/",
        "/status/",
    ];
    for path in paths {
        for name in names {
            for value in &values {
                let answer = site.get_as_staff(&format!("{path}?{name}={value}")).await;
                assert!(answer.status.as_u16() < 500, "{path}?{name}={value}: {answer:?}");
            }
        }
    }
    assert_eq!(site.get("/sessions/?ordering=timestamp%00").await.ids(), [session], "everything is still there");
}
