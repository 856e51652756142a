//! § 4.

use crate::{
    Case,
    site::{FORM, JSON, Site, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("4", "every missing field is told at once, in field order", missing),
    Case("4", "null, blank and what is no string have their messages", kinds),
    Case("4", "NUL and lone surrogates have their messages", unstorable),
    Case("4", "a wrong event_type is repeated as Python prints it", choices),
    Case("4", "end_time beyond the year 9999 is out of range", beyond),
    Case("4", "a body that is no object says what it is", no_object),
    Case("4", "malformed JSON, bad UTF-8, a BOM and NaN are parse errors", malformed),
    Case("4", "an empty body of any content type is as {}", empty),
    Case("4", "another content type, or none, with a body is 415", unsupported),
    Case("4", "a multipart body without a boundary is a parse error", boundary),
    Case("4", "unknown ids and ids that are no integers are 404, each with its text", not_found),
    Case("4", "a wrong token is 401 on any path", token),
];

fn missing(site: &Site) {
    let required = "[\"This field is required.\"]";
    for (resource, fields) in [
        ("sessions", &["session_id", "user_agent", "ip_address"][..]),
        ("pageviews", &["url", "session_id"]),
        ("interactions", &["session_id", "event_type", "element"]),
    ] {
        let told: Vec<String> = fields.iter().map(|field| format!("\"{field}\":{required}")).collect();
        let answer = site.post(resource, JSON, "{}");
        assert_eq!((answer.status, answer.text()), (400, format!("{{{}}}", told.join(","))));
    }
}

fn kinds(site: &Site) {
    let told = |field: &str, message: &str| json!({ field: [message] });
    for field in ["session_id", "user_agent"] {
        for (value, message) in [
            (Value::Null, "This field may not be null."),
            (json!(""), "This field may not be blank."),
            (json!(" \u{a0}\t"), "This field may not be blank."),
            (json!(true), "Not a valid string."),
            (json!([]), "Not a valid string."),
            (json!({"a": 1}), "Not a valid string."),
        ] {
            let body = with(session(&site.session()), field, value);
            site.refuse("sessions", JSON, body.to_string(), 400, &told(field, message));
        }
    }
    for (value, message) in [(Value::Null, "This field may not be null."), (json!(""), "This field may not be blank.")]
    {
        let body = with(session(&site.session()), "ip_address", value.clone());
        site.refuse("sessions", JSON, body.to_string(), 400, &told("ip_address", message));
        let body = json!({"session_id": "s", "url": value});
        site.refuse("pageviews", JSON, body.to_string(), 400, &told("url", message));
        let body = json!({"session_id": "s", "event_type": "click", "element": value});
        site.refuse("interactions", JSON, body.to_string(), 400, &told("element", message));
    }
    for value in [json!(true), json!([1]), json!({})] {
        let body = with(session(&site.session()), "user_id", value);
        site.refuse("sessions", JSON, body.to_string(), 400, &told("user_id", "Not a valid string."));
    }
    let body = json!({"session_id": "s", "event_type": null, "element": "b"});
    site.refuse("interactions", JSON, body.to_string(), 400, &told("event_type", "This field may not be null."));
}

fn unstorable(site: &Site) {
    let nul = "Null characters are not allowed.";
    for field in ["session_id", "user_agent", "user_id"] {
        let body = with(session("s"), field, json!("a\0b"));
        site.refuse("sessions", JSON, body.to_string(), 400, &json!({ field: [nul] }));
        let body = with(session("s"), field, json!("PLACE")).to_string().replace("PLACE", "a\\ud800b");
        let told = json!({ field: ["Surrogate characters are not allowed: U+D800."] });
        site.refuse("sessions", JSON, body, 400, &told);
    }
}

fn choices(site: &Site) {
    for (given, shown) in [
        ("\"\"", ""),
        ("\" click\"", " click"),
        ("\"Click\"", "Click"),
        ("true", "True"),
        ("5", "5"),
        ("1.50", "1.5"),
        ("[\"click\"]", "['click']"),
        ("{\"a\":null}", "{'a': None}"),
        ("\"it's\"", "it's"),
    ] {
        let body = format!(r#"{{"session_id":"s","element":"b","event_type":{given}}}"#);
        let told = json!({"event_type": [format!("\"{shown}\" is not a valid choice.")]});
        site.refuse("interactions", JSON, body, 400, &told);
    }
}

fn beyond(site: &Site) {
    let body = with(session("s"), "end_time", json!("9999-12-31T23:59:59-01:00"));
    site.refuse("sessions", JSON, body.to_string(), 400, &json!({"end_time": ["Datetime value out of range."]}));
}

fn no_object(site: &Site) {
    for (body, kind) in [("[]", "list"), ("\"x\"", "str"), ("5", "int"), ("1.5", "float"), ("true", "bool")] {
        let told = json!({"non_field_errors": [format!("Invalid data. Expected a dictionary, but got {kind}.")]});
        site.refuse("sessions", JSON, body, 400, &told);
    }
    site.refuse("sessions", JSON, "null", 400, &json!({"non_field_errors": ["No data provided"]}));
}

fn malformed(site: &Site) {
    for body in
        [&b"{"[..], b"{]", b"\xff\xfe", b"\xef\xbb\xbf{}", b"NaN", b"{\"a\":NaN}", b"{} {}", b"{'a':1}", b"\x00"]
    {
        let answer = site.post("sessions", JSON, body);
        let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (answer.status, detail.starts_with("JSON parse error - ")),
            (400, true),
            "{body:?}: {}",
            answer.text()
        );
    }
}

fn empty(site: &Site) {
    let required = json!(["This field is required."]);
    let told = json!({"url": required, "session_id": required});
    for content_type in [JSON, FORM, "text/plain", "application/xml", "image/png"] {
        site.refuse("pageviews", content_type, "", 400, &told);
    }
    let answer = site.send("POST", "/pageviews/", &[], b"");
    assert_eq!((answer.status, answer.json()), (400, told));
}

fn unsupported(site: &Site) {
    for content_type in ["application/xml", "text/html", "image/png", "application/jsonx"] {
        let told = json!({"detail": format!("Unsupported media type \"{content_type}\" in request.")});
        site.refuse("sessions", content_type, "{}", 415, &told);
    }
    assert_eq!(site.send("POST", "/sessions/", &[], b"{}").status, 415);
    for content_type in ["application/json; charset=utf-8", "APPLICATION/JSON", "text/plain;charset=UTF-8"] {
        assert_eq!(site.post("sessions", content_type, "{}").status, 400, "{content_type} is read");
    }
}

fn boundary(site: &Site) {
    let answer = site.post("sessions", "multipart/form-data", "--x--");
    let detail = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert_eq!((answer.status, detail.starts_with("Multipart form parse error - ")), (400, true), "{}", answer.text());
}

fn not_found(site: &Site) {
    for (resource, name) in
        [("sessions", "UserSession"), ("pageviews", "PageView"), ("interactions", "UserInteraction")]
    {
        for id in ["0", "-1", "9007199254740993", "99999999999999999999999999", "-99999999999999999999"] {
            let answer = site.get(&format!("/{resource}/{id}/"));
            let told = json!({"detail": format!("No {name} matches the given query.")});
            assert_eq!((answer.status, answer.json()), (404, told), "{resource} {id}");
        }
        for id in ["x", "1.5", "1e3", "0x1", "%00", "%ff", "%E2%82%AC", "1%2F2"] {
            let answer = site.get(&format!("/{resource}/{id}/"));
            assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not found."})), "{resource} {id}");
        }
    }
}

fn token(site: &Site) {
    let wrong = [("Authorization", "Bearer wrong"), ("Content-Type", JSON)];
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/sessions/"),
        ("POST", "/pageviews/"),
        ("GET", "/sessions/1/"),
        ("GET", "/report/data/"),
    ] {
        let answer = site.send(method, path, &wrong, if method == "POST" { b"{}" } else { b"" });
        assert_eq!((answer.status, answer.json()), (401, json!({"detail": "Invalid token."})), "{method} {path}");
        assert!(answer.header("www-authenticate").is_some());
    }
}
