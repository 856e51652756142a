//! Throttle: contract § 7.

use crate::common::{SECRET, Service, database, token};

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
