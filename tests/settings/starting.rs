//! What a service says when it starts, and `footfall config`.

use crate::common::{SECRET, Service, database, footfall, run};
use rustix::process::Signal;
use std::process::Command;

#[test]
fn beyond_loopback_what_is_open_is_said_and_nothing_else() {
    let database = database();
    let open = |arguments: &[&str]| {
        let up = Service::up(&database, arguments);
        let warnings = up.warnings();
        let lines: Vec<_> = warnings.lines().filter(|line| line.contains("is open to everybody")).collect();
        assert!(lines.len() <= 1, "{warnings}");
        lines.first().map_or(String::new(), |line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["message"].as_str().unwrap().split(" is open").next().unwrap().to_owned()
        })
    };
    assert_eq!(open(&[]), "", "on loopback nobody else can reach it");
    let beyond = ["--listen", "0.0.0.0:0"];
    assert_eq!(open(&beyond), "reading and writing");
    assert_eq!(open(&[&beyond[..], &["--read-access", "user"]].concat()), "writing");
    assert_eq!(open(&[&beyond[..], &["--write-access", "staff"]].concat()), "reading");
    assert_eq!(open(&[&beyond[..], &["--read-access", "staff", "--write-access", "user"]].concat()), "");
}

#[test]
fn a_misspelt_variable_is_told_with_the_nearest_name_and_stops_nothing() {
    let database = database();
    let mut command = footfall(&["up", "--database-url", &database.url()]);
    command.env("FOOTFALL_READ_ACESS", "hunter2").env("FOOTFALL_PROJECTOR_GROUP", "of another service");
    let mut up = Service::start(command);
    let told = up.says(|line| line.contains("FOOTFALL_READ_ACESS").then(|| line.to_owned()));
    assert!(told.contains("WARN") && told.contains("FOOTFALL_READ_ACCESS") && !told.contains("hunter2"), "{told}");
    assert!(!up.warnings().contains("FOOTFALL_PROJECTOR_GROUP"), "{}", up.warnings());
    assert_eq!(up.get("/sessions/").status, 200);
}

fn lines(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn config_shows_what_a_service_would_start_with() {
    let configured = |arguments: &[&str]| {
        let mut command = footfall(arguments);
        command.env("FOOTFALL_DATABASE_URL", "postgres://ann:hunter2@db/footfall").env("FOOTFALL_PAGE_SIZE_MAX", "50");
        lines(command)
    };
    let all = configured(&["config"]);
    assert_eq!(all, configured(&["config", "up"]), "`up` when none is named");
    for expected in [
        "FOOTFALL_DATABASE_URL=(hidden)  # environment variable",
        "FOOTFALL_PAGE_SIZE_MAX=50  # environment variable",
        "FOOTFALL_THROTTLE_BASE=30/minute  # default",
    ] {
        assert!(all.iter().any(|line| line == expected), "{expected} is not in {all:#?}");
    }
    let flagged = configured(&["config", "query-api", "--page-size-max", "20"]);
    assert!(flagged.contains(&"FOOTFALL_PAGE_SIZE_MAX=20  # flag --page-size-max".to_owned()), "{flagged:#?}");
    assert!(!flagged.iter().any(|line| line.starts_with("FOOTFALL_PARSERS") || line.contains("hunter2")));
    // what the service would refuse is refused here as well
    let refused = run(&["config", "query-api", "--page-size-min", "20"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && told.contains("--page-size-min"), "{told}");
}

#[test]
fn a_wrong_value_is_told_with_the_name_of_its_setting() {
    for (flag, value) in [
        ("--throttle-base", "30/fortnight"),
        ("--throttle-staff", "0/minute"),
        ("--throttle", "perhaps"),
        ("--sessions-throttle", ""),
        ("--allowed-origins", "shop.example"),
        ("--listen", "8080"),
        ("--ops-listen", "localhost:9090"),
        ("--kafka-topic", "my events"),
        ("--kafka-brokers", ":::"),
        ("--kafka-brokers", ":9092"),
        ("--kafka-brokers", "kafka-1:9092,,kafka-2:9092"),
        ("--kafka-brokers", "kafka:9092,"),
        ("--kafka-brokers", "http://kafka:9092"),
        ("--kafka-brokers", "kafka:9092/footfall"),
        ("--kafka-brokers", "kafka:0"),
        ("--kafka-brokers", "kafka:65536"),
        ("--kafka-brokers", "kafka 9092"),
        ("--kafka-brokers", "user@kafka:9092"),
        ("--kafka-brokers", "[::1"),
        ("--trusted-proxies", "localhost"),
    ] {
        let output = run(&["up", flag, value]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(flag) && told.lines().count() == 1, "{told}");
        assert!(!flag.ends_with("listen") || told.contains("for example 127.0.0.1:8080"), "{told}");
    }
}

#[test]
fn a_command_that_cannot_write_its_result_says_so_on_one_line_and_a_reader_may_stop() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let issue = ["token", "issue", "--role", "user", "--secret-key", SECRET];
    for arguments in [&issue[..], &["config"]] {
        let output = footfall(arguments).stdout(full()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.starts_with("footfall: cannot write to standard output") && told.lines().count() == 1, "{told}");

        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = footfall(arguments).stdout(writer).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && told.is_empty(), "{told}");
    }
}

#[test]
fn a_second_up_on_a_database_says_at_once_who_it_waits_for_and_comes_after_it() {
    let database = database();
    let url = database.url();
    let first = Service::up(&database, &[]);
    let mut second = Service::spawn(footfall(&["up", "--database-url", &url]));
    let told = second.says(|line| line.contains("waiting for another process").then(|| line.to_owned()));
    assert!(told.contains("footfall log appender") && told.contains("WARN"), "{told}");
    first.signal(Signal::TERM);
    assert_eq!(first.ended().0, Some(0));
    second.address = second.address_of("http");
    assert_eq!(second.get("/sessions/").status, 200);
}

#[test]
fn up_goes_on_when_nobody_can_read_its_greeting() {
    let database = database();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = footfall(&["up", "--database-url", &database.url()]);
    command.stdout(full);
    let mut up = Service::start_with_output(command);
    up.says(|line| line.contains("the greeting could not be shown").then_some(()));
    assert_eq!(up.get("/sessions/").status, 200);
}

#[test]
fn a_database_that_is_none_of_footfalls_is_told_with_the_way_out() {
    let database = database();
    let url = database.url();
    for command in [&["dead-letter", "list"][..], &["dead-letter", "skip", "0", "0"], &["verify"]] {
        let output = run(&[command, &["--database-url", &url]].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("footfall migrate") && told.contains("--database-url"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn an_empty_variable_counts_as_none() {
    let configured = |variables: &[&str]| {
        let mut command = footfall(&["config", "query-api"]);
        command.envs(variables.iter().map(|name| (name, "")));
        lines(command)
    };
    let variables =
        ["FOOTFALL_TIME_ZONE", "FOOTFALL_SESSIONS_THROTTLE", "FOOTFALL_KAFKA_BROKERS", "FOOTFALL_PAGE_SIZE_MAX"];
    assert_eq!(configured(&variables), configured(&[]));

    // also where nothing else would do, as a number or a database
    let database = database();
    let mut command = footfall(&["up", "--database-url", &database.url()]);
    for name in ["FOOTFALL_DATABASE_URL", "FOOTFALL_QUERY_CONNECTIONS", "FOOTFALL_KAFKA_BROKERS", "FOOTFALL_BASE_PATH"]
    {
        command.env(name, "");
    }
    assert_eq!(Service::start(command).get("/sessions/").status, 200);
}

#[test]
fn page_sizes_that_do_not_fit_one_another_are_told_on_one_line() {
    for service in ["up", "query-api"] {
        let output = run(&[service, "--page-size-max", "5"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success());
        assert!(told.contains("--page-size-default") && told.lines().count() == 1, "{told}");
    }
}
