//! § 1, § 2.

use crate::{
    Case,
    site::{JSON, Site, session},
};
use serde_json::json;

pub const CASES: &[Case] = &[
    Case("1", "the root names the three lists by their whole addresses", root),
    Case("1", "a missing slash is redirected, 301 for GET and 308 for POST", slashes),
    Case("1", "other methods are 405 with Allow; HEAD and OPTIONS work where GET or POST do", methods),
    Case("1", "an Accept that cannot be served is 406, text/html included", accept),
    Case("1", "Accept: application/json; indent=4 is answered with one value a line", indent),
    Case("1", "?format=json is accepted, a .json suffix is not", format),
    Case("4", "an id with a dot is nowhere, whatever the method", dots),
    Case("1", "JSON is UTF-8 and unescaped, without a Location header", unescaped),
    Case("2", "session_ids that differ in case are two sessions", case_sensitive),
    Case("2", "objects have exactly these keys in this order", keys),
];

fn root(site: &Site) {
    let at = |path: &str| format!("http://{}{}/{path}/", site.host, site.base);
    let expected =
        json!({"sessions": at("sessions"), "pageviews": at("pageviews"), "interactions": at("interactions")});
    assert_eq!(site.get("/").json(), expected);
}

fn slashes(site: &Site) {
    for path in ["sessions", "pageviews", "interactions", "sessions/1", "report", "report/data", "status", "sign-in"] {
        let answer = site.get(&format!("/{path}?a=1&b=%20"));
        let location = format!("{}/{path}/?a=1&b=%20", site.base);
        let found = answer
            .header("location")
            .unwrap_or_default()
            .trim_start_matches(&format!("http://{}", site.host))
            .to_owned();
        assert_eq!((answer.status, found), (301, location), "{path}");
    }
    for path in ["sessions", "pageviews", "interactions", "batch", "sessions/a.b/end"] {
        let answer = site.send("POST", &format!("/{path}"), &[("Content-Type", JSON)], b"{}");
        assert_eq!(answer.status, 308, "{path}");
        assert!(answer.header("location").is_some_and(|to| to.ends_with(&format!("/{path}/"))), "{path}");
    }
    // the two that are files
    for path in ["pixel.gif/", "openapi.json/"] {
        assert_eq!(site.get(&format!("/{path}")).status, 404, "{path}");
    }
    for path in ["nowhere/", "sessions/1/2/", "sessions.json", "sessions/1.json", "pageview/"] {
        let answer = site.get(&format!("/{path}"));
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not found."})), "{path}");
    }
}

fn methods(site: &Site) {
    for resource in ["sessions", "pageviews", "interactions"] {
        for (path, allow) in
            [(format!("/{resource}/"), "GET, POST, HEAD, OPTIONS"), (format!("/{resource}/1/"), "GET, HEAD, OPTIONS")]
        {
            for method in ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
                let answer = site.send(method, &path, &[], b"");
                let told = json!({"detail": format!("Method \"{method}\" not allowed.")});
                assert_eq!((answer.status, answer.json()), (405, told), "{method} {path}");
                assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
            }
            let answer = site.send("OPTIONS", &path, &[], b"");
            assert_eq!((answer.status, answer.header("allow")), (200, Some(allow)), "OPTIONS {path}");
        }
        let (head, get) =
            (site.send("HEAD", &format!("/{resource}/"), &[], b""), site.get(&format!("/{resource}/?limit=1")));
        assert_eq!((head.status, head.body.len(), get.status), (200, 0, 200));
        assert_eq!(head.header("content-type"), get.header("content-type"));
        let answer = site.send("POST", &format!("/{resource}/1/"), &[("Content-Type", JSON)], b"{}");
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD, OPTIONS")));
    }
}

fn accept(site: &Site) {
    for (accept, status) in [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.5", 200),
        ("text/html", 406),
        ("application/xml", 406),
        ("image/*", 406),
    ] {
        let answer = site.send("GET", "/sessions/", &[("Accept", accept)], b"");
        assert_eq!(answer.status, status, "{accept}: {}", answer.text());
        if status == 406 {
            assert_eq!(answer.json(), json!({"detail": "Could not satisfy the request Accept header."}));
        }
    }
}

fn indent(site: &Site) {
    let asked = |path: &str, accept: &str| site.send("GET", path, &[("Accept", accept)], b"").text();
    let detail = "No PageView matches the given query.";
    let path = "/pageviews/0/";
    assert_eq!(asked(path, "application/json; indent=4"), format!("{{\n    \"detail\": \"{detail}\"\n}}"));
    assert_eq!(asked(path, "application/json; indent=99"), format!("{{\n        \"detail\": \"{detail}\"\n}}"));
    for plain in ["application/json; indent=x", "application/json; indent=0", "*/*;indent=1, application/json"] {
        assert_eq!(asked(path, plain), format!("{{\"detail\":\"{detail}\"}}"), "{plain}");
    }
    let id = site.session();
    let event = json!({"session_id": id, "event_type": "click", "element": "b", "metadata": {"a": [1, {}]}});
    let found = site.found("interactions", &site.accept_json("interactions", &event));
    let list = format!("/interactions/?session_id={id}");
    let (one, all) = (asked(&list, "application/json; indent=2"), site.get(&list).json());
    assert_eq!((&all["results"][0], one.parse::<serde_json::Value>().unwrap()), (&found, all.clone()));
    let metadata = "      \"metadata\": {\n        \"a\": [\n          1,\n          {}\n        ]\n      },\n";
    assert!(one.contains(metadata) && one.starts_with("{\n  \"count\": 1,\n"), "{one}");
}

fn dots(site: &Site) {
    for id in ["1.5", "1.json", "a.b", "1%2E5", ".", "1."] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = site.send(method, &format!("/sessions/{id}/"), &[("Content-Type", JSON)], b"");
            assert_eq!(answer.status, 404, "{method} {id}: {}", answer.text());
            if method != "HEAD" {
                assert_eq!(answer.json(), json!({"detail": "Not found."}), "{method} {id}");
            }
        }
    }
}

fn format(site: &Site) {
    assert_eq!(site.get("/sessions/?format=json").status, 200);
    assert_eq!(site.get("/sessions/?format=xml").status, 404);
    assert_eq!(site.get("/sessions.json").status, 404);
}

fn unescaped(site: &Site) {
    let id = site.session();
    let url = format!("https://shop.example/übung/日本/{id}");
    let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": url}));
    site.found("pageviews", &taken);
    let answer = site.get(&format!("/pageviews/{}/", taken["id"]));
    assert!(answer.text().contains(&url), "{}", answer.text());
    assert_eq!((answer.header("content-type"), answer.header("location")), (Some("application/json"), None));
    assert_eq!(
        site.post("pageviews", JSON, json!({"session_id": id, "url": url}).to_string()).header("location"),
        None
    );
}

fn case_sensitive(site: &Site) {
    let id = site.session();
    let other = id.to_uppercase();
    for id in [&id, &other] {
        site.accept_json("sessions", &session(id));
    }
    let rows = [&id, &other].map(|id| site.session_when(id, |found| found["session_id"] == **id)["id"].clone());
    assert_ne!(rows[0], rows[1]);
}

/// The keys of the JSON object in this text, in their order, those of objects inside left out.
pub fn keys_of(text: &str) -> Vec<String> {
    let (mut depth, mut keys, mut rest) = (0, Vec::new(), text);
    while let Some(at) = rest.find(['{', '}', '"']) {
        let (found, after) = (rest.as_bytes()[at], &rest[at + 1..]);
        rest = after;
        match found {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {
                let mut end = 0;
                while after.as_bytes()[end] != b'"' {
                    end += if after.as_bytes()[end] == b'\\' { 2 } else { 1 };
                }
                rest = &after[end + 1..];
                if depth == 1 && rest.starts_with(':') {
                    keys.push(after[..end].to_owned());
                }
            }
        }
    }
    keys
}

fn keys(site: &Site) {
    let id = site.session();
    site.accept_json("sessions", &session(&id));
    let page_view = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/"}));
    let interaction = json!({"session_id": id, "event_type": "click", "element": "b"});
    let interaction = site.accept_json("interactions", &interaction);
    site.found("pageviews", &page_view);
    let interaction_found = site.found("interactions", &interaction);
    let of_session = ["id", "session_id", "user_agent", "ip_address", "start_time", "end_time", "user_id"];
    for (path, expected) in [
        (format!("/pageviews/{}/", page_view["id"]), &["id", "url", "timestamp", "session"][..]),
        (
            format!("/interactions/{}/", interaction["id"]),
            &["id", "session", "event_type", "element", "metadata", "timestamp"],
        ),
        (format!("/sessions/{}/", interaction_found["session"]["id"]), &of_session),
        ("/sessions/?limit=1".to_owned(), &["count", "next", "previous", "results"]),
    ] {
        assert_eq!(keys_of(&site.get(&path).text()), expected, "{path}");
    }
    assert_eq!(interaction_found["session"].as_object().unwrap().len(), of_session.len());
    assert_eq!(interaction_found["metadata"], json!({}));
}
