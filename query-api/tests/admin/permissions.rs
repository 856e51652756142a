//! Who may do what, and forms that are not ours.

use crate::site::{Site, firefox, page_view};
use axum::http::{Request, header};
use chrono::Utc;

#[tokio::test]
async fn whoever_is_not_signed_in_comes_back_to_where_they_were() {
    let site = Site::new().await;
    let answer = site.as_nobody("GET", "/admin/sessions/?search=a&page=2").await;
    assert_eq!(answer.location(), "/sign-in/?next=%2Fadmin%2Fsessions%2F%3Fsearch%3Da%26page%3D2");
    let answer = site.as_nobody("POST", "/admin/sessions/add/").await;
    assert_eq!(answer.location(), "/sign-in/?next=%2Fadmin%2Fsessions%2Fadd%2F");
    let answer = site.as_user("/admin/").await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("The admin is for staff."), "{}", answer.body);
}

#[tokio::test]
async fn what_is_no_page_of_the_admin_is_told_in_plain_words_with_a_way_on() {
    let site = Site::new().await;
    for path in ["/admin/nothing/", "/admin/sessions/x/", "/admin/dead-letters/7/7/"] {
        let answer = site.get(path).await;
        assert_eq!(
            (answer.status, answer.headers[header::CONTENT_TYPE].to_str().unwrap()),
            (404, "text/html; charset=utf-8")
        );
        assert!(answer.body.contains("There is no page at this address."), "{path}: {}", answer.body);
        assert!(answer.body.contains("href=\"/admin/\">To the first page"), "{path}: {}", answer.body);
    }
    let stranger = site.as_nobody("GET", "/admin/nothing/").await;
    assert!(stranger.body.contains("href=\"/sign-in/\">To the sign-in"), "{}", stranger.body);
    assert_eq!(stranger.status, 404);
    let names = site.get("/admin/session-names/?part=%00").await;
    assert!(!names.body.contains("<html"), "a script reads it: {}", names.body);
}

#[tokio::test]
async fn every_page_has_a_policy_that_lets_nothing_in_from_elsewhere() {
    let site = Site::new().await;
    for path in ["/admin/", "/admin/sessions/", "/admin/sessions/add/", "/admin/sessions/9/", "/admin/partitions/"] {
        let answer = site.get(path).await;
        let policy = answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(!answer.body.contains(" style=") && !answer.body.contains(" onclick"), "{path}");
        assert!(!answer.body.contains("http://") && !answer.body.contains("https://"), "{path}: {}", answer.body);
        assert_eq!(answer.body.matches("<h1").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn the_four_switches_switch_off() {
    let off = Site::with(&["--admin", "false"], true).await;
    for path in ["/admin/", "/admin/sessions/", "/admin/sessions/1/"] {
        assert_eq!(off.get(path).await.status, 404, "{path}");
    }
    let arguments = ["--admin-allow-add", "false", "--admin-allow-change", "false", "--admin-allow-delete", "false"];
    let site = Site::with(&arguments, true).await;
    let ids = site.append(&[firefox("s", Utc::now())]).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let page = site.page(&path).await;
    assert!(page.contains("Changing is switched off") && !page.contains("<textarea") && !page.contains("delete/"));
    assert!(!site.page("/admin/sessions/").await.contains("add/"));
    for (method, path) in [
        ("GET", "/admin/sessions/add/".to_owned()),
        ("POST", "/admin/sessions/add/".to_owned()),
        ("POST", path.clone()),
        ("GET", format!("{path}delete/")),
        ("POST", format!("{path}delete/")),
    ] {
        let answer = if method == "GET" { site.get(&path).await } else { site.post(&path, &[]).await };
        assert_eq!(answer.status, 405, "{method} {path}");
        assert!(answer.body.contains("switched off in the settings"), "{}", answer.body);
    }
}

#[tokio::test]
async fn the_names_are_those_of_the_settings() {
    let arguments = [
        "--admin-site-title",
        "T&T",
        "--admin-site-header",
        "<H>",
        "--admin-index-title",
        "I",
        "--admin-page-size",
        "2",
    ];
    let site = Site::with(&arguments, true).await;
    let page = site.page("/admin/").await;
    assert!(
        page.contains("<title>I · T&#38;T</title>") && page.contains("&#60;H&#62;</a>") && page.contains("<h1>I</h1>")
    );
    let events: Vec<_> = (0..3).map(|number| firefox(&format!("s{number}"), Utc::now())).collect();
    site.append(&events).await;
    let first = site.page("/admin/sessions/").await;
    assert!(first.contains("Page 1 of 2") && first.contains("rel=\"next\"") && !first.contains("rel=\"prev\""));
    assert_eq!(first.matches("<th scope=\"row\">").count(), 2);
    assert_eq!(site.page("/admin/sessions/?page=2").await.matches("<th scope=\"row\">").count(), 1);
}

#[tokio::test]
async fn a_form_that_was_not_given_to_this_sign_in_changes_nothing() {
    let site = Site::new().await;
    let now = Utc::now();
    let ids = site.append(&[firefox("s", now), page_view("s", now, "http://a.example/")]).await;
    let path = format!("/admin/pageviews/{}/", ids[1]);
    let page = site.page(&path).await;
    for token in ["", "x"] {
        let answer = site.submit(&path, &page, &[("url", "http://evil.example/"), ("token", token)]).await;
        assert_eq!(answer.status, 403, "{token}");
        assert!(answer.body.contains("http://evil.example/</textarea>"), "what was typed stays");
        let answer = site.submit(&format!("{path}delete/"), &page, &[("token", token)]).await;
        assert_eq!(answer.status, 403);
    }
    let body = format!("url=http%3A%2F%2Fevil.example%2F&newest=0&token={}", token_of(&page));
    let other = site.cookie_of_another_sign_in();
    let request = || Request::post(&path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(site.send(request().header(header::COOKIE, &other), body.clone()).await.status, 403);
    let foreign = request().header(header::COOKIE, &other).header(header::ORIGIN, "https://evil.example");
    assert_eq!(
        site.send(foreign, body).await.status,
        303,
        "a cookie from another site's page is nobody's: to the sign-in"
    );
    assert_eq!(site.number("SELECT count(*) FROM admin_change").await, 0);
    assert_eq!(site.number("SELECT count(*) FROM url WHERE text LIKE '%evil%'").await, 0);
}

#[tokio::test]
async fn without_the_log_nothing_is_saved_and_what_was_typed_stays() {
    let site = Site::with(&[], false).await;
    let ids = site.append(&[firefox("s", Utc::now())]).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let answer = site.fill(&path, &[("user_id", "typed in vain")]).await;
    assert_eq!(answer.status, 503);
    assert!(
        answer.body.contains("Nothing was saved") && answer.body.contains("value=\"typed in vain\""),
        "{}",
        answer.body
    );
    let answer = site.fill(&format!("{path}delete/"), &[]).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("Nothing was saved"), "{}", answer.body);
}

#[tokio::test]
async fn a_form_that_meets_an_outage_is_kept_and_counts_once_when_it_is_sent_again() {
    let site = Site::new().await;
    let ids = site.append(&[firefox("s", Utc::now())]).await;
    let path = format!("/admin/sessions/{}/?list=search%3Ds", ids[0]);
    let form = site.page(&path).await;
    let accounts = |from: &str, to: &str| format!("ALTER SCHEMA {from} RENAME TO {to}");
    sqlx::query(&accounts("footfall_accounts", "elsewhere")).execute(&site.pool).await.unwrap();
    let typed = "<b>\"a & b'\nzwei\u{202e}";
    let away = site.submit(&path, &form, &[("user_agent", typed), ("user_id", "bob"), ("then", "list")]).await;
    assert_eq!((away.status, away.headers[header::RETRY_AFTER].to_str().unwrap()), (503, "1"));
    for text in
        ["It is not known whether this was saved", ">Send it again</button>", "<dt>User ID</dt><dd><bdi>bob</bdi>"]
    {
        assert!(away.body.contains(text), "{text}: {}", away.body);
    }
    assert!(away.body.contains(&format!("action=\"{path}\"")) && !away.body.contains("<b>"), "{}", away.body);
    let still = site.submit(&path, &away.body, &[]).await;
    assert_eq!(still.status, 503, "and once more");
    sqlx::query(&accounts("elsewhere", "footfall_accounts")).execute(&site.pool).await.unwrap();
    let (one, two) = tokio::join!(site.submit(&path, &still.body, &[]), site.submit(&path, &still.body, &[]));
    for answer in [one, two] {
        let back = answer.location();
        assert!(back.starts_with("/admin/sessions/?") && back.contains("done=changed"), "{back}");
    }
    assert_eq!(site.number("SELECT count(*) FROM admin_change").await, 1, "it counts once");
    let saved = "SELECT count(*) FROM session JOIN user_agent a ON a.id = user_agent_id WHERE user_id = 'bob' AND md5(text) = '1b1a356486ca8a93471e5d96e3822f4a'";
    site.until(saved, 1).await;
    // a token that was not given to them is worth nothing there either
    let foreign = site.submit(&path, &still.body, &[("token", "x"), ("user_id", "eve")]).await;
    assert_eq!(foreign.status, 403);
}

#[tokio::test]
async fn what_was_typed_comes_back_after_the_sign_in_had_ended() {
    let site = Site::new().await;
    let ids = site.append(&[firefox("s", Utc::now())]).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let typed = "<b>\"a & b'\nzwei\u{202e}";
    let own = "http://footfall.example";
    let door = site.send_signed_out(&path, &[("user_agent", typed), ("user_id", "bob")], own).await;
    assert_eq!(door.status, 403);
    assert!(door.body.contains("Your sign-in has ended, so nothing was saved."), "{}", door.body);
    let form = door.cookie("footfall_form");
    let wrong = site.submit_with(&form, "/sign-in/", &door.body, &[("name", "ann"), ("password", "wrong")]).await;
    assert_eq!(wrong.status, 422);
    let right =
        site.submit_with(&form, "/sign-in/", &wrong.body, &[("name", "ann"), ("password", "correct horse")]).await;
    assert_eq!(right.status, 200);
    assert!(right.body.contains(&format!("action=\"{path}\"")) && !right.body.contains("<b>"), "{}", right.body);
    let signed_in = right.cookie("footfall_session");
    let back = site.submit_with(&signed_in, &path, &right.body, &[]).await;
    assert_eq!(back.status, 403, "the form is of the sign-in before: it is shown, not saved");
    assert!(back.body.contains("What you typed is still here") && back.body.contains("value=\"bob\""), "{}", back.body);
    assert_eq!(site.number("SELECT count(*) FROM admin_change").await, 0);
    site.submit_with(&signed_in, &path, &back.body, &[]).await.location();
    let saved = "SELECT count(*) FROM session JOIN user_agent a ON a.id = user_agent_id
                 WHERE user_id = 'bob' AND md5(text) = '";
    site.until(&format!("{saved}{}'", "1b1a356486ca8a93471e5d96e3822f4a"), 1).await;

    let foreign = site.send_signed_out(&path, &[("user_id", "eve")], "https://evil.example").await;
    assert_eq!(foreign.location(), format!("/sign-in/?next={}", path.replace('/', "%2F")), "nothing of it is kept");
    let long = "x".repeat(20_000);
    let long = site.send_signed_out(&path, &[("user_agent", &long)], own).await;
    assert_eq!(long.status, 303, "what is too long is not kept");
}

fn token_of(page: &str) -> &str {
    page.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap()
}
