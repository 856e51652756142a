//! Throttle: contract § 7.

use crate::{
    common::{SECRET, Service, database, run, token},
    resources::started,
};
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use service::access::{Keys, Purpose, Role};

const JSON: &str = "content-type: application/json\r\n";

#[test]
fn one_budget_for_all_resources_and_methods_of_one_client() {
    let database = database();
    let up = Service::up(&database, &["--throttle-base", "6/day", "--throttle-staff", "8/day"]);
    for (method, path, headers, body, status, left) in [
        ("GET", "/sessions/", "", "", 200, 5),
        ("POST", "/pageviews/", JSON, "{}", 400, 4),
        ("POST", "/interactions/", JSON, r#"{"session_id":"s","event_type":"click","element":"a"}"#, 202, 3),
        ("GET", "/pageviews/1/", "", "", 404, 2),
        ("PUT", "/sessions/", "", "", 405, 1),
        ("OPTIONS", "/interactions/", "", "", 200, 0),
    ] {
        let answer = up.ask(method, path, headers, body);
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("ratelimit"), format!("\"base\";r={left};t=14400"), "{method} {path}");
        assert_eq!(answer.header("ratelimit-policy"), "\"base\";q=6;w=86400");
    }
    // not the method, not the path, not the body: the budget comes before them
    for (method, path) in [("GET", "/sessions/"), ("POST", "/pageviews/"), ("PUT", "/sessions/"), ("POST", "/batch/")] {
        let refused = up.ask(method, path, JSON, "{");
        assert_eq!(refused.status, 429, "{method} {path}");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((14_390..=14_400).contains(&wait), "{wait}");
        let detail = format!("Request was throttled. Expected available in {wait} seconds.");
        assert_eq!(refused.json(), serde_json::json!({ "detail": detail }));
        assert_eq!(refused.header("ratelimit"), format!("\"base\";r=0;t={wait}"));
    }
    // what cannot be answered in JSON is told before, on both services' paths
    for (method, path) in [("GET", "/sessions/"), ("POST", "/pageviews/"), ("GET", "/interactions/1/")] {
        let refused = up.ask(method, path, "accept: text/html\r\n", "");
        assert_eq!((refused.status, refused.header("ratelimit")), (406, ""), "{method} {path}");
    }
    // no other way to write a path gets around
    for path in ["/%73essions/", "//sessions/", "/sessions//", "/x/../sessions/", "/SESSIONS/"] {
        assert_eq!(up.get(path).status, 404, "{path}");
    }
    // others are not concerned: pages, the root, and who has a name
    for (path, status) in [("/", 200), ("/report/", 403), ("/status/", 200), ("/sign-in/", 200), ("/nowhere/", 404)] {
        assert_eq!(up.get(path).status, status, "{path}");
    }
    let burst = |headers: &str| (0..20).take_while(|_| up.ask("GET", "/sessions/", headers, "").status == 200).count();
    assert_eq!(burst(&token("ann", "user", SECRET)), 6);
    assert_eq!(burst(&token("ann", "user", SECRET)), 0, "another token of the same name");
    let staff = token("bob", "staff", SECRET);
    assert_eq!(burst(&staff), 8);
    assert_eq!(up.ask("GET", "/report/data/", &staff, "").status, 200);
}

#[test]
fn a_batch_is_one_request_whatever_it_holds_and_becomes_of_it() {
    let database = database();
    let up = Service::up(&database, &["--throttle-base", "5/day"]);
    let batch = |events: &Value| up.ask("POST", "/batch/", JSON, &json!({ "events": events }).to_string());
    let (good, bad) = (json!({"type": "session_end", "session_id": "s"}), json!({"type": "x"}));
    for (events, status, left) in [
        (json!(vec![&good; 100]), 202, 4),
        (json!(vec![&bad; 100]), 400, 3),
        (json!([good, bad]), 207, 2),
        (json!([]), 202, 1),
        (json!({}), 400, 0),
    ] {
        let answer = batch(&events);
        assert_eq!((answer.status, answer.header("ratelimit")), (status, &*format!("\"base\";r={left};t=17280")));
    }
    let refused = batch(&json!([good]));
    assert_eq!(refused.status, 429);
    let wait = refused.header("retry-after");
    let detail = format!("Request was throttled. Expected available in {wait} seconds.");
    assert_eq!(refused.json(), json!({ "detail": detail }), "no result of any event: none was looked at");
    assert_eq!(up.get("/sessions/").status, 429, "it is the budget of the resources");
}

#[test]
fn services_that_run_apart_keep_a_budget_each_and_know_a_cookie_without_a_database() {
    let database = database();
    let rate = [("THROTTLE_BASE", "2/day"), ("SESSIONS_WRITE_ACCESS", "user")];
    let [ingest, query_api] = ["ingest", "query-api"].map(|name| started(name, &database, &rate));
    let read = || query_api.get("/sessions/").status;
    let write = || ingest.ask("POST", "/pageviews/", JSON, "{}").status;
    assert_eq!([write(), write(), write()], [400, 400, 429]);
    assert_eq!([read(), read(), read()], [200, 200, 429]);
    // the cookie is a signed token
    let keys = Keys::new(SECRET.as_bytes()).unwrap();
    let cookie = keys.issue(Purpose::Cookie, "ann", Role::User, Utc::now(), TimeDelta::hours(12));
    let headers = format!("{JSON}cookie: footfall_session={cookie}\r\n");
    let asked = |headers: &str| ingest.ask("POST", "/sessions/", headers, "{}").status;
    assert_eq!((asked(JSON), asked(&headers)), (401, 400));
}

#[test]
fn authentication_comes_first_then_access_then_the_throttle_then_the_method() {
    let database = database();
    let up = Service::up(
        &database,
        &["--throttle-base", "2/day", "--throttle-staff", "off", "--read-access", "staff", "--write-access", "user"],
    );
    let (user, staff) = (token("ann", "user", SECRET), token("bob", "staff", SECRET));
    for _ in 0..5 {
        assert_eq!(up.ask("GET", "/sessions/", "authorization: Bearer wrong\r\n", "").status, 401);
        let refused = up.get("/sessions/");
        assert_eq!((refused.status, refused.header("ratelimit")), (401, ""), "who may not does not spend");
        assert_eq!(up.ask("GET", "/sessions/", &user, "").status, 403);
    }
    assert_eq!(up.ask("POST", "/pageviews/", &format!("{user}{JSON}"), "{}").status, 400);
    assert_eq!(up.ask("POST", "/pageviews/", &format!("{user}{JSON}"), "{}").status, 400);
    assert_eq!(up.ask("POST", "/pageviews/", &format!("{user}{JSON}"), "{}").status, 429);
    assert_eq!(up.ask("DELETE", "/pageviews/", &staff, "").status, 405);
}

#[test]
fn a_resource_can_be_free_and_the_address_comes_from_trusted_hops_alone() {
    let database = database();
    let arguments = ["--throttle-base", "2/day", "--sessions-throttle", "false", "--trusted-proxies", "127.0.0.1"];
    let up = Service::up(&database, &arguments);
    let from = |hops: &str, path: &str| {
        let headers = format!("x-forwarded-for: {hops}\r\n");
        (0..5).take_while(|_| up.ask("GET", path, &headers, "").status == 200).count()
    };
    assert_eq!(from("192.0.2.1", "/sessions/"), 5);
    assert_eq!(from("192.0.2.1", "/pageviews/"), 2);
    assert_eq!(from("192.0.2.1, 192.0.2.2", "/pageviews/"), 2, "the right-most hop that is not trusted");
    assert_eq!(from("10.9.8.7, 192.0.2.2", "/pageviews/"), 0, "what the client claims is not believed");
    assert_eq!(from("2001:db8::1", "/interactions/"), 2);
    assert_eq!(from("2001:db8::2:3:4:5", "/interactions/"), 0, "a /64 is one client");
    drop(up);

    let direct = Service::up(&database, &["--throttle-base", "2/day"]);
    let spoofed = |n: u8| direct.ask("GET", "/sessions/", &format!("x-forwarded-for: 192.0.2.{n}\r\n"), "").status;
    assert_eq!([spoofed(1), spoofed(2), spoofed(3)], [200, 200, 429], "no proxy is trusted by default");
}

#[test]
fn a_pixel_goes_by_the_settings_of_what_it_records() {
    let database = database();
    let pixel = |up: &Service, query: &str| up.get(&format!("/pixel.gif?session_id=s&{query}")).status;
    let (view, interaction) = ("url=http://a.example/", "event_type=click&element=b");
    let up = Service::up(&database, &["--throttle-base", "3/hour", "--pageviews-throttle", "false"]);
    let statuses: Vec<u16> = (0..4).map(|_| pixel(&up, interaction)).collect();
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(pixel(&up, view), 200);
    // what the gate passes over takes nothing either
    let empty = up.ask("POST", "/sessions//end/", "content-type: application/json\r\n", "{}");
    assert_eq!((empty.status, empty.body.as_str()), (404, r#"{"detail":"Not found."}"#));
    drop(up);
    let up = Service::up(&database, &["--pageviews-write-access", "staff"]);
    assert_eq!((pixel(&up, view), pixel(&up, interaction)), (401, 200));
    assert_eq!(pixel(&up, "%65vent_type=click&element=b"), 200, "a name is read like any other");
}

#[test]
fn tokens_without_a_name_do_not_share_a_budget_and_two_at_once_are_none() {
    let database = database();
    let up = Service::up(&database, &["--throttle-staff", "2/hour"]);
    let issue = || {
        let issued = run(&["token", "issue", "--role", "staff", "--secret-key", SECRET]);
        format!("authorization: Bearer {}\r\n", String::from_utf8(issued.stdout).unwrap().trim())
    };
    let (one, other) = (issue(), issue());
    let ask = |token: &str| up.ask("GET", "/sessions/", token, "").status;
    assert_eq!([ask(&one), ask(&one), ask(&one), ask(&other)], [200, 200, 429, 200]);
    let both = up.ask("GET", "/sessions/", &format!("{one}{other}"), "");
    assert_eq!((both.status, both.body.as_str()), (401, r#"{"detail":"Invalid token."}"#));
}
