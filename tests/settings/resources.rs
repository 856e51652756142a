//! § 11, the settings that hold for all resources or for one: on `up`, on ingest alone and on query-api alone.

use crate::common::{Answer, SECRET, Service, database, footfall, token};
use serde_json::json;
use std::process::Command;
use test_support::{TestDatabase, kafka_brokers, unique_name};

const JSON: &str = "content-type: application/json\r\n";
const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// As a service reads them; the name of each without `FOOTFALL_`.
type Variables = [(&'static str, &'static str)];

/// `footfall up`, or a service alone on Kafka.
pub fn started(name: &str, database: &TestDatabase, variables: &Variables) -> Service {
    let topic = unique_name("resources");
    let command = |argument: &str| {
        let mut command = footfall(&[argument]);
        command.env("FOOTFALL_DATABASE_URL", database.url());
        if name != "up" {
            command.env("FOOTFALL_KAFKA_BROKERS", kafka_brokers()).env("FOOTFALL_KAFKA_TOPIC", &topic);
            command.env("FOOTFALL_PARTITIONS", "1");
        }
        command
    };
    if name != "up" {
        assert!(command("migrate").output().unwrap().status.success());
    }
    let mut service: Command = command(name);
    service.envs(variables.iter().map(|(name, value)| (format!("FOOTFALL_{name}"), value)));
    let mut service = Service::start(service);
    if name == "ingest" {
        // until then it answers 503
        service.says(|line| (line.contains("\"ready\"") && line.contains("event log")).then_some(()));
    }
    service
}

const WRITING: &Variables = &[
    ("BASE_PATH", "/below"),
    ("ALLOW_CREATE", "false"),
    ("PAGEVIEWS_ALLOW_CREATE", "true"),
    ("SESSIONS_ALLOW_CREATE", "true"),
    ("PARSERS", "json"),
    ("PAGEVIEWS_PARSERS", "form,multipart"),
    ("SESSIONS_WRITE_ACCESS", "user"),
    ("ACCEPTED_AGE_DAYS", "2"),
    ("TIME_ZONE", "Europe/Berlin"),
    ("THROTTLE_BASE", "3/day"),
    ("THROTTLE_STAFF", "off"),
    ("PAGEVIEWS_THROTTLE", "false"),
];

#[test]
fn what_may_be_written_how_and_by_whom_is_set_for_all_or_for_one() {
    for name in ["up", "ingest"] {
        let database = database();
        let service = started(name, &database, WRITING);
        let user = token("ann", "user", SECRET);
        let post = |path: &str, headers: &str, body: &str| service.ask("POST", path, headers, body);
        let told = |answer: &Answer| answer.json()["detail"].as_str().unwrap_or_default().to_owned();

        let page_view = "session_id=s&url=http://a.example/";
        assert_eq!(post("/below/pageviews/", FORM, page_view).status, 202, "{name}: the page views' own parsers");
        let refused = post("/below/pageviews/", JSON, "{}");
        assert_eq!(told(&refused), "Unsupported media type \"application/json\" in request.", "{name}");
        assert_eq!(post("/pageviews/", FORM, page_view).status, 404, "{name}: everything is below the base path");

        // three a day, whatever becomes of them; page views are free
        let off = post("/below/interactions/", JSON, "{}");
        let disabled =
            "The method \"POST\" is currently disabled for this endpoint. It can be changed in the settings.";
        assert_eq!((off.status, told(&off).as_str()), (405, disabled), "{name}: creating is off for all");
        assert_eq!(off.header("ratelimit-policy"), "\"base\";q=3;w=86400", "{name}");
        assert_eq!(post("/below/sessions/", JSON, "{}").status, 401, "{name}: sessions are for users");
        let session = r#"{"session_id":"s","user_agent":"u","ip_address":"::1","end_time":"2025-07-01T12:00"}"#;
        let taken = post("/below/sessions/", &format!("{user}{JSON}"), session);
        assert_eq!((taken.status, &taken.json()["end_time"]), (202, &json!("2025-07-01T12:00:00+02:00")), "{name}");
        assert_eq!(post("/below/sessions/", &format!("{user}{FORM}"), "x=1").status, 415, "{name}: JSON alone");
        assert_eq!(post("/below/sessions/", &format!("{user}{JSON}"), "{}").status, 400, "{name}");
        assert_eq!(post("/below/sessions/", &format!("{user}{JSON}"), "{}").status, 429, "{name}: the fourth");
        assert_eq!(post("/below/pageviews/", FORM, page_view).status, 202, "{name}: page views are not throttled");
        let staff = token("bob", "staff", SECRET);
        let all = (0..5).all(|_| post("/below/sessions/", &format!("{staff}{JSON}"), "{}").status == 400);
        assert!(all, "{name}: staff is not throttled");

        for (days, source) in [(1, "client"), (3, "server")] {
            let at = (chrono::Utc::now() - chrono::TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%SZ");
            let taken = post("/below/pageviews/", FORM, &format!("{page_view}&timestamp={at}"));
            assert_eq!((taken.status, &taken.json()["time_source"]), (202, &json!(source)), "{name} {days} days");
        }
    }
}

const READING: &Variables = &[
    ("BASE_PATH", "/below"),
    ("ALLOW_LIST", "false"),
    ("SESSIONS_ALLOW_LIST", "true"),
    ("INTERACTIONS_ALLOW_LIST", "true"),
    ("ALLOW_RETRIEVE", "true"),
    ("INTERACTIONS_ALLOW_RETRIEVE", "false"),
    ("READ_ACCESS", "anyone"),
    ("PAGEVIEWS_READ_ACCESS", "staff"),
    ("REPORT_ACCESS", "anyone"),
    ("FILTERS", "false"),
    ("INTERACTIONS_FILTERS", "true"),
    ("PAGE_SIZE_DEFAULT", "7"),
    ("PAGE_SIZE_MIN", "3"),
    ("PAGE_SIZE_MAX", "20"),
    ("INTERACTIONS_PAGE_SIZE_DEFAULT", "2"),
    ("INTERACTIONS_PAGE_SIZE_MIN", "1"),
    ("INTERACTIONS_PAGE_SIZE_MAX", "4"),
    ("THROTTLE", "false"),
    ("INTERACTIONS_THROTTLE", "true"),
    ("THROTTLE_BASE", "9/day"),
];

#[test]
fn what_may_be_read_and_by_whom_is_set_for_all_or_for_one() {
    for name in ["up", "query-api"] {
        let database = database();
        let service = started(name, &database, READING);
        let staff = token("bob", "staff", SECRET);
        let disabled = "The method \"GET\" is currently disabled for this endpoint. It can be changed in the settings.";
        for (path, headers, status, detail) in [
            ("/below/sessions/", "", 200, ""),
            ("/below/sessions/0/", "", 404, "No UserSession matches the given query."),
            ("/below/interactions/0/", "", 405, disabled),
            ("/below/pageviews/0/", "", 401, "Authentication credentials were not provided."),
            ("/below/pageviews/0/", staff.as_str(), 404, "No PageView matches the given query."),
            ("/below/pageviews/", staff.as_str(), 405, disabled),
            ("/below/report/data/", "", 200, ""),
            ("/sessions/", "", 404, "Not found."),
            // filters are off but for interactions: what is wrong with one is not looked at
            ("/below/sessions/?id=x&end_time=x", "", 200, ""),
            ("/below/sessions/?search=x", "", 200, ""),
        ] {
            let answer = service.ask("GET", path, headers, "");
            let told = answer.json()["detail"].as_str().unwrap_or_default().to_owned();
            assert_eq!((answer.status, told.as_str()), (status, detail), "{name} {path}");
        }
        let wrong = service.get("/below/interactions/?id=x");
        assert_eq!((wrong.status, wrong.json()), (400, json!({"id": ["Enter a number."]})), "{name}");

        // the link to the page before tells the size that was taken
        for (resource, asked, taken) in [
            ("sessions", "", 7),
            ("sessions", "limit=2&", 7),
            ("sessions", "limit=3&", 3),
            ("sessions", "limit=21&", 20),
            ("interactions", "", 2),
            ("interactions", "limit=1&", 1),
            ("interactions", "limit=5&", 4),
        ] {
            let list = service.get(&format!("/below/{resource}/?{asked}offset=90")).json();
            let before = format!("http://{}/below/{resource}/?limit={taken}&offset={}", service.address, 90 - taken);
            assert_eq!(list["previous"], before, "{name} {resource} {asked}");
        }
        // nine of interactions have been spent: five above and these; sessions are free
        let left = (0..20).take_while(|_| service.get("/below/interactions/").status == 200).count();
        assert_eq!(left, 4, "{name}");
        assert!((0..20).all(|_| service.get("/below/sessions/").status == 200), "{name}");
    }
}

#[test]
fn a_wrong_value_stops_each_service_and_is_told_with_its_name() {
    for (service, variable, value) in [
        ("ingest", "ALLOW_CREATE", "maybe"),
        ("ingest", "INTERACTIONS_ALLOW_CREATE", "sometimes"),
        ("ingest", "PARSERS", "xml"),
        ("ingest", "SESSIONS_PARSERS", "json,yaml"),
        ("ingest", "WRITE_ACCESS", "everyone"),
        ("ingest", "PAGEVIEWS_WRITE_ACCESS", "Staff "),
        ("ingest", "ACCEPTED_AGE_DAYS", "-1"),
        ("ingest", "TIME_ZONE", "Europe/Atlantis"),
        ("ingest", "BASE_PATH", "below"),
        ("query-api", "READ_ACCESS", "nobody"),
        ("query-api", "REPORT_ACCESS", "admin"),
        ("query-api", "SESSIONS_PAGE_SIZE_MAX", "0"),
        ("query-api", "PAGE_SIZE_DEFAULT", "ten"),
        ("query-api", "INTERACTIONS_FILTERS", "2"),
        ("query-api", "PAGEVIEWS_ORDERING_FIELDS", "url"),
        ("query-api", "SESSIONS_SEARCH_FIELDS", "start_time"),
        ("query-api", "INTERACTIONS_FIELDS", "session_id"),
        ("query-api", "LISTEN", "8080"),
        ("projector", "DEDUPLICATION_DAYS", "x"),
        ("projector", "TIME_ZONE", "CET+1"),
        ("projector", "OPS_LISTEN", "nowhere"),
    ] {
        let output = footfall(&[service]).env(format!("FOOTFALL_{variable}"), value).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let flag = format!("--{}", variable.to_lowercase().replace('_', "-"));
        assert_eq!(output.status.code(), Some(2), "{service} {variable}: {told}");
        assert!(told.contains(&flag) && told.lines().count() == 1, "{service} {variable}: {told}");
    }
}
