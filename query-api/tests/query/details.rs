//! Details by id, the root, and what every path answers alike. Contract § 1, 2 and 4.

use crate::common::{HOST, Setup, Site, events::*, get, request};
use service::client_address::Peer;

const NOT_FOUND: &str = r#"{"detail":"Not found."}"#;

async fn with_one_of_each(setup: Setup) -> (Site, [i64; 3]) {
    let mut site = Site::with(setup).await;
    let at = time("2026-07-01T10:00:00Z");
    let ids =
        site.project(&[session("s", at, None), page_view("s", at, "http://a.example/"), click("s", at, "#a")]).await;
    (site, ids.try_into().unwrap())
}

#[tokio::test]
async fn a_detail_is_the_object_as_the_list_has_it() {
    let (site, ids) = with_one_of_each(Setup { partitions: 12, ..Setup::default() }).await;
    for (path, id) in ["/sessions/", "/pageviews/", "/interactions/"].into_iter().zip(ids) {
        let (list, detail) = (site.get(path).await, site.get(&format!("{path}{id}/")).await);
        assert_eq!((detail.status.as_u16(), detail.header("content-type")), (200, "application/json"));
        assert_eq!(list.body, format!(r#"{{"count":1,"next":null,"previous":null,"results":[{}]}}"#, detail.body));
        assert_eq!(detail.json()["id"], id);
        let head = site.send(request("HEAD", &format!("{path}{id}/"))).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    }
}

#[tokio::test]
async fn an_id_that_is_not_there_is_told_by_the_originals_name() {
    let (site, [session, page_view, interaction]) = with_one_of_each(Setup::default()).await;
    let cases = [
        ("sessions", "UserSession", [page_view, interaction]),
        ("pageviews", "PageView", [session, interaction]),
        ("interactions", "UserInteraction", [session, page_view]),
    ];
    for (path, name, others) in cases {
        let expected = format!(r#"{{"detail":"No {name} matches the given query."}}"#);
        let huge = "9".repeat(400);
        let ids = [
            "0",
            "-1",
            "-0",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            &huge,
        ];
        for id in ids.into_iter().map(str::to_owned).chain(others.map(|id| id.to_string())) {
            let answer = site.get(&format!("/{path}/{id}/")).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, expected.as_str()), "{id}");
        }
    }
}

#[tokio::test]
async fn an_id_that_is_no_integer_is_not_found_whatever_it_is() {
    let (site, _) = with_one_of_each(Setup { base_path: "/below", ..Setup::default() }).await;
    let ids = [
        "x",
        "1.0",
        "1e0",
        "0x1",
        "1,2",
        "--1",
        "+",
        "-",
        "%20",
        "%00",
        "1%00",
        "%FF",
        "%C3%28",
        "%ED%A0%80",
        "%F0%9F%98%80",
        "1%2F2",
        "%2E%2E",
        "..",
        "1;DROP%20TABLE%20session",
        "1'%20OR%20'1'='1",
        "null",
        "%25",
        "%zz",
        "1%0A2",
        "NaN",
        "%C2%B2",
    ];
    for path in ["sessions", "pageviews", "interactions"] {
        for id in ids {
            let answer = site.get(&format!("/below/{path}/{id}/")).await;
            assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, NOT_FOUND), "{path} {id}");
            assert_eq!(answer.header("content-type"), "application/json", "{path} {id}");
        }
    }
}

#[tokio::test]
async fn the_root_names_the_lists() {
    for base_path in ["", "/user_behavior"] {
        let site = Site::with(Setup { base_path, ..Setup::default() }).await;
        let answer = site.get(&format!("{base_path}/")).await;
        let url = format!("http://{HOST}{base_path}");
        let expected = format!(
            r#"{{"sessions":"{url}/sessions/","pageviews":"{url}/pageviews/","interactions":"{url}/interactions/"}}"#
        );
        assert_eq!((answer.status.as_u16(), answer.body), (200, expected));
    }
    let site = Site::with(Setup { base_path: "/user_behavior", ..Setup::default() }).await;
    let answer = site.get("/user_behavior?format=json").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (301, "/user_behavior/?format=json"));
    assert_eq!(site.get("/user_behaviorx/").await.status, 404);
}

#[tokio::test]
async fn paths_end_in_a_slash_methods_are_named_and_everything_else_is_not_found() {
    let (site, [id, ..]) = with_one_of_each(Setup { base_path: "/below", ..Setup::default() }).await;
    for path in ["/below/sessions", "/below/report", "/below/report/data", "/below/sign-in", "/below/status"] {
        let answer = site.get(&format!("{path}?limit=2&a=%20")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (301, format!("{path}/?limit=2&a=%20").as_str())
        );
    }
    assert_eq!(site.get(&format!("/below/sessions/{id}")).await.header("location"), format!("/below/sessions/{id}/"));
    for path in ["/sessions/", "/below/nowhere/", "/below/sessions.json", "/below/sessions/1/2/", "/"] {
        let answer = site.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, NOT_FOUND), "{path}");
    }
    let detail = format!("/below/sessions/{id}/");
    for method in ["PUT", "PATCH", "DELETE", "POST", "TRACE"] {
        let answer = site.send(request(method, &detail)).await;
        let expected = format!(r#"{{"detail":"Method \"{method}\" not allowed."}}"#);
        assert_eq!((answer.status.as_u16(), answer.body), (405, expected));
        assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS");
    }
    let options = site.send(request("OPTIONS", &detail)).await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (200, "GET, HEAD, OPTIONS"));
}

#[tokio::test]
async fn json_is_served_to_those_who_take_it() {
    let (site, [id, ..]) = with_one_of_each(Setup::default()).await;
    for path in ["/".to_owned(), "/sessions/".into(), format!("/sessions/{id}/")] {
        for (accept, status) in [
            ("*/*", 200),
            ("application/json", 200),
            ("text/html, */*;q=0.1", 200),
            ("text/html", 406),
            ("image/png", 406),
        ] {
            assert_eq!(site.send(get(&path).header("accept", accept)).await.status, status, "{path} {accept}");
        }
        assert_eq!(site.get(&format!("{path}?format=json")).await.status, 200);
        let answer = site.get(&format!("{path}?format=api")).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (404, NOT_FOUND));
    }
}

#[tokio::test]
async fn a_host_that_is_none_never_gets_into_a_link() {
    let site = Site::new().await;
    for host in ["evil.example/path", "a b", "<script>", "user@evil.example", "\u{fc}.example", ""] {
        let hostile = axum::http::Request::builder().uri("/").header("host", host.as_bytes());
        assert!(
            site.send(hostile.extension(Peer([192, 0, 2, 1].into())))
                .await
                .body
                .contains(r#":"http://localhost/sessions/""#),
            "{host}"
        );
    }
}
