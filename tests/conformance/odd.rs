//! § 1, 3, 4: paths, headers, ids and bodies that are odd.

use crate::{
    Case,
    site::{FORM, JSON, Site, session},
};
use serde_json::json;

pub const CASES: &[Case] = &[
    Case("1", "every answer of the API tells the methods in Allow, errors and HEAD included", allow),
    Case("1", "a missing slash is 301 for every method but POST; what no slash makes ours is 404", redirects),
    Case("1", "?format=json stays in the root's links; other formats are 404 on every path", formats),
    Case("1", "Accept is read in any case, order and with parameters, before everything else", accepts),
    Case("4", "ids are read as Python reads integers", ids),
    Case("4", "a body is read by its content type, whatever its case, charset or wildcard", content_types),
    Case("4", "several wrong fields are told in field order", in_order),
    Case("4", "an array or an object as event_type is printed as Python prints it, however written", printed),
];

const RESOURCES: [(&str, &str); 3] =
    [("sessions", "UserSession"), ("pageviews", "PageView"), ("interactions", "UserInteraction")];

fn allow(site: &Site) {
    let (list, detail) = ("GET, POST, HEAD, OPTIONS", "GET, HEAD, OPTIONS");
    for (resource, _) in RESOURCES {
        let (lists, details) = (format!("/{resource}/"), format!("/{resource}/0/"));
        for (method, path, status, expected) in [
            ("GET", lists.clone(), 200, list),
            ("HEAD", lists.clone(), 200, list),
            ("POST", lists.clone(), 400, list),
            ("GET", format!("{lists}?format=xml"), 404, list),
            ("GET", format!("{lists}?search=%00"), 400, list),
            ("PATCH", lists.clone(), 405, list),
            ("GET", details.clone(), 404, detail),
            ("HEAD", details.clone(), 404, detail),
            ("POST", details.clone(), 405, detail),
            ("DELETE", details.clone(), 405, detail),
        ] {
            let answer = site.send(method, &path, &[("Content-Type", JSON)], b"");
            assert_eq!((answer.status, answer.header("allow")), (status, Some(expected)), "{method} {path}");
            if method == "HEAD" {
                assert_eq!((answer.body.len(), answer.header("content-type")), (0, Some(JSON)), "{path}");
            }
        }
    }
    assert_eq!(site.get("/").header("allow"), Some(detail));
}

fn redirects(site: &Site) {
    for path in ["/sessions", "/pageviews", "/interactions", "/sessions/1", "/pageviews/x"] {
        for (method, status) in
            [("GET", 301), ("HEAD", 301), ("OPTIONS", 301), ("PUT", 301), ("DELETE", 301), ("POST", 308)]
        {
            let answer = site.send(method, path, &[], b"");
            let location = answer.header("location").unwrap_or_default().to_owned();
            assert_eq!(
                (answer.status, location.ends_with(&format!("{path}/"))),
                (status, true),
                "{method} {path}: {location}"
            );
        }
    }
    for path in [
        "/nope",
        "/nope/",
        "/Sessions/",
        "/session/",
        "/sessions//",
        "/sessions/1/2/",
        "/sessions/1%2F2/",
        "/x.json",
        "/sessions.json",
        "/sessions/1.json",
        "/.json",
        "/sessions;x/",
        "/./sessions/",
        "/pageviews.json/",
    ] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not found."})), "{path}");
    }
}

fn formats(site: &Site) {
    for (query, kept) in [
        ("?format=json", "?format=json"),
        ("?format=", "?format="),
        ("?format=x&format=json", "?format=json"),
        ("?a=1", ""),
    ] {
        let root = site.get(&format!("/{query}"));
        let expected = format!("http://{}{}/sessions/{kept}", site.host, site.base);
        assert_eq!((root.status, &root.json()["sessions"]), (200, &json!(expected)), "{query}");
    }
    for format in ["xml", "api", "JSON", "json%20", "html", "json&format=xml", "%00"] {
        for path in ["/", "/sessions/", "/pageviews/0/", "/interactions/x/"] {
            let answer = site.get(&format!("{path}?format={format}"));
            assert_eq!((answer.status, answer.json()), (404, json!({"detail": "Not found."})), "{path} {format}");
        }
        let answer = site.post(&format!("sessions/?format={format}&x="), JSON, "{}");
        assert_eq!(answer.status, 404, "{format}");
    }
}

fn accepts(site: &Site) {
    for (accept, taken) in [
        ("application/json; indent=4", true),
        ("application/json;version=1", true),
        ("APPLICATION/JSON", true),
        ("text/html, application/json", true),
        ("text/html;q=0.9,*/*;q=0.8", true),
        ("application/json,", true),
        ("application/xml, */*", true),
        ("application/json;q=x", true),
        ("json", false),
        ("*", false),
        ("/", false),
        ("a/b/c", false),
        ("text/*", false),
        ("text/plain", false),
        ("application/vnd.x+json", false),
    ] {
        for (method, path, status) in
            [("GET", "/sessions/", 200), ("GET", "/pageviews/0/", 404), ("POST", "/interactions/", 400)]
        {
            let answer = site.send(method, path, &[("Accept", accept), ("Content-Type", JSON)], b"");
            assert_eq!(answer.status, if taken { status } else { 406 }, "{accept} {method} {path}: {}", answer.text());
        }
    }
}

fn ids(site: &Site) {
    let integers = [
        "00",
        "+0",
        "-0",
        "0_0",
        "%200",
        "0%20",
        "%0A0",
        "%C2%A00",
        "%D9%A0",
        "%EF%BC%90",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "-1",
    ];
    let others = [
        "x", "0x", "0x0", "1.0", "1e3", "%20", "0,", "None", "true", "%C3%A9", "%C2%B2", "0__0", "_0", "0_", "+-0",
        "-", "%00", "0%00",
    ];
    for (resource, name) in RESOURCES {
        for (id, detail) in integers
            .map(|id| (id, format!("No {name} matches the given query.")))
            .into_iter()
            .chain(others.map(|id| (id, "Not found.".to_owned())))
        {
            let answer = site.get(&format!("/{resource}/{id}/"));
            assert_eq!((answer.status, answer.json()), (404, json!({ "detail": detail })), "{resource} {id}");
        }
    }
    // and every such way finds what is there
    let id = site.session();
    site.accept_json("sessions", &session(&id));
    let key = site.session_when(&id, |_| true)["id"].to_string();
    let digits: Vec<String> = key.bytes().map(|byte| format!("%D9%{:02X}", 0xA0 + byte - b'0')).collect();
    let arabic = digits.concat();
    for written in [
        format!("%20{key}"),
        format!("%2B{key}"),
        format!("00{key}"),
        // the first ids of a log have one digit
        format!("0_{key}"),
        arabic,
    ] {
        assert_eq!(site.get(&format!("/sessions/{written}/")).json()["session_id"], id, "{written}");
        assert_eq!(site.get(&format!("/sessions/?id={written}")).json()["count"], 1, "{written}");
    }
}

fn content_types(site: &Site) {
    let id = site.session();
    let json_body = format!(r#"{{"session_id":"{id}","url":"http://a.example/"}}"#);
    let form = format!("session_id={id}&url=http://a.example/");
    for (content_type, json_status, form_status) in [
        ("application/json", 202, 400),
        ("Application/JSON ;charset=utf-8", 202, 400),
        ("application/json;charset=latin-1", 202, 400),
        ("application/json; charset=nope", 202, 400),
        ("application/json; charset=utf-16", 400, 400),
        ("application/*", 202, 400),
        ("*/*", 202, 400),
        ("text/plain", 202, 400),
        ("application/x-www-form-urlencoded", 400, 202),
        ("Application/X-WWW-Form-Urlencoded; charset=utf-8", 400, 202),
        ("multipart/form-data; boundary=x", 400, 400),
        ("multipart/form-data", 400, 400),
        ("multipart/mixed; boundary=x", 415, 415),
        ("application/jsonx", 415, 415),
        ("application/vnd.api+json", 415, 415),
        ("text/json", 415, 415),
        ("text/html", 415, 415),
        ("application/octet-stream", 415, 415),
        ("application", 415, 415),
        ("/", 415, 415),
    ] {
        for (body, status) in [(&json_body, json_status), (&form, form_status)] {
            let answer = site.post("pageviews", content_type, body);
            assert_eq!(answer.status, status, "{content_type} {body}: {}", answer.text());
            if status == 415 {
                let detail = format!("Unsupported media type \"{content_type}\" in request.");
                assert_eq!(answer.json(), json!({ "detail": detail }));
            }
        }
        assert_eq!(site.post("pageviews", content_type, "").status, 400, "{content_type}: nothing is as {{}}");
    }
}

fn in_order(site: &Site) {
    let messages = |pairs: &[(&str, &str)]| {
        let told: Vec<String> =
            pairs.iter().map(|(field, message)| format!("{}:[{}]", json!(field), json!(message))).collect();
        format!("{{{}}}", told.join(","))
    };
    let (required, null, blank) =
        ("This field is required.", "This field may not be null.", "This field may not be blank.");
    for (resource, content_type, body, told) in [
        (
            "interactions",
            JSON,
            r#"{"session_id":"","metadata":null,"element":"","event_type":"x"}"#,
            messages(&[
                ("session_id", blank),
                ("event_type", "\"x\" is not a valid choice."),
                ("element", blank),
                ("metadata", null),
            ]),
        ),
        (
            "interactions",
            JSON,
            "{}",
            messages(&[("session_id", required), ("event_type", required), ("element", required)]),
        ),
        (
            "interactions",
            FORM,
            "event_type=",
            messages(&[("session_id", required), ("event_type", "\"\" is not a valid choice."), ("element", required)]),
        ),
        (
            "pageviews",
            JSON,
            r#"{"session_id":null,"url":5}"#,
            messages(&[("url", "Enter a valid URL."), ("session_id", null)]),
        ),
        (
            "sessions",
            JSON,
            r#"{"user_id":{},"end_time":null,"ip_address":"x","user_agent":[],"session_id":null}"#,
            messages(&[
                ("session_id", null),
                ("user_agent", "Not a valid string."),
                ("ip_address", "Enter a valid IPv4 or IPv6 address."),
                ("user_id", "Not a valid string."),
            ]),
        ),
    ] {
        let answer = site.post(resource, content_type, body);
        assert_eq!((answer.status, answer.text()), (400, told), "{resource} {body}");
    }
}

fn printed(site: &Site) {
    for (given, shown) in [
        ("[ ]", "[]"),
        (r#"[1,2.0,null,true,"a"]"#, "[1, 2.0, None, True, 'a']"),
        (r#"{"a":{"b":[1]},"c":"it's"}"#, r#"{'a': {'b': [1]}, 'c': "it's"}"#),
        (r#"{"a":1,"b":2,"a":3}"#, "{'a': 3, 'b': 2}"),
        (r#"["\u0000\u007f\u00a0\u200b\ud83d\ude00"]"#, "['\\x00\\x7f\\xa0\\u200b😀']"),
        (r#"["'\"", "\\", "\t\r\n"]"#, r#"['\'"', '\\', '\t\r\n']"#),
        ("[[[[]]]]", "[[[[]]]]"),
        ("[{}]", "[{}]"),
        ("[1e400, -1e400, 1e16, 1E-7]", "[inf, -inf, 1e+16, 1e-07]"),
        ("false", "False"),
        ("-0.0", "-0.0"),
    ] {
        let body = format!(r#"{{"session_id":"s","element":"b","event_type":{given}}}"#);
        let told = json!({"event_type": [format!("\"{shown}\" is not a valid choice.")]});
        site.refuse("interactions", JSON, body, 400, &told);
    }
    let told = json!({"event_type": ["Surrogate characters are not allowed: U+D800."]});
    site.refuse("interactions", JSON, r#"{"session_id":"s","element":"b","event_type":"\ud800"}"#, 400, &told);
}
