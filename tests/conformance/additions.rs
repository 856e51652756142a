//! § 8, § 9, § 12.

use crate::{
    Case,
    paths::keys_of,
    site::{JSON, Site, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("8", "the resources are open, the report is for staff", access),
    Case("8", "Basic authentication is nobody's", basic),
    Case("9", "the report's numbers have exactly the original's keys", report),
    Case("12", "a client's time is taken within its window, else the server's", client_time),
    Case("12", "event_id has to be a UUID; the same one for the same session is stored once", event_id),
    Case("12", "the 202 body holds the event, its event_id, the server's time and its id", accepted),
    Case("12", "a session can be ended by its path", session_end),
    Case("12", "text/plain is read as JSON", beacon),
    Case("12", "the pixel records a page view, of the page that shows it, or an interaction", pixel),
    Case("12", "a cursor walks a list to its end and is bound to its filters", cursor),
    Case("12", "the status tells how far behind the read model is", status),
    Case("12", "/openapi.json and /docs/ describe every path and method that is answered, and no other", description),
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

fn basic(site: &Site) {
    // staff:staff
    let headers = [("Authorization", "Basic c3RhZmY6c3RhZmY=")];
    assert_eq!(site.send("GET", "/sessions/", &headers, b"").status, 200, "open to all");
    let answer = site.send("GET", "/report/data/", &headers, b"");
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
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
        assert_eq!(accepted["time_source"], if taken { "client" } else { "server" }, "{time}: {accepted}");
        if !taken {
            assert_eq!(accepted["timestamp"], accepted["recorded_at"], "{time}");
        }
        let shown: chrono::DateTime<chrono::Utc> = accepted["timestamp"].as_str().unwrap().parse().unwrap();
        assert_eq!((now - shown).num_hours() == 48, taken, "{time}: {accepted}");
        assert_eq!(site.found("pageviews", &accepted)["timestamp"], accepted["timestamp"]);
        let id = site.session();
        let accepted = site.accept_json("sessions", &with(session(&id), "start_time", time.clone()));
        assert_eq!(accepted["time_source"], if taken { "client" } else { "server" }, "{time}: {accepted}");
        assert_eq!(site.session_when(&id, |_| true)["start_time"], accepted["start_time"], "{time}");
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
    let again = site.accept_json("pageviews", &body);
    let last = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/last"}));
    site.found("pageviews", &last);
    let list = site.get(&format!("/pageviews/?session_id={id}")).json();
    assert_eq!((list["count"].clone(), list["results"][1]["id"].clone()), (json!(2), first["id"].clone()));
    assert_ne!(again["id"], first["id"]);
    assert_eq!(site.get(&format!("/pageviews/{}/", again["id"])).status, 404, "the first one's stands");
    // what is of another session is another event
    let other = with(body, "session_id", json!(site.session()));
    site.found("pageviews", &site.accept_json("pageviews", &other));
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
    let view = json!({"session_id": id, "url": "http://a.example/"});
    let interaction = json!({"session_id": id, "event_type": "click", "element": "b"});
    for (resource, body, keys) in [
        ("sessions", session(&id), "session_id user_agent ip_address start_time end_time user_id"),
        ("pageviews", view.clone(), "id url timestamp session_id"),
        ("interactions", interaction, "id session_id event_type element metadata timestamp"),
    ] {
        let found = keys_of(&site.post(resource, JSON, body.to_string()).text()).join(" ");
        assert_eq!(found, format!("{keys} event_id recorded_at time_source"), "in the order of the lists");
    }
    let answer = site.post("pageviews", JSON, view.to_string());
    assert!(matches!(answer.header("footfall-stored"), Some("kafka" | "postgresql")), "{}", answer.head);
    assert!(answer.header("footfall-position").is_some(), "{}", answer.head);
    let taken = site.accept_json("sessions", &session(&id));
    assert!(taken.get("id").is_none(), "for a session only its session_id is sure: {taken}");
    assert_eq!((&taken["session_id"], &taken["end_time"], &taken["user_id"]), (&json!(id), &Value::Null, &Value::Null));
}

fn session_end(site: &Site) {
    let id = site.session();
    site.accept_json("sessions", &session(&id));
    let end = json!({"timestamp": chrono::Utc::now().to_rfc3339()}).to_string();
    let answer = site.send("POST", &format!("/sessions/{id}/end/"), &[("Content-Type", JSON)], end.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    site.session_when(&id, |session| session["end_time"].is_string());
}

fn beacon(site: &Site) {
    let id = site.session();
    let body = json!({"session_id": id, "url": "http://a.example/"}).to_string();
    site.found("pageviews", &site.accept("pageviews", "text/plain;charset=UTF-8", body));
    let end = format!("/sessions/{id}/end/");
    let headers = [("Content-Type", "text/plain;charset=UTF-8")];
    assert_eq!(site.send("POST", &end, &headers, b"{}").status, 202);
    let batch = json!({"events": [{"type": "session_end", "session_id": id}]});
    site.accept("batch", "text/plain;charset=UTF-8", batch.to_string());
    site.session_when(&id, |session| session["end_time"].is_string());
}

fn pixel(site: &Site) {
    let id = site.session();
    let answer = site.get(&format!("/pixel.gif?session_id={id}&url=http%3A%2F%2Fa.example%2Fpixel"));
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("image/gif")), "{}", answer.text());
    assert!(answer.body.starts_with(b"GIF89a"));
    site.until(&format!("/pageviews/?session_id={id}"), |list| (list["count"] == 1).then_some(()));
    let shown = [("Referer", "http://a.example/that-shows-it")];
    assert_eq!(site.send("GET", &format!("/pixel.gif?session_id={id}"), &shown, b"").status, 200);
    let interaction = "event_type=click&element=%23buy&metadata=%7B%22price%22%3A9.5%7D";
    assert_eq!(site.get(&format!("/pixel.gif?session_id={id}&{interaction}")).status, 200);
    let path = format!("/pageviews/?session_id={id}");
    let urls = site.until(&path, |list| (list["count"] == 2).then(|| list["results"].clone()));
    assert_eq!(urls[0]["url"], "http://a.example/that-shows-it");
    let path = format!("/interactions/?session_id={id}");
    let found = site.until(&path, |list| (list["count"] == 1).then(|| list["results"][0].clone()));
    assert_eq!(
        (&found["event_type"], &found["element"], &found["metadata"]),
        (&json!("click"), &json!("#buy"), &json!({"price": 9.5}))
    );
    let answer = site.get(&format!("/pixel.gif?session_id={id}&event_type=x&element=b"));
    assert_eq!((answer.status, answer.json()), (400, json!({"event_type": ["\"x\" is not a valid choice."]})));
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
    for (place, partition) in status["partitions"].as_array().unwrap().iter().enumerate() {
        assert_eq!(partition["partition"], place, "{status}");
        assert!(partition["lag_seconds"].is_number(), "{status}");
    }
}

fn description(site: &Site) {
    let answer = site.get("/openapi.json");
    let document = answer.json();
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
    let server = format!("http://{}{}", site.host, site.base);
    assert_eq!(document["servers"], json!([{ "url": server }]));
    let page = site.get("/docs/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let text = page.text();
    assert!(text.contains(&format!("{}/openapi.json", site.base)) && !text.contains("<script"), "{text}");
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let anchor = format!("id=\"{}\"", operation["operationId"].as_str().unwrap());
            assert!(text.contains(&anchor), "{method} {path} is not on the page");
        }
        described_methods(site, path, item);
    }
}

/// What the document has is answered, and what it has not is 405 with exactly the methods that it has.
fn described_methods(site: &Site, path: &str, item: &Value) {
    // a session's own name, and a number
    let path = path.replace("{session_id}", "s-1").replace("{id}", "1");
    let has = |method: &str| item.get(method.to_lowercase()).is_some();
    let listed: Vec<&str> =
        ["GET", "POST", "HEAD", "OPTIONS"].into_iter().filter(|method| has(method) || *method == "OPTIONS").collect();
    for method in ["PUT", "PATCH", "DELETE", "TRACE"] {
        let answer = site.send(method, &path, &[], b"");
        assert_eq!(answer.status, 405, "{method} {path}");
        let allow = answer.header("allow").unwrap_or_default();
        let allowed: Vec<&str> = allow.split(", ").filter(|method| *method != "HEAD").collect();
        assert_eq!(allowed, listed, "{method} {path}");
    }
    for method in ["GET", "POST"].into_iter().filter(|method| has(method)) {
        let answer = site.send(method, &path, &[], b"");
        let nowhere = answer.status == 405 || answer.text() == r#"{"detail":"Not found."}"#;
        assert!(!nowhere, "{method} {path}: {}", answer.status);
    }
}
