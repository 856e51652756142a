//! What a client sees of forms, of what is switched off, of the end of a session and of the pixel.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::{body::Body, http::Request};
use common::{Bench, read, settings};
use schema::{Event, codec};
use tower::ServiceExt;

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=B";

fn part(name: &str, value: &str) -> String {
    format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[tokio::test]
async fn a_form_and_a_multipart_body_are_taken_like_json() {
    let bench = Bench::new(settings(&[])).await;
    let form = "session_id=+s+&user_agent=u&ip_address=::FFFF:1.2.3.4&end_time=&user_id=";
    let parts = part("session_id", " s ")
        + &part("user_agent", "u")
        + &part("ip_address", "1.2.3.4")
        + &part("end_time", "")
        + &part("user_id", "");
    for (content_type, body) in [(FORM, form), (MULTIPART, parts.as_str())] {
        let (status, answer) = bench.post("/sessions/", content_type, body.to_owned()).await;
        assert_eq!((status, answer["session_id"].as_str()), (202, Some("s")), "{answer}");
        assert_eq!((answer["ip_address"].as_str(), answer["user_id"].as_str()), (Some("1.2.3.4"), Some("")));
        assert!(answer["end_time"].is_null());
    }
    let (status, answer) = bench.post("/sessions/", FORM, "session_id=&end_time=+").await;
    assert_eq!((status, answer.as_object().unwrap().len()), (400, 4), "{answer}");
    assert_eq!(answer["session_id"][0], "This field may not be blank.");
    let (status, answer) = bench.post("/sessions/", "multipart/form-data", parts).await;
    let detail = "Multipart form parse error - Invalid boundary in multipart: None";
    assert_eq!((status, answer["detail"].as_str()), (400, Some(detail)));
    let (status, answer) = bench.post("/sessions/", "multipart/form-data", "").await;
    assert_eq!((status, answer["session_id"][0].as_str()), (400, Some("This field is required.")));
}

#[tokio::test]
async fn what_is_switched_off_is_told_in_the_order_of_the_checks() {
    let off = Bench::new(settings(&["--pageviews-allow-create", "false", "--sessions-parsers", "form"])).await;
    let (status, answer) = off.post("/pageviews/", "application/xml", "x").await;
    let told = "The method \"POST\" is currently disabled for this endpoint. It can be changed in the settings.";
    assert_eq!((status, answer["detail"].as_str()), (405, Some(told)));
    assert_eq!(off.post("/interactions/", "application/json", "{}").await.0, 400);
    assert_eq!(off.post("/sessions/", "application/json", "{}").await.0, 415);
    let closed = Bench::new(settings(&["--write-access", "user", "--allow-create", "false"])).await;
    assert_eq!(closed.post("/pageviews/", "application/json", "{}").await.0, 401, "access is asked first");
}

#[tokio::test]
async fn a_client_that_takes_no_json_is_told_so() {
    let bench = Bench::new(settings(&[])).await;
    for (path, accept, expected) in [
        ("/sessions/", "text/html", 406),
        ("/sessions/", "text/html,*/*;q=0.8", 400),
        ("/sessions/?format=json", "*/*", 400),
        ("/sessions/?format=xml", "*/*", 404),
    ] {
        let request = Request::post(path).header("accept", accept).body(Body::empty()).unwrap();
        assert_eq!(read(bench.app.clone().oneshot(request).await.unwrap()).await.0, expected, "{path} {accept}");
    }
}

#[tokio::test]
async fn a_session_ends_under_the_name_in_the_path() {
    let bench = Bench::new(settings(&[])).await;
    let (status, answer) = bench.post("/sessions/a%2Fb%20/end/", "application/json", "").await;
    assert_eq!((status, answer["session_id"].as_str()), (202, Some("a/b")), "{answer}");
    assert_eq!((answer.get("id"), answer["timestamp"] == answer["recorded_at"]), (None, true), "{answer}");
    let (status, answer) = bench.post("/sessions/s/end/", "application/json", "{\"event_id\":1}").await;
    assert_eq!((status, answer["event_id"][0].as_str()), (400, Some("Must be a valid UUID.")));
    assert_eq!(bench.post(&format!("/sessions/{}/end/", "x".repeat(256)), FORM, "").await.0, 400);
    assert_eq!(bench.post("/sessions/%20/end/", FORM, "").await.0, 400);
    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    let envelope = codec::decode(records[0].schema_version, &records[0].value).unwrap();
    assert_eq!((envelope.event, envelope.session_id.as_str()), (Event::SessionEnded, "a/b"));
}

#[tokio::test]
async fn the_pixel_records_the_page_that_shows_it() {
    let bench = Bench::new(settings(&[])).await;
    let ask = |method: &str, path: &str| {
        let request = Request::builder().method(method).uri(path).header("referer", "http://a.example/?q");
        bench.app.clone().oneshot(request.body(Body::empty()).unwrap())
    };
    let image = ask("GET", "/pixel.gif?session_id=s").await.unwrap();
    assert_eq!((image.status().as_u16(), &image.headers()["content-type"]), (200, &"image/gif".parse().unwrap()));
    assert_eq!(
        (&image.headers()["cache-control"], &image.headers()["footfall-stored"]),
        (&"no-store".parse().unwrap(), &"postgresql".parse().unwrap())
    );
    assert_eq!(ask("HEAD", "/pixel.gif?session_id=s").await.unwrap().status(), 200);
    let (status, answer) = read(ask("GET", "/pixel.gif").await.unwrap()).await;
    assert_eq!((status, answer["session_id"][0].as_str()), (400, Some("This field is required.")));
    let interaction = "/pixel.gif?session_id=s&event_type=click&element=%23b&metadata=%7B%22a%22%3A1%7D";
    assert_eq!(ask("GET", interaction).await.unwrap().status(), 200);
    let events: Vec<Event> = bench
        .records()
        .await
        .into_iter()
        .map(|record| codec::decode(record.schema_version, &record.value).unwrap().event)
        .collect();
    let [Event::PageViewRecorded(page_view), Event::InteractionRecorded(interaction)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((page_view.url.as_str(), interaction.metadata.get()), ("http://a.example/?q", "{\"a\":1}"));
}
