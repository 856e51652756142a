//! § 3: times, addresses and URLs.

use crate::{
    Case,
    site::{JSON, Site, session, with},
};
use serde_json::json;

pub const CASES: &[Case] = &[
    Case("3", "end_time takes every form of time that the contract names", times),
    Case("3", "end_time may precede start_time, lie in the past or in the future", whenever),
    Case("2", "times are shown with Z in UTC, and with six decimals or none", decimals),
    Case("3", "end_time refuses the forms that it names", no_times),
    Case("3", "addresses are canonicalised", addresses),
    Case("3", "what is no address is refused", no_addresses),
    Case("3", "URLs are stored as sent", urls),
    Case("3", "what is no URL is refused", no_urls),
];

/// Sent as `end_time`, and what is shown of it in UTC.
const TIMES: &[(&str, &str)] = &[
    ("2025-03-01T12:00:00Z", "2025-03-01T12:00:00Z"),
    ("2025-03-01 12:00:00Z", "2025-03-01T12:00:00Z"),
    ("2025-03-01T12:00:00+03:30", "2025-03-01T08:30:00Z"),
    ("2025-03-01T12:00:00-0330", "2025-03-01T15:30:00Z"),
    ("2025-03-01T12:00:00+03", "2025-03-01T09:00:00Z"),
    ("2025-03-01T12:00", "2025-03-01T12:00:00Z"),
    ("2025-03-01T12:00:00.5Z", "2025-03-01T12:00:00.500000Z"),
    ("2025-03-01T12:00:00.123456789Z", "2025-03-01T12:00:00.123456Z"),
    ("2025-03-01", "2025-03-01T00:00:00Z"),
    ("2025-3-1 4:05", "2025-03-01T04:05:00Z"),
    ("20250301T120000Z", "2025-03-01T12:00:00Z"),
    ("2025-W09-6", "2025-03-01T00:00:00Z"),
    ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
];

fn times(site: &Site) {
    for (given, shown) in TIMES {
        let id = site.session();
        site.accept_json("sessions", &with(session(&id), "end_time", json!(given)));
        assert_eq!(site.session_when(&id, |_| true)["end_time"], *shown, "{given}");
    }
}

fn whenever(site: &Site) {
    let now = chrono::Utc::now();
    for days in [-40_000, -31, -1, 1, 31, 40_000] {
        let (id, end) = (site.session(), now + chrono::TimeDelta::days(days));
        site.accept_json("sessions", &with(session(&id), "end_time", json!(end.to_rfc3339())));
        let found = site.session_when(&id, |_| true);
        let kept: chrono::DateTime<chrono::Utc> = found["end_time"].as_str().unwrap().parse().unwrap();
        assert_eq!(kept.timestamp_micros(), end.timestamp_micros(), "{found}");
    }
}

fn decimals(site: &Site) {
    for (given, shown) in [
        ("2025-03-01T12:00:00.000000Z", "2025-03-01T12:00:00Z"),
        ("2025-03-01T12:00:00.1Z", "2025-03-01T12:00:00.100000Z"),
        ("2025-03-01T12:00:00.000001+00:00", "2025-03-01T12:00:00.000001Z"),
    ] {
        let id = site.session();
        let taken = site.accept_json("sessions", &with(session(&id), "end_time", json!(given)));
        assert_eq!([&taken["end_time"], &site.session_when(&id, |_| true)["end_time"]], [shown; 2]);
        for time in ["start_time", "recorded_at"] {
            let time = taken[time].as_str().unwrap();
            assert!(time.ends_with('Z') && matches!(time.len(), 20 | 27), "{time}");
        }
    }
}

const WRONG_TIME: &str =
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

fn no_times(site: &Site) {
    for given in [
        json!("2025-03-01t12:00:00Z"),
        json!("2025-03-01T12:00:00z"),
        json!("2025-03-01T24:00:00Z"),
        json!(1_740_830_400),
        json!("1740830400"),
        json!(""),
        json!("yesterday"),
        json!(true),
        json!([]),
        json!("2025-02-30T00:00:00Z"),
        json!("2025-13-01"),
    ] {
        let body = with(session(&site.session()), "end_time", given);
        site.refuse("sessions", JSON, body.to_string(), 400, &json!({"end_time": [WRONG_TIME]}));
    }
}

fn addresses(site: &Site) {
    for (given, kept) in [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("2001:DB8:0:0::4", "2001:db8::4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:102:304", "1.2.3.4"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("fe80::1%eth0", "fe80::1"),
    ] {
        let id = site.session();
        site.accept_json("sessions", &with(session(&id), "ip_address", json!(given)));
        assert_eq!(site.session_when(&id, |_| true)["ip_address"], kept, "{given}");
    }
}

fn no_addresses(site: &Site) {
    for given in [
        json!("192.0.2.07"),
        json!("192.0.2.0/24"),
        json!("192.0.2.7:80"),
        json!("[::1]"),
        json!("192.0.2"),
        json!("256.0.0.1"),
        json!("example.org"),
        json!(":::"),
        json!("2001:db8::/32"),
        json!(5),
        json!(false),
        json!(["1.2.3.4"]),
        json!({"a": 1}),
    ] {
        let body = with(session(&site.session()), "ip_address", given);
        site.refuse(
            "sessions",
            JSON,
            body.to_string(),
            400,
            &json!({"ip_address": ["Enter a valid IPv4 or IPv6 address."]}),
        );
    }
}

fn urls(site: &Site) {
    let id = site.session();
    for url in [
        "http://a.example",
        "HTTPS://a.example/",
        "ftp://a.example/x",
        "ftps://a.example/x",
        "http://localhost/",
        "http://localhost:8000",
        "http://127.0.0.1:65535/",
        "http://[2001:db8::1]:80/x",
        "http://bücher.example/ü",
        "http://a.example./",
        "http://intranet/",
        "http://a_b.example/",
        "http://user:pass@a.example/",
        "http://a.example?query",
        "http://a.example#fragment",
        "http://a.example/<\"%zz\\",
        "http://xn--bcher-kva.example/",
    ] {
        let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": format!(" {url} ")}));
        assert_eq!(site.found("pageviews", &taken)["url"], url);
    }
}

fn no_urls(site: &Site) {
    let label = format!("http://{}.example/", "a".repeat(64));
    for url in [
        json!("a.example"),
        json!("/relative"),
        json!("//a.example/"),
        json!("javascript:alert(1)"),
        json!("mailto:a@a.example"),
        json!("http://"),
        json!("http:///x"),
        json!("http://-a.example/"),
        json!("http://a-.example/"),
        json!(label),
        json!("http://a.example/a b"),
        json!("http://a.example/a\nb"),
        json!("http://a.example:123456/"),
        json!("http://[::1/"),
        json!("http://256.0.0.1.1.example:x/"),
        json!(5),
        json!(true),
        json!([]),
    ] {
        let body = json!({"session_id": "s", "url": url});
        site.refuse("pageviews", JSON, body.to_string(), 400, &json!({"url": ["Enter a valid URL."]}));
    }
    let nul = json!({"session_id": "s", "url": "http://a.example/\0"});
    site.refuse("pageviews", JSON, nul.to_string(), 400, &json!({"url": ["Null characters are not allowed."]}));
}
