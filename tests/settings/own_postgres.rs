//! What an operator is told when the PostgreSQL of `up` does not run.

use crate::common::{Service, ask, footfall};
use chrono::{DateTime, Utc};
use std::{fs, time::Duration};
use test_support::eventually;

#[test]
fn readyz_says_why_our_own_postgresql_does_not_run_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut up = Service::start(footfall(&["up", "--data-dir", folder.path().to_str().unwrap()]));
    let ops = up.address_of("ops port");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let wait = |what: &str, condition: &dyn Fn(u16, &serde_json::Value) -> bool| {
        runtime.block_on(eventually(what, Duration::from_mins(1), async || {
            let answer = ask(&ops, "GET", "/readyz", "", "");
            condition(answer.status, &answer.json()["not_ready"]["PostgreSQL"]).then_some(())
        }));
    };
    wait("it is ready", &|status, _| status == 200);

    let configuration = folder.path().join("postgres/postgresql.conf");
    let good = fs::read_to_string(&configuration).unwrap();
    fs::write(&configuration, format!("{good}\nno_such_setting = on\n")).unwrap();
    let pid = fs::read_to_string(folder.path().join("postgres/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().trim();
    assert!(std::process::Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
    wait("the cause is told", &|status, told| status == 503 && told.to_string().contains("postgresql.conf"));

    fs::write(&configuration, good).unwrap();
    wait("it is ready again", &|status, _| status == 200);
}

#[test]
fn up_is_ready_only_when_its_port_is_open() {
    let folder = tempfile::tempdir().unwrap();
    // its own PostgreSQL is there long before everything else
    let mut up = Service::spawn(footfall(&["up", "--data-dir", folder.path().to_str().unwrap()]));
    let ops = up.address_of("ops port");
    let ready = tokio::runtime::Runtime::new().unwrap().block_on(eventually(
        "it is ready",
        Duration::from_mins(1),
        async || (ask(&ops, "GET", "/readyz", "", "").status == 200).then(Utc::now),
    ));
    let open: DateTime<Utc> = up.says(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        (line["message"] == "listening" && line["server"] == "http").then(|| line["timestamp"].as_str())??.parse().ok()
    });
    assert!(open <= ready, "ready at {ready}, open at {open}");
}
