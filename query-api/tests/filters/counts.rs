//! § 5 and 4, `count=`, and questions that take too long.

use crate::site::{Site, page_view};
use chrono_tz::Tz;
use serde_json::json;
use sqlx::{Connection, Executor};

#[tokio::test]
async fn a_count_is_exact_unless_the_client_does_without() {
    let site = Site::filled(Tz::UTC).await;
    for (path, count, next) in [
        ("/pageviews/?limit=2", json!(4), true),
        ("/pageviews/?limit=2&offset=2", json!(4), false),
        ("/pageviews/?limit=2&session=3", json!(2), false),
        ("/pageviews/?limit=1&session=3", json!(2), true),
        ("/pageviews/?limit=1&search=nothing", json!(0), false),
        ("/interactions/?limit=1&event_type_in=click&event_type_in=hover", json!(2), true),
        ("/interactions/?event_type=keypress", json!(0), false),
        ("/pageviews/?limit=3&count=capped", json!(4), true),
        ("/pageviews/?limit=2&session=3&count=capped", json!(2), false),
        ("/pageviews/?limit=3&count=none", json!(null), true),
        ("/pageviews/?limit=4&count=none", json!(null), false),
        ("/pageviews/?limit=2&offset=2&count=none", json!(null), false),
        ("/pageviews/?limit=2&count=rough", json!(4), true),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        assert_eq!((&body["count"], body["next"].is_string()), (&count, next), "{path}");
        assert!(!answer.headers.contains_key("footfall-count"), "{path}");
    }
    let beyond = site.get("/pageviews/?offset=50&session=3").await;
    assert_eq!((beyond.ids().len(), beyond.link("next")), (0, None));
    assert_eq!(beyond.link("previous").unwrap(), "http://footfall.example/pageviews/?limit=10&offset=40&session=3");
}

#[tokio::test]
async fn a_capped_count_says_so_and_a_deep_page_shows_the_way_on() {
    let mut site = Site::empty(Tz::UTC, &[]).await;
    let mut events = Vec::new();
    for _ in 0..10_003 {
        events.push(page_view("s", "2025-03-01T10:00:00Z", "http://a.example/"));
    }
    site.project(&events).await;
    for path in ["/pageviews/?count=capped", "/pageviews/?count=capped&url_contains=a.exa"] {
        let answer = site.get(path).await;
        assert_eq!(
            (&answer.json()["count"], &answer.headers["footfall-count"]),
            (&json!(10_000), &"capped".parse().unwrap())
        );
        assert!(answer.link("next").is_some());
    }
    let behind_the_cap = site.get("/pageviews/?count=capped&limit=2&offset=10001").await;
    assert_eq!((behind_the_cap.ids(), behind_the_cap.link("next")), (vec![2, 1], None));

    let near = site.get("/pageviews/?limit=2&offset=10000").await;
    assert!(!near.headers.contains_key("link"), "{near:?}");
    let deep = site.get("/pageviews/?limit=1&offset=10001&session_id=s").await;
    assert_eq!(deep.ids(), [2]);
    let link = deep.headers["link"].to_str().unwrap().to_owned();
    let onwards = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    assert!(onwards.contains("session_id=s") && !onwards.contains("offset"), "{onwards}");
    assert_eq!(site.get(onwards).await.ids(), [1]);
    let last = site.get("/pageviews/?limit=1&offset=10002").await;
    assert_eq!((last.ids(), last.headers.contains_key("link")), (vec![1], false));
}

#[tokio::test]
async fn a_question_that_takes_too_long_says_how_to_ask_for_less() {
    let mut site = Site::filled(Tz::UTC).await;
    site.with(&["--statement-timeout-ms", "100"]);
    let mut holder = site.pool.acquire().await.unwrap();
    let mut lock = holder.begin().await.unwrap();
    // a lock is as good as a table that takes long to read
    lock.execute("LOCK TABLE page_view, element IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for (path, words) in [
        ("/pageviews/?session=3", "count=capped, count=none"),
        ("/pageviews/?session=3&count=none", "a shorter time"),
        ("/pageviews/?search=shop&count=none", "a longer word"),
        ("/interactions/?search=buy", "Looking for these texts"),
        ("/pageviews/?cursor=", "a shorter time"),
        ("/pageviews/5/", "a shorter time"),
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status, 503, "{path} {answer:?}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{path} {answer:?}");
        assert!(answer.headers.contains_key("retry-after"));
    }
    lock.rollback().await.unwrap();
    // a count without filters never looks at the rows
    assert_eq!(site.get("/pageviews/?limit=1").await.json()["count"], 4);
}
