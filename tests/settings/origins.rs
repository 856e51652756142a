//! Pages of other origins: contract § 12, CORS and preflight, and § 8, whose cookies count.

use crate::common::{Answer, SECRET, Service, add_account, database, footfall};
use chrono::{TimeDelta, Utc};
use service::access::{Keys, Purpose, Role};
use test_support::{kafka_brokers, unique_name};

const SHOP: &str = "https://shop.example";

fn preflight(service: &Service, origin: &str, path: &str) -> Answer {
    let headers = format!(
        "origin: {origin}\r\naccess-control-request-method: POST\r\naccess-control-request-headers: content-type,x-csrftoken\r\n"
    );
    service.ask("OPTIONS", path, &headers, "")
}

#[test]
fn a_preflight_is_answered_alike_by_both_services() {
    let (database, brokers, topic) = (database(), kafka_brokers(), unique_name("origins"));
    let command = |arguments: &[&str]| {
        let mut command = footfall(arguments);
        command.env("FOOTFALL_DATABASE_URL", database.url()).env("FOOTFALL_KAFKA_BROKERS", &brokers);
        command
            .env("FOOTFALL_KAFKA_TOPIC", &topic)
            .env("FOOTFALL_PARTITIONS", "1")
            .env("FOOTFALL_ALLOWED_ORIGINS", "https://SHOP.example/,http://b.example:81");
        command
    };
    assert!(command(&["migrate"]).output().unwrap().status.success());
    let services = ["ingest", "query-api"].map(|name| Service::start(command(&[name, "--throttle-base", "1/day"])));
    for path in ["/sessions/", "/pageviews/", "/interactions/", "/batch/"] {
        let [one, other] = services.each_ref().map(|service| {
            let mut answer = preflight(service, SHOP, path);
            answer.headers.remove("date");
            (answer.status, answer.headers)
        });
        assert_eq!(one, other, "{path}");
        let header = |name: &str| one.1.get(name).map_or("", String::as_str);
        assert_eq!(one.0, 200);
        assert_eq!(header("access-control-allow-origin"), SHOP);
        assert_eq!(header("access-control-allow-credentials"), "true");
        assert_eq!(header("access-control-allow-methods"), "GET,POST,HEAD,OPTIONS");
        assert_eq!(header("access-control-allow-headers"), "content-type,x-csrftoken");
        assert_eq!(header("access-control-max-age"), "3600");
        assert!(header("vary").contains("origin"), "{one:?}");
        assert_eq!(header("allow"), if path == "/batch/" { "POST, OPTIONS" } else { "GET, POST, HEAD, OPTIONS" });
    }
    for service in &services {
        let refused = preflight(service, "https://evil.example", "/sessions/");
        assert_eq!(refused.header("access-control-allow-origin"), "", "{refused:?}");
        // preflights were free; and a page can read that it is throttled
        let from_shop = || service.ask("PUT", "/sessions/", &format!("origin: {SHOP}\r\n"), "");
        assert_eq!(from_shop().status, 405);
        let throttled = from_shop();
        assert_eq!((throttled.status, throttled.header("access-control-allow-origin")), (429, SHOP));
        assert!(throttled.header("access-control-expose-headers").contains("retry-after"), "{throttled:?}");
    }
}

#[test]
fn a_cookie_counts_from_this_site_and_from_named_origins_alone() {
    let database = database();
    let up = Service::up(&database, &["--allowed-origins", "https://shop.example,*", "--read-access", "staff"]);
    add_account(&database.url(), "ann", "correct horse");
    let keys = Keys::new(SECRET.as_bytes()).unwrap();
    let cookie = keys.issue(Purpose::Cookie, "ann", Role::Staff, Utc::now(), TimeDelta::hours(12));
    let (own, other_scheme) = (format!("http://{}", up.address), format!("ftp://{}", up.address));
    for (origin, status, allowed) in [
        ("", 200, "*"),
        (own.as_str(), 200, "*"),
        (SHOP, 200, SHOP),
        ("https://evil.example", 401, "*"),
        ("null", 401, "*"),
        (&other_scheme, 401, "*"),
    ] {
        let origin_line = if origin.is_empty() { String::new() } else { format!("origin: {origin}\r\n") };
        let headers = format!("cookie: footfall_session={cookie}\r\n{origin_line}");
        let answer = up.ask("GET", "/sessions/", &headers, "");
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (status, allowed), "{origin}");
        let credentials = if origin == SHOP { "true" } else { "" };
        assert_eq!(answer.header("access-control-allow-credentials"), credentials, "{origin}");
        assert!(answer.header("vary").contains("origin"), "what is for one page is not for another: {answer:?}");
    }
    // whoever adds an origin of his own to one that is named
    let two = format!("cookie: footfall_session={cookie}\r\norigin: {SHOP}\r\norigin: https://evil.example\r\n");
    assert_eq!(up.ask("GET", "/sessions/", &two, "").status, 401);
    let own = format!("cookie: footfall_session={cookie}\r\norigin: {own}\r\norigin: https://evil.example\r\n");
    assert_eq!(up.ask("GET", "/sessions/", &own, "").status, 401);
    // a page reads how its event is kept, and goes along with the redirect of a missing slash
    let event = r#"{"session_id": "s", "url": "https://shop.example/"}"#;
    let from_shop = format!("origin: {SHOP}\r\ncontent-type: application/json\r\n");
    let taken = up.ask("POST", "/pageviews/", &from_shop, event);
    assert_eq!((taken.status, taken.header("footfall-stored")), (202, "postgresql"));
    let exposed = taken.header("access-control-expose-headers");
    assert!(exposed.contains("footfall-stored") && exposed.contains("footfall-position"), "{exposed}");
    let moved = up.ask("POST", "/pageviews", &from_shop, event);
    assert_eq!((moved.status, moved.header("access-control-allow-origin")), (308, SHOP));
    assert_eq!(preflight(&up, SHOP, "/pageviews").status, 200);
    // a page of ours is no business of others
    let report = up.ask("GET", "/report/", &format!("origin: {SHOP}\r\n"), "");
    assert_eq!(report.header("access-control-allow-origin"), "");
}

#[test]
fn an_origin_is_allowed_by_its_name_in_whatever_case_the_setting_has_it_and_null_by_none() {
    let database = database();
    let up = |origins: &str| Service::up(&database, &["--allowed-origins", origins]);
    let allowed = |up: &Service, origin: &str| {
        let asked = up.ask("GET", "/sessions/", &format!("origin: {origin}\r\n"), "");
        let preflight = preflight(up, origin, "/batch/");
        assert_eq!((asked.status, preflight.status), (200, 200), "{origin}");
        let told = |answer: &Answer| {
            let header = |name: &str| answer.header(&format!("access-control-allow-{name}")).to_owned();
            // without an origin whatever else is said is for nobody
            match header("origin") {
                none if none.is_empty() => none,
                origin => format!("{origin} {}", header("credentials")).trim().to_owned(),
            }
        };
        assert_eq!(told(&asked), told(&preflight), "{origin}");
        told(&asked)
    };
    let named = up("HTTPS://Shop.Example:443/,http://b.example:81");
    assert_eq!(allowed(&named, SHOP), format!("{SHOP} true"));
    assert_eq!(allowed(&named, "http://b.example:81"), "http://b.example:81 true");
    // no page sends these; what comes is compared to the letter
    for other in ["https://SHOP.example", "https://shop.example:443", "https://shop.example/", "http://shop.example"] {
        assert_eq!(allowed(&named, other), "", "{other}");
    }
    // of a file, or of a frame that may nothing
    assert_eq!(allowed(&named, "null"), "");
    drop(named);
    let any = up("*");
    assert_eq!([allowed(&any, "null"), allowed(&any, SHOP)], ["*", "*"]);
    drop(any);
    let both = up("*,https://shop.example");
    assert_eq!([allowed(&both, "null"), allowed(&both, SHOP)], ["*".to_owned(), format!("{SHOP} true")]);
}
