//! § 11, the settings of reading, for all resources and for one alone.

use crate::site::{Site, settings};
use chrono_tz::Tz;
use serde_json::json;

const DISABLED: &str =
    r#"{"detail":"The method \"GET\" is currently disabled for this endpoint. It can be changed in the settings."}"#;

#[tokio::test]
async fn lists_and_details_can_be_switched_off_for_all_or_for_one() {
    let mut site = Site::filled(Tz::UTC).await;
    let paths = ["/sessions/", "/pageviews/", "/interactions/", "/sessions/1/", "/pageviews/5/", "/interactions/9/"];
    let cases: &[(&[&str], [u16; 6])] = &[
        (&[], [200; 6]),
        (&["--allow-list", "false"], [405, 405, 405, 200, 200, 200]),
        (&["--allow-retrieve", "false"], [200, 200, 200, 405, 405, 405]),
        (&["--pageviews-allow-list", "false"], [200, 405, 200, 200, 200, 200]),
        (&["--allow-retrieve", "false", "--interactions-allow-retrieve", "true"], [200, 200, 200, 405, 405, 200]),
    ];
    for (arguments, statuses) in cases {
        site.with(arguments);
        for (path, status) in paths.iter().zip(statuses) {
            let answer = site.get(path).await;
            assert_eq!(answer.status.as_u16(), *status, "{arguments:?} {path}");
            if *status == 405 {
                assert_eq!(answer.body, DISABLED);
                // as in the original: the method is there, and a setting forbids it
                let allow =
                    if path.contains(char::is_numeric) { "GET, HEAD, OPTIONS" } else { "GET, POST, HEAD, OPTIONS" };
                assert_eq!(answer.headers["allow"], allow, "{path}");
            }
        }
    }
    // access comes first, and a switch before what is asked
    site.with(&["--allow-list", "false", "--sessions-read-access", "staff"]);
    assert_eq!(site.get("/sessions/").await.status, 401);
    assert_eq!(site.get("/pageviews/?id=x").await.status, 405);
}

#[tokio::test]
async fn reading_can_be_closed_for_one_resource() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&["--read-access", "user", "--pageviews-read-access", "anyone"]);
    for (path, status) in [("/sessions/", 401), ("/sessions/1/", 401), ("/pageviews/", 200), ("/pageviews/5/", 200)] {
        assert_eq!(site.get(path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn filters_can_be_switched_off_and_searching_stays() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&["--filters", "false", "--interactions-filters", "true"]);
    assert_eq!(site.get("/sessions/?session_id=abc-1&id=x&start_time=x").await.ids(), [4, 3, 2, 1]);
    assert_eq!(site.get("/sessions/?session_id=abc-1&search=curl&ordering=start_time").await.ids(), [3]);
    assert_eq!(site.get("/sessions/1/?session_id=42").await.status, 200);
    assert_eq!(site.get("/interactions/?event_type=click").await.ids(), [9]);
}

#[tokio::test]
async fn page_sizes_hold_for_all_or_for_one() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&["--page-size-default", "2", "--page-size-max", "3", "--pageviews-page-size-min", "2"]);
    for (path, rows) in [
        ("/sessions/", 2),
        ("/sessions/?limit=9", 3),
        ("/sessions/?limit=1", 1),
        ("/pageviews/?limit=1", 2),
        ("/pageviews/?limit=3", 3),
    ] {
        assert_eq!(site.get(path).await.ids().len(), rows, "{path}");
    }
}

#[tokio::test]
async fn orders_and_shown_fields_are_settings_of_one_resource() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&[
        "--sessions-ordering-fields=session_id,id",
        "--sessions-fields=user_id,id",
        "--pageviews-fields=id,session,url",
        "--interactions-ordering-fields=event_type",
        "--interactions-fields=metadata,id",
    ]);
    assert_eq!(site.get("/sessions/?ordering=session_id").await.ids(), [3, 2, 1, 4]);
    assert_eq!(site.get("/sessions/?ordering=-id").await.ids(), [4, 3, 2, 1]);
    assert_eq!(site.get("/sessions/?ordering=start_time").await.ids(), [4, 3, 2, 1], "not allowed any more");
    assert_eq!(site.get("/interactions/?ordering=-event_type").await.ids(), [10, 11, 9]);
    assert_eq!(site.get("/sessions/1/").await.body, r#"{"id":1,"user_id":"Ann"}"#);
    let page_view = site.get("/pageviews/8/").await;
    let keys: Vec<String> = page_view.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["id", "session", "url"]);
    assert_eq!(page_view.json()["session"].as_object().unwrap().len(), 7, "the session in an event is whole");
    assert_eq!(site.get("/interactions/9/").await.json()["metadata"]["t"], json!(true));
}

#[test]
fn a_wrong_value_stops_the_service_and_names_the_setting() {
    for (wrong, name) in [
        (["--sessions-read-access", "everyone"], "--sessions-read-access"),
        (["--allow-list", "maybe"], "--allow-list"),
        (["--filters", ""], "--filters"),
        (["--page-size-max", "10001"], "--page-size-max"),
        (["--interactions-page-size-default", "0"], "--interactions-page-size-default"),
        (["--sessions-ordering-fields", "user_agent"], "--sessions-ordering-fields"),
        (["--pageviews-search-fields", "url,title"], "--pageviews-search-fields"),
        (["--interactions-fields", ""], "--interactions-fields"),
    ] {
        let error = settings(&wrong).unwrap_err();
        assert!(error.contains(name), "{error}");
    }
}
