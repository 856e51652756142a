//! § 11: what `--help` shows of every setting.

use crate::common::run;
use std::collections::BTreeMap;

/// The settings that the contract names, the services that read each, and its default; those for one resource alone
/// follow the global one.
const SETTINGS: &[(&str, &str, Option<&str>)] = &[
    ("LISTEN", "up ingest query-api", Some("127.0.0.1:8080")),
    ("OPS_LISTEN", "up ingest projector query-api", Some("127.0.0.1:9090")),
    ("BASE_PATH", "up ingest query-api", Some("\"\"")),
    ("DATABASE_URL", "up projector query-api", None),
    ("KAFKA_BROKERS", "up ingest projector query-api", None),
    ("KAFKA_TOPIC", "up ingest projector query-api", Some("footfall.events")),
    ("KAFKA_PROPERTIES", "up ingest projector query-api", Some("\"\"")),
    ("DATA_DIR", "up", None),
    ("SECRET_KEY", "up ingest query-api", None),
    ("SECRET_KEY_FILE", "up ingest query-api", None),
    ("TIME_ZONE", "up ingest projector query-api", Some("UTC")),
    ("TRUSTED_PROXIES", "up ingest query-api", None),
    ("ALLOWED_ORIGINS", "up ingest query-api", None),
    ("THROTTLE_BASE", "up ingest query-api", Some("30/minute")),
    ("THROTTLE_STAFF", "up ingest query-api", Some("100/minute")),
    ("REPORT_ACCESS", "up query-api", Some("staff")),
    ("ACCEPTED_AGE_DAYS", "up ingest", Some("30")),
    ("DEDUPLICATION_DAYS", "up projector", Some("7")),
    ("ADMIN", "up query-api", Some("true")),
    ("ADMIN_ALLOW_ADD", "up query-api", Some("true")),
    ("ADMIN_ALLOW_CHANGE", "up query-api", Some("true")),
    ("ADMIN_ALLOW_DELETE", "up query-api", Some("true")),
    ("ADMIN_SITE_TITLE", "up query-api", Some("\"Footfall admin\"")),
    ("ADMIN_SITE_HEADER", "up query-api", Some("Footfall")),
    ("ADMIN_INDEX_TITLE", "up query-api", Some("Administration")),
    ("ADMIN_PAGE_SIZE", "up query-api", Some("10")),
    ("SESSIONS_ORDERING_FIELDS", "up query-api", Some("start_time,end_time")),
    ("PAGEVIEWS_ORDERING_FIELDS", "up query-api", Some("timestamp")),
    ("INTERACTIONS_ORDERING_FIELDS", "up query-api", Some("timestamp")),
    ("SESSIONS_SEARCH_FIELDS", "up query-api", Some("session_id,user_agent,ip_address")),
    ("PAGEVIEWS_SEARCH_FIELDS", "up query-api", Some("url,session_id")),
    ("INTERACTIONS_SEARCH_FIELDS", "up query-api", Some("session_id,element")),
    ("SESSIONS_FIELDS", "up query-api", Some("id,session_id,user_agent,ip_address,start_time,end_time,user_id")),
    ("PAGEVIEWS_FIELDS", "up query-api", Some("id,url,timestamp,session")),
    ("INTERACTIONS_FIELDS", "up query-api", Some("id,session,event_type,element,metadata,timestamp")),
];

/// The same of those that there are for all resources and for each.
const OF_RESOURCES: &[(&str, &str, &str)] = &[
    ("READ_ACCESS", "up query-api", "anyone"),
    ("WRITE_ACCESS", "up ingest", "anyone"),
    ("ALLOW_LIST", "up query-api", "true"),
    ("ALLOW_RETRIEVE", "up query-api", "true"),
    ("ALLOW_CREATE", "up ingest", "true"),
    ("FILTERS", "up query-api", "true"),
    ("PAGE_SIZE_DEFAULT", "up query-api", "10"),
    ("PAGE_SIZE_MIN", "up query-api", "1"),
    ("PAGE_SIZE_MAX", "up query-api", "100"),
    ("PARSERS", "up ingest", "json,multipart,form"),
    ("THROTTLE", "up ingest query-api", "true"),
];

/// What a service's help says: flag and default by the name of the variable.
fn help(service: &str) -> BTreeMap<String, (String, Option<String>)> {
    let output = run(&[service, "--help"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut settings = BTreeMap::new();
    let mut flag = "";
    let mut name = None;
    for line in text.lines() {
        // what is said of a flag stands further in
        let is_flag = line.find('-').is_some_and(|at| at < 8 && line[..at].trim().is_empty());
        let line = line.trim();
        if is_flag {
            flag = line.split("--").nth(1).unwrap_or_default().split([' ', '=']).next().unwrap();
            name = None;
        } else if let Some(variable) = line.strip_prefix("[env: ") {
            let variable = variable.trim_end_matches(']').trim_end_matches('=').to_owned();
            settings.insert(variable.clone(), (flag.to_owned(), None));
            name = Some(variable);
        } else if let (Some(default), Some(name)) = (line.strip_prefix("[default: "), &name) {
            settings.insert(name.clone(), (flag.to_owned(), Some(default.trim_end_matches(']').to_owned())));
        }
    }
    settings
}

#[test]
fn help_shows_every_setting_of_the_contract_with_its_default_and_no_other_service_has_it() {
    let mut expected: Vec<(String, &str, Option<&str>)> =
        SETTINGS.iter().map(|(name, services, default)| ((*name).to_owned(), *services, *default)).collect();
    for (name, services, default) in OF_RESOURCES {
        expected.push(((*name).to_owned(), services, Some(default)));
        for resource in ["SESSIONS", "PAGEVIEWS", "INTERACTIONS"] {
            // without one the global one holds
            expected.push((format!("{resource}_{name}"), services, None));
        }
    }
    for service in ["up", "ingest", "projector", "query-api"] {
        let shown = help(service);
        for (name, services, default) in &expected {
            let found = shown.get(&format!("FOOTFALL_{name}")).map(|(_, default)| default.as_deref());
            let reads = services.split(' ').any(|reads| reads == service);
            assert_eq!(found, reads.then_some(*default), "{service}: {name}");
        }
        for (variable, (flag, _)) in shown {
            let named = variable.strip_prefix("FOOTFALL_").unwrap().to_lowercase().replace('_', "-");
            assert_eq!(flag, named, "{service}: the flag is called as the variable");
        }
    }
}
