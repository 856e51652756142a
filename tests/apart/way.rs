//! The way of an event through all services, and what each of them answers.

use crate::common::{Place, get, post, request, send};
use serde_json::json;

#[tokio::test]
async fn an_event_goes_all_the_way_from_the_request_to_lists_details_and_report() {
    let place = Place::new().await;
    place.migrate(3).await;
    let [mut ingest, mut projector, mut query_api] =
        [&["ingest"], &["projector"], &["query-api"]].map(|service| place.start(service));
    ingest.until_ready().await;
    projector.until_ready().await;
    query_api.until_ready().await;
    let (write, read) = (ingest.address("http").await, query_api.address("http").await);

    let session = json!({"session_id": "s-1", "user_agent": "Mozilla/5.0 Firefox/121.0", "ip_address": "2001:DB8::7"});
    let accepted = post(write, "/sessions/", &session).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let page_view = json!({"session_id": "s-1", "url": "https://shop.example/?a=1&b=<2>"});
    let page_view = post(write, "/pageviews/", &page_view).await.json();
    let interaction =
        json!({"session_id": "s-1", "event_type": "click", "element": "#buy", "metadata": {"x": [1, null]}});
    let interaction = post(write, "/interactions/", &interaction).await.json();

    let listed = place.until_listed(read, "/interactions/", 1).await;
    let sessions = get(read, "/sessions/").await.json();
    let session = &sessions["results"][0];
    assert_eq!(session["ip_address"], "2001:db8::7");
    for (path, sent) in [("pageviews", &page_view), ("interactions", &interaction)] {
        let detail = get(read, &format!("/{path}/{}/", sent["id"])).await;
        assert_eq!((detail.status, detail.json()["id"].clone()), (200, sent["id"].clone()));
        assert_eq!(&detail.json()["session"], session);
        assert_eq!(detail.json()["timestamp"], sent["timestamp"]);
    }
    assert_eq!(listed["results"][0]["metadata"], json!({"x": [1, null]}));
    assert_eq!(get(read, &format!("/sessions/{}/", session["id"])).await.json(), *session);

    let token = place.run(&["token", "issue", "--role", "staff"]).await.well();
    let authorization = format!("Authorization: Bearer {}\r\n", token[0]);
    assert_eq!(get(read, "/report/data/").await.status, 401);
    let report = send(read, "GET", "/report/data/", &authorization, "").await.unwrap().json();
    assert_eq!(report["browser_data"], json!([{"browser": "Firefox", "count": 1, "percentage": 100.0}]));
    assert_eq!(report["page_views"][0]["urls"][0]["url"], "https://shop.example/?a=1&b=<2>");
    let status = get(read, "/status/").await.json();
    assert_eq!((&status["lag_records"], status["partitions"].as_array().unwrap().len()), (&json!(0), 3));

    place.verify().await;
    for service in [ingest, projector, query_api] {
        service.stop().await;
    }
}

#[tokio::test]
async fn each_service_answers_its_own_paths_and_methods_alone() {
    let place = Place::new().await;
    place.migrate(1).await;
    let (mut ingest, mut query_api) = (place.start(&["ingest"]), place.start(&["query-api"]));
    let (write, read) = (ingest.address("http").await, query_api.address("http").await);
    for (service, method, path, status, allow) in [
        (write, "GET", "/sessions/", 405, "POST, OPTIONS"),
        (write, "PUT", "/pageviews/", 405, "GET, POST, HEAD, OPTIONS"),
        (write, "OPTIONS", "/interactions/", 200, "GET, POST, HEAD, OPTIONS"),
        (write, "OPTIONS", "/sessions/1/", 200, "GET, HEAD, OPTIONS"),
        (write, "OPTIONS", "/batch/", 200, "POST, OPTIONS"),
        (write, "GET", "/sessions/1/", 404, "GET, HEAD, OPTIONS"),
        (write, "POST", "/nowhere/", 404, ""),
        (write, "GET", "/", 404, ""),
        (read, "POST", "/sessions/", 405, "GET, HEAD, OPTIONS"),
        (read, "DELETE", "/sessions/1/", 405, "GET, HEAD, OPTIONS"),
        (read, "OPTIONS", "/sessions/", 200, "GET, POST, HEAD, OPTIONS"),
        (read, "OPTIONS", "/batch/", 200, "POST, OPTIONS"),
        (read, "PATCH", "/interactions/", 405, "GET, POST, HEAD, OPTIONS"),
        (read, "HEAD", "/sessions/", 200, "GET, POST, HEAD, OPTIONS"),
        (read, "GET", "/sessions/1/2/", 404, ""),
    ] {
        let answer = request(service, method, path, None).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("allow").unwrap_or_default(), allow, "{method} {path}");
        match status {
            405 => assert_eq!(answer.json(), json!({"detail": format!("Method \"{method}\" not allowed.")})),
            404 => assert_eq!(answer.json(), json!({"detail": "Not found."})),
            _ => assert_eq!(answer.body, "", "{method} {path}"),
        }
    }
    for service in [ingest, query_api] {
        service.stop().await;
    }
}
