//! Who may read what: tokens and roles. Contract § 4 and 8.

use crate::common::{Answer, Setup, Site, events::*, get};
use chrono::{TimeDelta, Utc};
use service::access::{Keys, Purpose, Role};

const NOT_SIGNED_IN: &str = r#"{"detail":"Authentication credentials were not provided."}"#;
const NOT_ALLOWED: &str = r#"{"detail":"You do not have permission to perform this action."}"#;
const INVALID: &str = r#"{"detail":"Invalid token."}"#;

/// A site with a session under the id 1.
async fn site(arguments: &'static [&'static str]) -> Site {
    let mut site = Site::with(Setup { arguments, ..Setup::default() }).await;
    site.project(&[session("s", time("2026-07-01T10:00:00Z"), None)]).await;
    site
}

async fn get_as(site: &Site, path: &str, role: Role) -> Answer {
    let request = get(path);
    let request = if role == Role::Anonymous { request } else { request.header("authorization", site.token(role)) };
    site.send(request).await
}

#[tokio::test]
async fn lists_are_open_to_all_and_the_report_to_staff() {
    let site = site(&[]).await;
    for role in [Role::Anonymous, Role::User, Role::Staff] {
        for path in ["/", "/sessions/", "/pageviews/", "/interactions/", "/sessions/1/", "/status/", "/sign-in/"] {
            assert_eq!(get_as(&site, path, role).await.status, 200, "{path} as {role}");
        }
    }
    for role in [Role::Anonymous, Role::User] {
        let page = get_as(&site, "/report/", role).await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (403, "text/html; charset=utf-8"), "{role}");
        assert!(page.body.contains(r#"href="/sign-in/?next="#), "it offers to sign in: {}", page.body);
        assert!(!page.body.contains("report-data"), "{}", page.body);
    }
    let data = get_as(&site, "/report/data/", Role::Anonymous).await;
    assert_eq!((data.status.as_u16(), data.body.as_str()), (401, NOT_SIGNED_IN));
    let data = get_as(&site, "/report/data/", Role::User).await;
    assert_eq!((data.status.as_u16(), data.body.as_str()), (403, NOT_ALLOWED));
    for path in ["/report/", "/report/data/"] {
        let answer = get_as(&site, path, Role::Staff).await;
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{path}");
    }
}

#[tokio::test]
async fn reading_can_be_raised_to_users_and_to_staff() {
    for (arguments, least) in [
        (&["--read-access", "user"] as &'static [&'static str], Role::User),
        (&["--read-access", "staff"], Role::Staff),
    ] {
        let site = site(arguments).await;
        for path in ["/sessions/", "/pageviews/", "/interactions/", "/sessions/1/", "/sessions/2/", "/interactions/x/"]
        {
            let answer = get_as(&site, path, Role::Anonymous).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, NOT_SIGNED_IN), "{path}");
            assert!(!answer.header("www-authenticate").is_empty());
            let answer = get_as(&site, path, Role::User).await;
            if least == Role::Staff {
                assert_eq!((answer.status.as_u16(), answer.body.as_str()), (403, NOT_ALLOWED), "{path}");
            } else {
                assert!(![401, 403].contains(&answer.status.as_u16()), "{path}");
            }
            assert!(![401, 403].contains(&get_as(&site, path, Role::Staff).await.status.as_u16()), "{path}");
        }
    }
}

#[tokio::test]
async fn the_report_can_be_opened_to_users_and_to_anyone() {
    let cases: [(&'static [&'static str], Role); 2] =
        [(&["--report-access", "user"], Role::User), (&["--report-access", "anyone"], Role::Anonymous)];
    for (arguments, least) in cases {
        let site = site(arguments).await;
        for role in [Role::Anonymous, Role::User, Role::Staff] {
            for path in ["/report/", "/report/data/"] {
                assert_eq!(get_as(&site, path, role).await.status == 200, role >= least, "{path} as {role}");
            }
        }
    }
}

#[tokio::test]
async fn a_bearer_token_that_is_not_good_is_refused_on_any_path() {
    let site = site(&[]).await;
    let good = site.keys.issue(Purpose::Api, "program", Role::Staff, Utc::now(), TimeDelta::hours(1));
    let issue = |purpose, ago| {
        site.keys.issue(purpose, "program", Role::Staff, Utc::now() - TimeDelta::hours(ago), TimeDelta::hours(1))
    };
    let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = site.keys.issue(Purpose::Api, "program", Role::User, Utc::now(), TimeDelta::hours(1));
    let other_claims = other.split('.').nth(1).unwrap();
    let bad = [
        String::new(),
        "nonsense".into(),
        good.chars().rev().collect(),
        good[..good.len() - 1].to_owned(),
        format!("{header}.{claims}."),
        format!("{header}.{other_claims}.{signature}"),
        format!("{header}.{}.{signature}", claims.to_lowercase()),
        issue(Purpose::Api, 1),
        issue(Purpose::Cookie, 0),
        issue(Purpose::SignInLink, 0),
        issue(Purpose::Form, 0),
        Keys::new(&[8; 32]).unwrap().issue(Purpose::Api, "program", Role::Staff, Utc::now(), TimeDelta::hours(1)),
    ];
    let paths = [
        "/",
        "/sessions/",
        "/sessions/1/",
        "/report/",
        "/report/data/",
        "/report/csv/",
        "/status/",
        "/sign-in/",
        "/assets/footfall.css",
        "/nowhere/",
    ];
    for token in &bad {
        for path in paths {
            let answer = site.send(get(path).header("authorization", format!("Bearer {token}"))).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, INVALID), "{path} with {token}");
            assert_eq!(answer.header("content-type"), "application/json");
            assert!(answer.header("www-authenticate").starts_with("Bearer"), "as HTTP wants it of every 401");
        }
    }
    let accepted = site.send(get("/report/data/").header("authorization", format!("bearer  {good} "))).await;
    assert_eq!(accepted.status, 200, "the scheme is case-insensitive");
    let basic = site.send(get("/sessions/").header("authorization", "Basic YTpi")).await;
    assert_eq!(basic.status, 200, "another scheme is nobody's");
}

#[tokio::test]
async fn a_token_is_no_cookie() {
    let site = site(&[]).await;
    query_api::accounts::add(&site.database, "program", "a long password", Role::Staff).await.unwrap();
    for purpose in [Purpose::Api, Purpose::SignInLink, Purpose::Form] {
        let token = site.keys.issue(purpose, "program", Role::Staff, Utc::now(), TimeDelta::hours(1));
        let request = get("/report/data/").header("cookie", format!("footfall_session={token}"));
        assert_eq!(site.send(request).await.status, 401, "{purpose:?}");
    }
}

#[tokio::test]
async fn a_cookie_is_good_while_it_is_untouched_unexpired_and_its_account_is_there() {
    let site = site(&["--read-access", "user"]).await;
    query_api::accounts::add(&site.database, "ann", "a long password", Role::Staff).await.unwrap();
    let at = |path: &str, token: &str| get(path).header("cookie", format!("a=b; footfall_session={token}; c=d"));
    let issue = |ago| {
        site.keys.issue(Purpose::Cookie, "ann", Role::Staff, Utc::now() - TimeDelta::hours(ago), TimeDelta::hours(12))
    };
    let good = issue(11);
    for path in ["/report/", "/report/data/", "/sessions/"] {
        assert_eq!(site.send(at(path, &good)).await.status, 200, "{path}");
        for bad in [&issue(12), &good[..good.len() - 2], "", "x.y.z"] {
            assert!([401, 403].contains(&site.send(at(path, bad)).await.status.as_u16()), "{path} with {bad}");
        }
        for origin in ["https://evil.example", "null", "http://evil.footfall.example:8080"] {
            let foreign = site.send(at(path, &good).header("origin", origin)).await;
            assert!([401, 403].contains(&foreign.status.as_u16()), "{path} from {origin}");
        }
    }
    let demoted = "UPDATE footfall_accounts.account SET role = 'user'";
    sqlx::query(demoted).execute(&site.pool).await.unwrap();
    assert_eq!(site.send(at("/report/data/", &good)).await.status, 403, "the role of today counts");
    assert_eq!(site.send(at("/sessions/", &good)).await.status, 200);
    sqlx::query("DELETE FROM footfall_accounts.account").execute(&site.pool).await.unwrap();
    for path in ["/report/data/", "/sessions/"] {
        let answer = site.send(at(path, &good)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (401, NOT_SIGNED_IN), "{path}");
    }
}

const FIREFOX: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_link_to_a_table_leads_a_person_to_the_sign_in_and_tells_a_program_why() {
    let site = Site::with(Setup { base_path: "/below", ..Setup::default() }).await;
    for path in ["/below/report/csv/?range=30&table=pages", "/below/report/csv/"] {
        let person = site.send(get(path).header("accept", FIREFOX)).await;
        let back: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
        let way = format!("/below/sign-in/?next={back}");
        assert_eq!((person.status.as_u16(), person.header("location")), (303, way.as_str()), "{path}");
        for accept in ["*/*", "application/json", "text/csv", "application/json, text/html;q=0.5"] {
            let program = site.send(get(path).header("accept", accept)).await;
            assert_eq!((program.status.as_u16(), program.body.as_str()), (401, NOT_SIGNED_IN), "{path} {accept}");
            assert_eq!(program.header("vary"), "accept", "{path}");
        }
        let staff = get(path).header("accept", FIREFOX).header("authorization", site.token(Role::Staff));
        assert_eq!(site.send(staff).await.status, 200, "{path}");
        let user = get(path).header("accept", FIREFOX).header("authorization", site.token(Role::User));
        assert_eq!(site.send(user).await.status, 403, "{path}: to sign in as who they are would not help");
    }
    let numbers = site.send(get("/below/report/data/").header("accept", FIREFOX)).await;
    assert_eq!((numbers.status.as_u16(), numbers.body.as_str()), (401, NOT_SIGNED_IN), "the object is for programs");
    let list = site.send(get("/below/sessions/").header("accept", FIREFOX)).await;
    assert_eq!(list.status, 200, "a list is JSON for everybody");
}

#[tokio::test]
async fn who_is_in_and_may_not_is_told_who_they_are_what_they_may_and_how_to_be_somebody_else() {
    let cases: [(&'static [&'static str], bool); 2] = [(&[], false), (&["--report-access", "user"], true)];
    for (arguments, may_report) in cases {
        let site = site(arguments).await;
        query_api::accounts::add(&site.database, "b<ob", "a long password", Role::User).await.unwrap();
        let entered = crate::sign_in::submit(&site, "b<ob", "a long password", "").await;
        let cookie = entered.cookie("footfall_session").unwrap();
        let pages: &[&str] = if may_report { &["/admin/sessions/?page=2"] } else { &["/report/?range=30", "/admin/"] };
        for path in pages {
            let page = site.send(get(path).header("cookie", cookie)).await;
            assert_eq!(page.status, 403, "{path}");
            let back: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
            for text in [
                "You are signed in as <strong><bdi>b&#60;ob</bdi></strong>",
                "action=\"/sign-out/\"",
                &format!("class=\"button\" href=\"/sign-in/?next={back}\">Sign in as somebody else"),
                "href=\"/docs/\"",
            ] {
                assert!(page.body.contains(text), "{path}: {text}: {}", page.body);
            }
            assert_eq!(page.body.contains(">report</a>"), may_report, "{path}: {}", page.body);
            assert!(!page.body.contains("/admin/sessions/\""), "{path}: no way that ends here again: {}", page.body);
        }
        let stranger = site.get("/report/?range=30").await;
        assert!(!stranger.body.contains("You are signed in"), "{}", stranger.body);
    }
}
