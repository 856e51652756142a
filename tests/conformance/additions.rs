//! § 8, § 9, § 12.

use crate::{
    Case,
    site::{JSON, Site, session},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("8", "the resources are open, the report is for staff", access),
    Case("9", "the report's numbers have exactly the original's keys", report),
    Case("12", "a client's time is taken within its window, else the server's", client_time),
    Case("12", "event_id has to be a UUID; the same one for the same session is stored once", event_id),
    Case("12", "the 202 body holds the event, its event_id, the server's time and its id", accepted),
    Case("12", "a batch tells one result per event, in order", batch),
    Case("12", "a batch as NDJSON says the same", ndjson),
    Case("12", "a batch that is wrong as a whole is refused with its reason", no_batch),
    Case("12", "a session can be ended by its path and in a batch", session_end),
    Case("12", "text/plain is read as JSON", beacon),
    Case("12", "the pixel records a page view", pixel),
    Case("12", "a cursor walks a list to its end and is bound to its filters", cursor),
    Case("12", "the status tells how far behind the read model is", status),
];

fn access(site: &Site) {
    assert_eq!(site.get("/sessions/").status, 200);
    let answer = site.get("/report/data/");
    let told = json!({"detail": "Authentication credentials were not provided."});
    assert_eq!((answer.status, answer.json()), (401, told));
    let page = site.get("/report/");
    assert_eq!((page.status, page.text().contains("/sign-in/")), (403, true));
    let user = [("Authorization", &*format!("Bearer {}", site.user))];
    let answer = site.send("GET", "/report/data/", &user, b"");
    let told = json!({"detail": "You do not have permission to perform this action."});
    assert_eq!((answer.status, answer.json()), (403, told));
    assert_eq!(site.get_as_staff("/report/data/").status, 200);
    assert_eq!(site.get_as_staff("/report/").status, 200);
}

fn report(site: &Site) {
    let id = site.session();
    site.accept_json("sessions", &session(&id));
    site.session_when(&id, |_| true);
    let page_view = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/</script>"}));
    site.found("pageviews", &page_view);
    let event = json!({"session_id": id, "event_type": "keypress", "element": "b"});
    site.found("interactions", &site.accept_json("interactions", &event));
    let data = site.get_as_staff("/report/data/").json();
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    for (list, expected) in [
        ("interaction_data", &["count", "interaction"][..]),
        ("timestamps_data", &["count", "day", "timestamp"]),
        ("page_views", &["count", "day", "timestamp", "urls"]),
        ("browser_data", &["browser", "count", "percentage"]),
    ] {
        assert_eq!(keys(&data[list][0]), expected, "{list}");
    }
    assert!(data["start_end_times_data"].is_array());
    let page = site.get_as_staff("/report/").text();
    let embedded = page.split_once("id=\"report-data\">").unwrap().1.split("</script>").next().unwrap();
    let embedded: Value = serde_json::from_str(embedded).unwrap();
    assert_eq!(embedded["interaction_data"], data["interaction_data"]);
}

fn client_time(site: &Site) {
    let id = site.session();
    let now = chrono::Utc::now();
    for (time, taken) in [
        (json!((now - chrono::TimeDelta::days(2)).to_rfc3339()), true),
        (json!((now - chrono::TimeDelta::days(40)).to_rfc3339()), false),
        (json!((now + chrono::TimeDelta::days(1)).to_rfc3339()), false),
        (Value::Null, false),
        (json!(""), false),
        (json!("yesterday"), false),
    ] {
        let body = json!({"session_id": id, "url": "http://a.example/", "timestamp": time});
        let accepted = site.accept_json("pageviews", &body);
        let shown: chrono::DateTime<chrono::Utc> = accepted["timestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!((now - shown).num_hours() == 48, taken, "{time}: {accepted}");
        assert_eq!(site.found("pageviews", &accepted)["timestamp"], accepted["timestamp"]);
    }
}

fn event_id(site: &Site) {
    let (id, given) = (site.session(), uuid::Uuid::new_v4());
    for wrong in [json!("x"), json!(5), json!(""), json!([])] {
        let body = json!({"session_id": id, "url": "http://a.example/", "event_id": wrong});
        site.refuse("pageviews", JSON, body.to_string(), 400, &json!({"event_id": ["Must be a valid UUID."]}));
    }
    let body = json!({"session_id": id, "url": "http://a.example/once", "event_id": given});
    let first = site.accept_json("pageviews", &body);
    site.found("pageviews", &first);
    assert_eq!(first["event_id"], given.to_string());
    site.accept_json("pageviews", &body);
    let last = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/last"}));
    site.found("pageviews", &last);
    let list = site.get(&format!("/pageviews/?session_id={id}")).json();
    assert_eq!((list["count"].clone(), list["results"][1]["id"].clone()), (json!(2), first["id"].clone()));
}

fn accepted(site: &Site) {
    let id = site.session();
    let taken = site.accept_json(
        "interactions",
        &json!({"session_id": id, "event_type": "click", "element": "b", "metadata": {"a": 1}}),
    );
    assert!(taken["id"].as_i64().is_some_and(|id| id > 0 && id <= 1 << 53), "{taken}");
    assert!(taken["event_id"].is_string() && taken["session"].is_null(), "{taken}");
    assert_eq!(
        (&taken["element"], &taken["metadata"], &taken["session_id"]),
        (&json!("b"), &json!({"a": 1}), &json!(id))
    );
    let taken = site.accept_json("sessions", &session(&id));
    assert_eq!((&taken["session_id"], &taken["end_time"], &taken["user_id"]), (&json!(id), &Value::Null, &Value::Null));
}

fn statuses(answer: &Value) -> Vec<String> {
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("no results: {answer}"));
    results.iter().map(|result| result["status"].as_str().unwrap_or_default().to_owned()).collect()
}

fn batch(site: &Site) {
    let (id, given) = (site.session(), uuid::Uuid::new_v4());
    let good = json!({"type": "pageview", "session_id": id, "url": "http://a.example/", "event_id": given});
    let events = json!({"events": [
        {"type": "session", "session_id": id, "user_agent": "u", "ip_address": "192.0.2.1"},
        good,
        {"type": "interaction", "session_id": id, "event_type": "click", "element": "b"},
        good,
    ]});
    let answer = site.post("batch", JSON, events.to_string());
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(statuses(&answer.json()), ["accepted", "accepted", "accepted", "duplicate"]);
    let mixed = json!({"events": [good, {"type": "pageview", "session_id": id}, {"type": "x"}, 5]});
    let answer = site.post("batch", JSON, mixed.to_string());
    assert_eq!(
        (answer.status, statuses(&answer.json())),
        (207, ["accepted", "rejected", "rejected", "rejected"].map(String::from).to_vec())
    );
    let bad = json!({"events": [{"type": "pageview", "session_id": id}]});
    let answer = site.post("batch", JSON, bad.to_string());
    assert_eq!((answer.status, statuses(&answer.json())), (400, vec!["rejected".to_owned()]));
}

fn ndjson(site: &Site) {
    let id = site.session();
    let line = |url: &str| json!({"type": "pageview", "session_id": id, "url": url}).to_string();
    let body = format!("{}\n\n{}\r\n{}", line("http://a.example/1"), line("x"), line("http://a.example/2"));
    let answer = site.post("batch", "application/x-ndjson", body);
    assert_eq!(
        (answer.status, statuses(&answer.json())),
        (207, ["accepted", "rejected", "accepted"].map(String::from).to_vec())
    );
}

fn no_batch(site: &Site) {
    for (content_type, body, status) in [
        (JSON, "[]".to_owned(), 400),
        (JSON, "{}".to_owned(), 400),
        (JSON, "{".to_owned(), 400),
        (JSON, json!({"events": 5}).to_string(), 400),
        (JSON, json!({"events": vec![5; 2_001]}).to_string(), 413),
        ("application/xml", "<x/>".to_owned(), 415),
    ] {
        let answer = site.post("batch", content_type, &body);
        assert_eq!(
            (answer.status, answer.json()["detail"].is_string()),
            (status, true),
            "{:.50}: {}",
            body,
            answer.text()
        );
    }
    let headers = [("Content-Type", JSON), ("Content-Encoding", "gzip")];
    assert_eq!(site.send("POST", "/batch/", &headers, b"no gzip").status, 400);
    let headers = [("Content-Type", JSON), ("Content-Encoding", "lzma")];
    assert_eq!(site.send("POST", "/batch/", &headers, b"{}").status, 415);
}

fn session_end(site: &Site) {
    let [one, two] = [site.session(), site.session()];
    for id in [&one, &two] {
        site.accept_json("sessions", &session(id));
    }
    let end = json!({"timestamp": chrono::Utc::now().to_rfc3339()}).to_string();
    let answer = site.send("POST", &format!("/sessions/{one}/end/"), &[("Content-Type", JSON)], end.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    let events = json!({"events": [{"type": "session_end", "session_id": two}]});
    assert_eq!(site.post("batch", JSON, events.to_string()).status, 202);
    for id in [&one, &two] {
        site.session_when(id, |session| session["end_time"].is_string());
    }
}

fn beacon(site: &Site) {
    let id = site.session();
    let body = json!({"session_id": id, "url": "http://a.example/"}).to_string();
    site.found("pageviews", &site.accept("pageviews", "text/plain;charset=UTF-8", body));
}

fn pixel(site: &Site) {
    let id = site.session();
    let answer = site.get(&format!("/pixel.gif?session_id={id}&url=http%3A%2F%2Fa.example%2Fpixel"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")), "{}", answer.text());
    assert!(answer.body.starts_with(b"GIF89a"));
    site.until(&format!("/pageviews/?session_id={id}"), |list| (list["count"] == 1).then_some(()));
}

fn cursor(site: &Site) {
    let id = site.session();
    let urls: Vec<String> = (0..7).map(|page| format!("http://a.example/{page}")).collect();
    for url in &urls {
        site.found("pageviews", &site.accept_json("pageviews", &json!({"session_id": id, "url": url})));
    }
    let (mut seen, mut path) = (Vec::new(), format!("/pageviews/?session_id={id}&limit=3&cursor="));
    loop {
        let list = site.get(&path).json();
        seen.extend(list["results"].as_array().unwrap().iter().map(|view| view["url"].as_str().unwrap().to_owned()));
        // what arrives meanwhile does not move what is still to come
        site.found(
            "pageviews",
            &site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/new"})),
        );
        let Some(next) = list["next"].as_str() else { break };
        path = site.path_of(next);
        let other = path.replace(&id, "another");
        assert_eq!(site.get(&other).status, 400, "bound to its filters");
    }
    assert_eq!(seen, urls.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(site.get("/pageviews/?cursor=tampered").status, 400);
}

fn status(site: &Site) {
    let status = site.get("/status/").json();
    assert!(status["partitions"].as_array().is_some_and(|partitions| !partitions.is_empty()), "{status}");
    assert!(status["lag_seconds"].is_number(), "{status}");
}
