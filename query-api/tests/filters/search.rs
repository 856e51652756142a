//! § 5, `search=`.

use crate::site::Site;
use chrono_tz::Tz;

#[tokio::test]
async fn all_terms_must_match_each_in_one_of_the_fields() {
    let site = Site::filled(Tz::UTC).await;
    let cases: &[(&str, &str, &[i64])] = &[
        // session_id, user_agent, ip_address
        ("sessions", "ABC", &[2, 1]),
        ("sessions", "abc firefox", &[1]),
        ("sessions", "abc,firefox", &[1]),
        ("sessions", "abc curl", &[]),
        ("sessions", "10.0.0.1", &[3, 2]),
        ("sessions", "2001:DB8", &[1]),
        ("sessions", "ÜNÏ", &[4]),
        ("sessions", "%", &[2]),
        ("sessions", "0%_s", &[2]),
        ("sessions", "_", &[2]),
        ("sessions", r"\", &[2]),
        ("sessions", "\"Chrome 100\"", &[2]),
        ("sessions", "\"100 Chrome\"", &[]),
        ("sessions", "'bot, '", &[4]),
        ("sessions", r#""\"the\" one""#, &[4]),
        ("sessions", "code's", &[4]),
        ("sessions", "ann", &[]),
        ("sessions", "", &[4, 3, 2, 1]),
        ("sessions", " , \"\" ", &[4, 3, 2, 1]),
        // url, the session's session_id
        ("pageviews", "shop", &[6, 5]),
        ("pageviews", "shop abc-2", &[6]),
        ("pageviews", "42", &[8, 7]),
        ("pageviews", "äpfel 42", &[7]),
        ("pageviews", "firefox", &[]),
        // the session's session_id, element
        ("interactions", "#", &[10, 9]),
        ("interactions", "#buy abc", &[9]),
        ("interactions", "100%", &[10]),
        ("interactions", "click", &[]),
    ];
    for (list, search, expected) in cases {
        assert_eq!(site.by(list, "search", search).await, *expected, "{list} {search}");
    }
    assert_eq!(site.get("/sessions/?search=curl&search=abc").await.ids(), [2, 1], "the last one counts");
}

#[tokio::test]
async fn the_searched_fields_are_a_setting() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&["--sessions-search-fields", "user_id", "--pageviews-search-fields", ""]);
    assert_eq!(site.by("sessions", "search", "AN").await, [4, 1]);
    assert_eq!(site.by("sessions", "search", "firefox").await, [0_i64; 0]);
    assert_eq!(site.by("pageviews", "search", "firefox").await, [8, 7, 6, 5], "nowhere to look");
}

#[tokio::test]
async fn very_common_texts_are_found_as_well_as_rare_ones() {
    let mut site = Site::empty(Tz::UTC, &["--page-size-max", "2000"]).await;
    let sessions = (0..1_100).map(|number| format!("common-{number:04}"));
    let mut events: Vec<_> = sessions
        .map(|session| crate::site::page_view(&session, "2025-03-01T10:00:00Z", &format!("http://a.example/{session}")))
        .collect();
    events.push(crate::site::page_view("rare", "2025-03-01T09:00:00Z", "http://a.example/common-x"));
    site.project(&events).await;
    for (parameters, expected) in [
        ("search=common", 1_101),
        ("search=COMMON a.example", 1_101),
        ("search=common-00", 100),
        ("url_contains=common", 1_101),
        ("session_id_contains=common", 1_100),
        ("session_id_contains=common&url_contains=common-01", 100),
    ] {
        let answer = site.get(&format!("/pageviews/?limit=2000&{}", parameters.replace(' ', "+"))).await;
        assert_eq!(
            (answer.ids().len(), answer.json()["count"].as_u64()),
            (expected, Some(expected as u64)),
            "{parameters}"
        );
    }
}
