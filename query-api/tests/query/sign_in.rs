//! The form, the one-time link and the way out. Contract § 8.

use crate::common::{Answer, HOST, PROXY, Setup, Site, encode, get, request};
use chrono::{TimeDelta, Utc};
use query_api::accounts::{add, issue_link};
use service::{
    access::{Keys, Role},
    client_address::Peer,
};

const SESSION: &str = "footfall_session";
const FORM: &str = "footfall_form";
const PASSWORD: &str = "correct horse battery staple ü&+%";

async fn with_ann(base_path: &'static str) -> Site {
    let site = Site::with(Setup { base_path, ..Setup::default() }).await;
    add(&site.database, "ann", PASSWORD, Role::Staff).await.unwrap();
    site
}

/// What the form hides.
fn hidden(page: &Answer, name: &str) -> String {
    let (_, from) = page.body.split_once(&format!(r#"name="{name}" value=""#)).unwrap();
    from.split('"').next().unwrap().to_owned()
}

fn typed(name: &str, password: &str, token: &str, next: &str) -> String {
    format!("name={}&password={}&token={}&next={}", encode(name), encode(password), encode(token), encode(next))
}

fn post(path: &str) -> axum::http::request::Builder {
    request("POST", path).header("content-type", "application/x-www-form-urlencoded")
}

/// Fetches the form, fills it in and sends it, as a browser does.
pub async fn submit(site: &Site, name: &str, password: &str, next: &str) -> Answer {
    let form = site.get("/sign-in/").await;
    let body = typed(name, password, &hidden(&form, "token"), next);
    let request =
        post("/sign-in/").header("cookie", form.cookie(FORM).unwrap()).header("origin", format!("http://{HOST}"));
    site.send_body(request, body).await
}

/// Whether somebody is signed in with what the answer gave them.
async fn is_in(site: &Site, answer: &Answer) -> bool {
    let Some(cookie) = answer.cookie(SESSION) else { return false };
    site.send(get("/report/data/").header("cookie", cookie)).await.status == 200
}

#[tokio::test]
async fn the_right_password_signs_in_for_twelve_hours() {
    let site = with_ann("").await;
    let answer = submit(&site, "ann", PASSWORD, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/report/"));
    let line = answer.set_cookie(SESSION).unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=43200"] {
        assert!(line.contains(attribute), "{line}");
    }
    assert!(!line.contains("Secure") && !line.contains("Domain"), "{line}");
    assert!(is_in(&site, &answer).await);
    let page = site.send(get("/report/").header("cookie", answer.cookie(SESSION).unwrap())).await;
    assert!(page.status == 200 && page.body.contains("<bdi>ann</bdi>"), "{}", page.body);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
    let site = with_ann("").await;
    add(&site.database, "by-link-alone", PASSWORD, Role::Staff).await.unwrap();
    let without_password = "UPDATE footfall_accounts.account SET password_hash = NULL WHERE name = 'by-link-alone'";
    sqlx::query(without_password).execute(&site.pool).await.unwrap();
    let long = "x".repeat(10_000);
    let cases = [
        ("ann", "wrong"),
        ("ann", ""),
        ("ann", "CORRECT HORSE BATTERY STAPLE ü&+%"),
        ("ann", &long),
        ("Ann", PASSWORD),
        ("ann ", PASSWORD),
        ("bob", PASSWORD),
        ("bob", "nobody has this password"),
        ("", ""),
        ("by-link-alone", ""),
        ("by-link-alone", "nobody has this password"),
        ("' OR 1=1 --", "x"),
        ("an\0n", PASSWORD),
        ("ann\0", PASSWORD),
        ("ann", "\0"),
        ("\u{10ffff}\u{202e}", "x"),
    ];
    for (name, password) in cases {
        let answer = submit(&site, name, password, "").await;
        assert_eq!(answer.status, 422, "{name:?}: {answer:?}");
        assert!(answer.body.contains("There is no account with this name and password."), "{name:?}: {}", answer.body);
        assert_eq!(answer.set_cookie(SESSION), None, "{name:?}");
        assert!(!answer.body.contains(PASSWORD), "what was typed as a password is not sent back");
    }
}

#[tokio::test]
async fn a_form_that_is_not_ours_is_refused() {
    let site = with_ann("").await;
    let (form, other) = (site.get("/sign-in/").await, site.get("/sign-in/").await);
    let (token, cookie) = (hidden(&form, "token"), form.cookie(FORM).unwrap());
    assert_ne!(Some(cookie), other.cookie(FORM));
    let at = |cookie: Option<&str>, origin: &str| {
        let request = post("/sign-in/").header("origin", origin);
        cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie))
    };
    let own = format!("http://{HOST}");
    let nonce = cookie.split_once('=').unwrap().1;
    let issued = |keys: &Keys, purpose, ago| {
        keys.issue(purpose, nonce, Role::Anonymous, Utc::now() - TimeDelta::hours(ago), TimeDelta::hours(1))
    };
    let form_token = service::access::Purpose::Form;
    let cases = [
        ("no token", at(Some(cookie), &own), String::new()),
        ("a wrong token", at(Some(cookie), &own), "x".into()),
        ("another browser's token", at(Some(cookie), &own), hidden(&other, "token")),
        ("an expired token", at(Some(cookie), &own), issued(&site.keys, form_token, 1)),
        ("a token for something else", at(Some(cookie), &own), issued(&site.keys, service::access::Purpose::Api, 0)),
        ("a token of somebody else's", at(Some(cookie), &own), issued(&Keys::new(&[8; 32]).unwrap(), form_token, 0)),
        ("no cookie", at(None, &own), token.clone()),
        ("another browser's cookie", at(other.cookie(FORM), &own), token.clone()),
        ("an empty cookie", at(Some("footfall_form="), &own), token.clone()),
        ("another page", at(Some(cookie), "https://evil.example"), token.clone()),
        ("no page that has a name", at(Some(cookie), "null"), token.clone()),
    ];
    for (what, request, token) in cases {
        let answer = site.send_body(request, typed("ann", PASSWORD, &token, "")).await;
        assert_eq!(answer.status, 422, "{what}: {answer:?}");
        assert_eq!(answer.set_cookie(SESSION), None, "{what}");
    }
    let answer = site.send_body(at(Some(cookie), &own), typed("ann", PASSWORD, &token, "")).await;
    assert_eq!(answer.status, 303, "the form itself is still good");
}

#[tokio::test]
async fn a_body_that_is_no_form_is_the_clients_fault() {
    let site = with_ann("").await;
    let large = vec![b'x'; 3_000_000];
    let bodies: [(&str, &[u8]); 5] = [
        ("application/json", b"{}"),
        ("text/plain", b"name=ann"),
        ("application/x-www-form-urlencoded", b"name=a&name=b"),
        ("application/x-www-form-urlencoded", b"name=%00%FF\xff&password=%"),
        ("application/x-www-form-urlencoded", &large),
    ];
    for (kind, body) in bodies {
        let request = request("POST", "/sign-in/").header("content-type", kind);
        let answer = site.send_body(request, body.to_vec()).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{kind}: {}", answer.status);
        assert_eq!(answer.set_cookie(SESSION), None);
    }
    let refused = site.send_body(post("/sign-in/"), large).await;
    assert_eq!((refused.status.as_u16(), refused.header("content-type")), (413, "text/html; charset=utf-8"));
    assert!(refused.body.contains("larger than any") && refused.body.contains("href=\"/sign-in/\""), "{refused:?}");
}

#[tokio::test]
async fn one_comes_back_to_where_one_was_and_never_to_another_site() {
    let site = with_ann("").await;
    for next in ["/report/?days=7", "/sessions/", "/gr%C3%BC%C3%9Fe/"] {
        assert_eq!(submit(&site, "ann", PASSWORD, next).await.header("location"), next);
    }
    let foreign = [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\/evil.example",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "/\r\nSet-Cookie: a=b",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "@evil.example",
        "/\u{1}/evil.example",
        "/\u{7f}",
        "/\0",
        "",
    ];
    for next in foreign {
        let answer = submit(&site, "ann", PASSWORD, next).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/report/"), "{next:?}");
        assert_eq!(answer.header("set-cookie").matches("a=b").count(), 0);
        let form = site.get(&format!("/sign-in/?next={}", encode(next))).await;
        assert_eq!((form.status.as_u16(), hidden(&form, "next").as_str()), (200, ""), "{next:?}");
        let link = encode(&issue_link(&site.keys, Utc::now()));
        let answer = site.get(&format!("/sign-in/?link={link}&next={}", encode(next))).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/report/"), "{next:?}");
    }
    // letters beyond ASCII are no other site, but no header can hold them as they are
    let answer = submit(&site, "ann", PASSWORD, "/grüße/").await;
    assert_eq!(answer.status, 303);
    assert!(["/report/", "/gr%C3%BC%C3%9Fe/"].contains(&answer.header("location")), "{answer:?}");
}

#[tokio::test]
async fn the_way_to_the_form_and_back_leads_below_the_base_path() {
    let site = with_ann("/below").await;
    let refused = site.get("/below/report/").await;
    let (_, from) = refused.body.split_once(r#"class="button" href=""#).unwrap();
    let form = site.get(from.split('"').next().unwrap()).await;
    assert!(form.body.contains(r#"action="/below/sign-in/""#), "{}", form.body);
    let body = typed("ann", PASSWORD, &hidden(&form, "token"), &hidden(&form, "next"));
    let answer = site.send_body(post("/below/sign-in/").header("cookie", form.cookie(FORM).unwrap()), body).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/below/report/"));
    let link = site.get(&format!("/below/sign-in/?link={}", issue_link(&site.keys, Utc::now()))).await;
    assert_eq!((link.status.as_u16(), link.header("location")), (303, "/below/report/"));
}

#[tokio::test]
async fn a_link_signs_in_once() {
    let site = Site::new().await;
    let path = format!("/sign-in/?link={}", issue_link(&site.keys, Utc::now()));
    let looked_at = site.send(request("HEAD", &path)).await;
    assert_eq!((looked_at.status.as_u16(), looked_at.set_cookie(SESSION)), (200, None), "a look does not use it up");
    let (one, other) = tokio::join!(site.get(&path), site.get(&path));
    let statuses = [one.status.as_u16(), other.status.as_u16()];
    assert!(statuses == [303, 422] || statuses == [422, 303], "of two at once one gets in: {statuses:?}");
    let entered = if one.status == 303 { &one } else { &other };
    assert!(is_in(&site, entered).await);
    let again = site.get(&path).await;
    assert_eq!((again.status.as_u16(), again.set_cookie(SESSION)), (422, None));
    assert!(again.body.contains("has been used or has expired"), "{}", again.body);
    let second = site.get(&format!("/sign-in/?link={}", issue_link(&site.keys, Utc::now()))).await;
    assert!(is_in(&site, &second).await, "the next start's link is another one");
}

#[tokio::test]
async fn a_link_is_good_for_an_hour_and_cannot_be_made_up() {
    let site = Site::new().await;
    let issued = |ago: TimeDelta| issue_link(&site.keys, Utc::now() - ago);
    let good = issued(TimeDelta::zero());
    let bad = [
        issued(TimeDelta::minutes(61)),
        issue_link(&Keys::new(&[8; 32]).unwrap(), Utc::now()),
        site.keys.issue(service::access::Purpose::Api, "operator", Role::Staff, Utc::now(), TimeDelta::hours(1)),
        good[..good.len() - 2].to_owned(),
        String::new(),
        "\0".into(),
    ];
    for link in bad {
        let answer = site.get(&format!("/sign-in/?link={}", encode(&link))).await;
        assert_eq!((answer.status.as_u16(), answer.set_cookie(SESSION)), (422, None), "{link}");
    }
    let late = site.get(&format!("/sign-in/?link={}", issued(TimeDelta::minutes(59)))).await;
    assert!(is_in(&site, &late).await);
    let accounts: i64 =
        sqlx::query_scalar("SELECT count(*) FROM footfall_accounts.account").fetch_one(&site.pool).await.unwrap();
    assert_eq!(accounts, 1);
}

#[tokio::test]
async fn who_has_signed_out_is_out_wherever_the_cookie_was_kept() {
    let site = with_ann("").await;
    let (here, elsewhere) = (submit(&site, "ann", PASSWORD, "").await, submit(&site, "ann", PASSWORD, "").await);
    let cookie = here.cookie(SESSION).unwrap();
    let out = || post("/sign-out/").header("cookie", cookie).header("origin", format!("http://{HOST}"));
    let token = |report: &Answer| format!("token={}", hidden(report, "token"));
    let report = |entered: &Answer| get("/report/").header("cookie", entered.cookie(SESSION).unwrap());
    let foreign = token(&site.send(report(&elsewhere)).await);
    for (what, wrong) in [("none", ""), ("rubbish", "token=x"), ("another sign-in's", foreign.as_str())] {
        let answer = site.send_body(out(), wrong.to_owned()).await;
        assert_eq!((answer.status.as_u16(), answer.set_cookie(SESSION)), (403, None), "{what}");
        assert!(answer.body.contains("You are still signed in") && answer.body.contains("Sign out</button>"), "{what}");
    }
    let own = token(&site.send(report(&here)).await);
    let answer = site.send_body(out(), own).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/sign-in/"));
    let line = answer.set_cookie(SESSION).unwrap();
    assert!(line.starts_with("footfall_session=;") && line.contains("Max-Age=0") && line.contains("Path=/"), "{line}");
    assert!(!is_in(&site, &here).await, "a copy of the cookie is worth nothing any more");
    assert!(is_in(&site, &elsewhere).await, "the other browser is still in");
    assert_eq!(site.get("/sign-out/").await.status, 405, "a link signs nobody out");
    assert_eq!(site.send(post("/sign-out/")).await.status, 303, "who is out already may go");
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_began_and_changes_nothing_else() {
    let site = with_ann("").await;
    let role = async |role| add(&site.database, "bob", "bob's first password", role).await.unwrap();
    assert_eq!(
        [role(None).await, role(Some(Role::User)).await, role(None).await],
        [Role::Staff, Role::User, Role::User]
    );
    assert_eq!(role(Some(Role::Staff)).await, Role::Staff);
    let (ann, bob) = (submit(&site, "ann", PASSWORD, "").await, submit(&site, "bob", "bob's first password", "").await);
    assert!(is_in(&site, &ann).await && is_in(&site, &bob).await);

    add(&site.database, "ann", "another password", None).await.unwrap();
    assert!(!is_in(&site, &ann).await, "whoever had the old password is out");
    assert!(is_in(&site, &bob).await, "others are not");
    assert_eq!(submit(&site, "ann", PASSWORD, "").await.status, 422);
    assert!(is_in(&site, &submit(&site, "ann", "another password", "").await).await);
    assert_eq!(add(&site.database, "", PASSWORD, None).await.unwrap_err().to_string(), "an account needs a name");
}

#[tokio::test]
async fn another_sites_page_signs_nobody_out() {
    let site = with_ann("").await;
    let entered = submit(&site, "ann", PASSWORD, "").await;
    for origin in ["https://evil.example", "null"] {
        // with the cookie, and without it, as a browser would send the form of another site
        for cookie in [entered.cookie(SESSION).unwrap(), "a=b"] {
            let answer = site.send(post("/sign-out/").header("cookie", cookie).header("origin", origin)).await;
            assert_eq!(answer.set_cookie(SESSION), None, "the browser keeps its cookie: {answer:?}");
            assert!(is_in(&site, &entered).await);
        }
    }
}

#[tokio::test]
async fn behind_tls_cookies_are_for_tls_alone() {
    let site = with_ann("").await;
    let secure = || get("/sign-in/").header("x-forwarded-proto", "https").extension(Peer(PROXY));
    let form = site.send(secure()).await;
    assert!(form.set_cookie(FORM).unwrap().contains("; Secure"), "{form:?}");
    let link = format!("/sign-in/?link={}", issue_link(&site.keys, Utc::now()));
    let answer = site.send(get(&link).header("x-forwarded-proto", "https").extension(Peer(PROXY))).await;
    assert!(answer.set_cookie(SESSION).unwrap().contains("; Secure"), "{answer:?}");
}
