//! The database away: a clear answer in time, and back by itself.

use crate::common::{Answer, Served, Setup, Site, encode, events::*, get, request};
use chrono::Utc;
use query_api::accounts::issue_link;
use service::access::Role;
use sqlx::{Connection, Executor, PgConnection};
use std::time::{Duration, Instant};
use test_support::{DatabaseLine, eventually};

const SOON: Duration = Duration::from_secs(30);

/// The longest that somebody may have to wait for an answer: a connection or a statement, 5 s each, and some air.
const PATIENCE: Duration = Duration::from_secs(15);

async fn with_a_session() -> Site {
    let mut site = Site::new().await;
    site.project(&[session("s", time("2026-07-01T10:00:00Z"), None)]).await;
    site
}

/// Runs statements on the server, beside the test's own database.
async fn on_the_server(site: &Site, statements: &[String]) {
    let mut connection = PgConnection::connect_with(&site.test_database.options().database("postgres")).await.unwrap();
    for statement in statements {
        connection.execute(statement.as_str()).await.unwrap();
    }
}

async fn go_away(site: &Site) {
    let options = site.test_database.options();
    let name = options.get_database().unwrap();
    let statements = [
        format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"),
        format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"),
    ];
    on_the_server(site, &statements).await;
}

async fn come_back(site: &Site) {
    let options = site.test_database.options();
    on_the_server(site, &[format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", options.get_database().unwrap())]).await;
}

fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}: {answer:?}");
    let json = answer.json();
    assert!(json["detail"].is_string(), "{what}: {answer:?}");
    assert_eq!(json.as_object().unwrap().len(), 1, "{what}: nothing about the inside: {answer:?}");
}

/// A page for people, with a way on, and nothing about the inside.
fn assert_told_to_people(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{what}: {answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{what}: {answer:?}");
    assert!(answer.header("content-security-policy").contains("default-src 'self'"), "{what}: {answer:?}");
    for inside in ["detail", "read model", "relation", "SELECT", "sqlx"] {
        assert!(!answer.body.contains(inside), "{what}: {inside}: {}", answer.body);
    }
}

#[tokio::test]
async fn while_the_database_is_away_reads_are_503_at_once_and_they_recover_by_themselves() {
    let site = with_a_session().await;
    query_api::accounts::add(&site.database, "ann", "a long password", Role::Staff).await.unwrap();
    let cookie = crate::sign_in::submit(&site, "ann", "a long password", "").await;
    let cookie = cookie.cookie("footfall_session").unwrap();
    let paths = [
        "/sessions/",
        "/sessions/1/",
        "/pageviews/",
        "/interactions/",
        "/interactions/7/",
        "/report/data/",
        "/report/csv/",
        "/status/",
    ];
    let pages = ["/report/?range=30&compare=1", "/admin/", "/admin/sessions/", "/sign-in/"];
    for round in 0..2 {
        go_away(&site).await;
        for path in paths {
            let started = Instant::now();
            assert_unavailable(&site.get_as_staff(path).await, path);
            assert_unavailable(&site.send(get(path).header("cookie", cookie)).await, path);
            assert!(started.elapsed() < 2 * PATIENCE, "{path} took {:?}", started.elapsed());
        }
        for path in pages {
            let page = site.send(get(path).header("cookie", cookie)).await;
            assert_told_to_people(&page, path);
            let again = format!("class=\"button\" href=\"{}\">Try again", path.replace('&', "&#38;"));
            assert!(page.body.contains(&again), "{path}: {}", page.body);
        }
        let out = site.send(request("POST", "/sign-out/").header("cookie", cookie)).await;
        assert_told_to_people(&out, "a sign-out");
        assert!(out.body.contains("You may still be signed in") && !out.body.contains("saved"), "{}", out.body);
        let link = format!("/sign-in/?link={}", encode(&issue_link(&site.keys, Utc::now())));
        assert_told_to_people(&site.get(&link).await, "a link");
        for path in ["/", "/sign-in/", "/assets/footfall.css"] {
            assert_eq!(site.get(path).await.status, 200, "{path} needs no database");
        }
        for path in ["/assets/footfall.css", "/assets/admin.css", "/assets/admin.js", "/assets/icon.svg"] {
            let asset = site.send(get(path).header("cookie", cookie)).await;
            assert_eq!(asset.status, 200, "{path} is what the page looks like");
        }
        come_back(&site).await;
        let read = async || {
            let answer = site.get("/sessions/").await;
            (answer.status == 200).then(|| assert_eq!(answer.ids(), [1]))
        };
        eventually("lists are read again", SOON, read).await;
        let report =
            async || (site.send(get("/report/data/").header("cookie", cookie)).await.status == 200).then_some(());
        eventually("whoever was in sees the report again", SOON, report).await;
        if round == 0 {
            assert_eq!(site.get(&link).await.status, 303, "the link was not spent in vain");
        }
    }
}

#[tokio::test]
async fn a_sign_in_while_the_database_is_away_can_be_tried_again() {
    let site = with_a_session().await;
    query_api::accounts::add(&site.database, "ann", "a long password", Role::Staff).await.unwrap();
    go_away(&site).await;
    // more often than somebody may be wrong
    for _ in 0..12 {
        let form = crate::sign_in::submit(&site, "ann", "a long password", "/admin/sessions/").await;
        assert_told_to_people(&form, "a sign-in");
        assert!(form.body.contains("You are not signed in yet."), "{}", form.body);
        for typed in ["name=\"next\" value=\"/admin/sessions/\"", "name=\"name\" value=\"ann\""] {
            assert!(form.body.contains(typed), "{typed}: {}", form.body);
        }
        assert!(!form.body.contains("a long password"), "no page has a password: {}", form.body);
    }
    come_back(&site).await;
    let signed_in =
        async || (crate::sign_in::submit(&site, "ann", "a long password", "").await.status == 303).then_some(());
    eventually("a sign-in", SOON, signed_in).await;
}

/// Two connections to the database, and a line to it on which lists have been read.
async fn on_a_line() -> (Site, DatabaseLine, Served) {
    let arguments = &["--query-connections", "2", "--statement-timeout-ms", "1000"];
    let mut site = Site::with(Setup { arguments, ..Setup::default() }).await;
    site.project(&[session("s", time("2026-07-01T10:00:00Z"), None)]).await;
    let line = DatabaseLine::to(&site.test_database).await;
    let served = site.app_on(line.options(), None);
    assert_eq!(served.get("/sessions/").await.ids(), [1]);
    (site, line, served)
}

/// More of them than there are connections.
async fn assert_all_unavailable_in_time(served: &Served) {
    let ask = async |path| {
        let answered = tokio::time::timeout(PATIENCE, served.get(path)).await;
        assert_unavailable(&answered.unwrap_or_else(|_| panic!("{path} got no answer")), path);
    };
    tokio::join!(ask("/sessions/"), ask("/sessions/1/"), ask("/status/"), ask("/pageviews/"));
}

async fn assert_read_again(served: &Served) {
    let read = async || (served.get("/sessions/").await.status == 200).then_some(());
    eventually("lists are read again", SOON, read).await;
}

#[tokio::test]
async fn a_database_that_falls_silent_is_told_in_time_and_read_again_when_it_speaks() {
    let (_site, line, served) = on_a_line().await;
    line.fall_silent();
    assert_all_unavailable_in_time(&served).await;
    line.speak_again();
    assert_read_again(&served).await;
}

#[tokio::test]
async fn connections_that_stay_silent_for_ever_do_not_keep_their_places() {
    let (_site, line, served) = on_a_line().await;
    line.fall_silent();
    assert_all_unavailable_in_time(&served).await;
    line.speak_on_new_connections();
    assert_read_again(&served).await;
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_ended_and_says_to_ask_for_less() {
    let site = with_a_session().await;
    let mut blocker = PgConnection::connect_with(&site.test_database.options()).await.unwrap();
    let mut transaction = blocker.begin().await.unwrap();
    transaction.execute("LOCK TABLE footfall.row_count IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let started = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, site.get("/sessions/")).await.unwrap();
    assert_unavailable(&answer, "a list");
    assert!(answer.body.contains("Ask for less") && started.elapsed() < PATIENCE, "{answer:?}");
    transaction.rollback().await.unwrap();
    assert_eq!(site.get("/sessions/").await.ids(), [1]);
}

#[tokio::test]
async fn tables_that_are_missing_are_unavailable_and_nothing_else_is_told() {
    let site = with_a_session().await;
    sqlx::query("DROP SCHEMA footfall CASCADE").execute(&site.pool).await.unwrap();
    assert_told_to_people(&site.get_as_staff("/report/").await, "the report");
    for path in ["/sessions/", "/sessions/1/", "/report/data/", "/status/"] {
        let answer = site.get_as_staff(path).await;
        assert_unavailable(&answer, path);
        assert!(!answer.body.contains("relation") && !answer.body.contains("SELECT"), "{answer:?}");
    }
    assert_eq!(site.send(request("HEAD", "/sessions/")).await.status, 503);
}
