//! People and programs: contract § 8.

use crate::common::{Answer, SECRET, Service, add_account, database, token};
use chrono::{TimeDelta, Utc};
use service::access::{Keys, Purpose, Role};
use std::time::{Duration, Instant};

/// Fetches the form, fills it in and sends it.
fn sign_in(up: &Service, name: &str, password: &str, headers: &str) -> Answer {
    let form = up.ask("GET", "/sign-in/", headers, "");
    let token = form.body.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap();
    let cookie = form.cookie("footfall_form").unwrap();
    let headers = format!("{headers}content-type: application/x-www-form-urlencoded\r\ncookie: {cookie}\r\n");
    up.ask("POST", "/sign-in/", &headers, &format!("name={name}&password={password}&token={token}"))
}

#[test]
fn two_keys_are_good_at_once_while_they_are_changed() {
    let database = database();
    let old = token("ann", "staff", "the secret before, of at least 32 bytes");
    let report = |up: &Service, token: &str| up.ask("GET", "/report/data/", token, "").status;
    let rotating = Service::up(&database, &["--secret-key-previous", "the secret before, of at least 32 bytes"]);
    assert_eq!(report(&rotating, &old), 200);
    assert_eq!(report(&rotating, &token("ann", "staff", SECRET)), 200);
    drop(rotating);
    let rotated = Service::up(&database, &[]);
    assert_eq!(report(&rotated, &old), 401, "revoked");
    assert_eq!(report(&rotated, &token("ann", "staff", SECRET)), 200);
}

#[test]
fn attempts_that_fail_are_throttled_by_account_and_by_address() {
    let database = database();
    let up = Service::up(&database, &["--trusted-proxies", "127.0.0.1"]);
    add_account(&database.url(), "ann", "correct horse");
    let from = |n: u32| format!("x-forwarded-for: 192.0.2.{n}\r\n");
    // from many addresses: the account is protected, and one that does not exist alike
    for name in ["ann", "nobody"] {
        let statuses: Vec<u16> = (0..11).map(|n| sign_in(&up, name, "wrong", &from(n)).status).collect();
        assert_eq!(statuses, [[422; 10].as_slice(), &[429]].concat(), "{name}");
        let refused = sign_in(&up, name, "correct+horse", &from(100));
        assert_eq!(refused.status, 429, "{name}");
        let wait: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&wait) && refused.body.contains("Too many attempts"), "{refused:?}");
        assert!(refused.header("content-security-policy").contains("default-src 'self'"), "{refused:?}");
    }
    // from one address: all accounts are, and other addresses go on
    let (mut failed, started) = (0, Instant::now());
    while sign_in(&up, &format!("name{failed}"), "x", &from(200)).status == 422 {
        failed += 1;
        assert!(failed < 100, "nothing ends this");
    }
    // one attempt comes back every ten seconds, and checking a password takes long on a busy machine
    let most = 20 + started.elapsed().as_secs() / 10 + 1;
    assert!((20..=most).contains(&failed), "{failed}, and {most} were allowed");
    add_account(&database.url(), "bob", "correct horse");
    assert_eq!(sign_in(&up, "bob", "correct+horse", &from(200)).status, 429);
    for _ in 0..25 {
        assert_eq!(sign_in(&up, "bob", "correct+horse", &from(201)).status, 303, "success costs nothing");
    }
}

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let database = database();
    let up = Service::up(&database, &[]);
    add_account(&database.url(), "ann", "correct horse");
    let took = |name: &str| {
        let tries = (0..4).map(|_| {
            let started = Instant::now();
            assert_eq!(sign_in(&up, name, "wrong", "").status, 422);
            started.elapsed()
        });
        tries.min().unwrap()
    };
    // also the very first one, and one that the database cannot even be asked for
    let started = Instant::now();
    assert_eq!(sign_in(&up, "first", "wrong", "").status, 422);
    let first = started.elapsed();
    let (unknown, wrong, impossible) = (took("nobody"), took("ann"), took("a%00b"));
    println!("first {first:?}, unknown {unknown:?}, wrong {wrong:?}, with NUL {impossible:?}");
    // hashing takes nearly all of the time: without it an answer would come in a twentieth of it
    for (one, other) in [(first, wrong), (unknown, wrong), (wrong, unknown), (impossible, wrong), (wrong, impossible)] {
        assert!(one > other / 3, "{one:?} and {other:?}");
    }
    assert!(wrong > Duration::from_millis(5), "{wrong:?}");
}

#[test]
fn cookies_are_flagged_renewed_in_use_and_ended_by_the_sign_out() {
    let database = database();
    let up = Service::up(&database, &["--trusted-proxies", "127.0.0.1"]);
    add_account(&database.url(), "ann", "correct horse");
    let https = "x-forwarded-proto: https\r\nx-forwarded-host: footfall.example\r\n";
    let flags = |answer: &Answer| {
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.cookies.iter().find(|cookie| cookie.starts_with("footfall_session")).unwrap();
        cookie.split_once("; ").unwrap().1.to_owned()
    };
    let tls = flags(&sign_in(&up, "ann", "correct+horse", &format!("{https}origin: https://footfall.example\r\n")));
    assert_eq!(tls, "HttpOnly; SameSite=Lax; Path=/; Max-Age=43200; Secure");
    assert_eq!(flags(&sign_in(&up, "ann", "correct+horse", "")), "HttpOnly; SameSite=Lax; Path=/; Max-Age=43200");
    for origin in ["https://evil.example", "http://footfall.example", "null"] {
        let foreign = sign_in(&up, "ann", "correct+horse", &format!("{https}origin: {origin}\r\n"));
        assert_eq!(foreign.status, 422, "{origin}");
    }

    let keys = Keys::new(SECRET.as_bytes()).unwrap();
    let issue = |left: TimeDelta| keys.issue(Purpose::Cookie, "ann", Role::Staff, Utc::now(), left);
    let line = |pair: &str| format!("cookie: {pair}\r\n");
    let fresh = up.ask("GET", "/report/", &line(&format!("footfall_session={}", issue(TimeDelta::hours(11)))), "");
    assert_eq!((fresh.status, fresh.cookies.len()), (200, 0));
    let old = line(&format!("footfall_session={}", issue(TimeDelta::hours(5))));
    let used = up.ask("GET", "/sessions/", &old, "");
    assert_eq!((used.status, used.header("cache-control")), (200, "no-store"));
    let renewed = line(used.cookie("footfall_session").unwrap());
    assert_ne!(renewed, old);
    let report = up.ask("GET", "/report/", &renewed, "");
    assert_eq!(report.status, 200);
    // the sign-out of one ends both: they are the same session
    let token = report.body.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap();
    let form = format!("{renewed}content-type: application/x-www-form-urlencoded\r\n");
    assert_eq!(up.ask("POST", "/sign-out/", &form, &format!("token={token}")).status, 303);
    for cookie in [&renewed, &old] {
        let answer = up.ask("GET", "/report/", cookie, "");
        assert_eq!((answer.status, answer.cookies.len()), (403, 0));
    }
}

#[test]
fn pages_and_answers_have_the_headers_of_a_careful_site() {
    let database = database();
    let up = Service::up(&database, &[]);
    for path in ["/sign-in/", "/report/"] {
        let page = up.get(path);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"), "{page:?}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");
    }
    assert_eq!(up.get("/sessions/").header("x-content-type-options"), "nosniff");
    // what is no form of ours, or no form at all, is asked again
    for (headers, body) in [
        ("", ""),
        ("content-type: text/plain\r\n", "x"),
        ("content-type: application/x-www-form-urlencoded\r\n", "name=a&password=b&token=x"),
    ] {
        assert_eq!(up.ask("POST", "/sign-in/", headers, body).status, 422, "{headers}");
    }
    let large = "x".repeat(100_000);
    assert_eq!(up.ask("POST", "/sign-in/", "content-type: application/x-www-form-urlencoded\r\n", &large).status, 413);
    assert_eq!(up.get("/sign-in/?link=a&link=b").status, 200);
}
