//! The newcomer's way, and what people and programs do afterwards.

use crate::common::{JSON, Load, Up, complaint, eventually, footfall, get, post, run};
use std::{io::Write, net::TcpStream, process::Stdio, time::Instant};
use test_support::TestDatabase;

fn cookie(head: &str) -> String {
    let line =
        head.lines().find(|line| line.contains("footfall_session=")).unwrap_or_else(|| panic!("no cookie: {head}"));
    let pair = line.split_once(": ").unwrap().1.split(';').next().unwrap();
    format!("cookie: {pair}\r\n")
}

#[test]
fn a_newcomer_sees_the_first_event_in_lists_details_and_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);

    // the printed line, as a shell would run it
    let pasted = std::process::Command::new("sh").args(["-c", &up.curl]).output().unwrap();
    let accepted: serde_json::Value = serde_json::from_slice(&pasted.stdout).unwrap();
    let id = accepted["id"].as_i64().unwrap();

    let listed = eventually("the event is on the list", || {
        let (_, _, body) = get(&up.address, "/pageviews/", "");
        let list: serde_json::Value = serde_json::from_str(&body).ok()?;
        (list["count"] == 1).then_some(list)
    });
    assert_eq!(listed["results"][0]["id"], id);
    let (status, _, body) = get(&up.address, &format!("/pageviews/{id}/"), "");
    assert_eq!(status, 200);
    assert!(body.starts_with(&format!(r#"{{"id":{id},"url":"https://shop.example/","timestamp":""#)), "{body}");
    assert_eq!(get(&up.address, "/sessions/", "").2.matches(r#""session_id":"first""#).count(), 1);

    // nobody sees the report but who follows the link, once
    assert_eq!(get(&up.address, "/report/", "").0, 403);
    let (status, head, _) = get(&up.address, &up.link, "");
    assert_eq!(status, 303, "{head}");
    let cookie = cookie(&head);
    let (status, _, page) = get(&up.address, "/report/", &cookie);
    assert_eq!((status, page.contains("https://shop.example/")), (200, true));
    let (_, _, data) = get(&up.address, "/report/data/", &cookie);
    let data: serde_json::Value = serde_json::from_str(&data).unwrap();
    assert_eq!(data["page_views"][0]["urls"][0], serde_json::json!({"url": "https://shop.example/", "count": 1}));
    assert_eq!(get(&up.address, &up.link, "").0, 422, "a link works once");

    assert_eq!(up.interrupt(), Some(0));
    let started = Instant::now();
    let again = Up::start(folder.path(), &[]);
    println!("second start: {:?}", started.elapsed());
    assert_eq!(get(&again.address, &format!("/pageviews/{id}/"), "").2, body, "the data is still there");
}

#[test]
fn a_program_with_a_token_and_a_person_with_a_password_see_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().to_str().unwrap();
    let up = Up::start(folder.path(), &[]);

    let issued = run(["token", "issue", "--role", "staff", "--ttl", "1h", "--data-dir", data_dir]);
    let token = String::from_utf8(issued.stdout).unwrap();
    assert_eq!(token.lines().count(), 1, "the token stands alone on standard output");
    let bearer = format!("authorization: Bearer {}\r\n", token.trim());
    assert_eq!(get(&up.address, "/report/data/", &bearer).0, 200);
    assert_eq!(get(&up.address, "/sessions/", "authorization: Bearer wrong\r\n").0, 401);

    let mut adding = footfall(["account", "add", "ann", "--data-dir", data_dir]).stdin(Stdio::piped()).spawn().unwrap();
    adding.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
    assert!(adding.wait().unwrap().success());
    let sign_in = |password: &str| {
        let (_, head, page) = get(&up.address, "/sign-in/", "");
        let token = page.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap();
        let form =
            head.lines().find_map(|line| line.split_once("footfall_form=")).unwrap().1.split(';').next().unwrap();
        let headers = format!("content-type: application/x-www-form-urlencoded\r\ncookie: footfall_form={form}\r\n");
        post(&up.address, "/sign-in/", &headers, &format!("name=ann&password={password}&token={token}"))
    };
    assert_eq!(sign_in("wrong+horse").0, 422);
    let (status, head, _) = sign_in("correct+horse");
    assert_eq!(status, 303, "{head}");
    let cookie = cookie(&head);
    let (status, _, report) = get(&up.address, "/report/", &cookie);
    assert_eq!(status, 200);
    assert_eq!(post(&up.address, "/sign-out/", &cookie, "").0, 403, "without the page's token");
    let token = report.split_once("name=\"token\" value=\"").unwrap().1.split('"').next().unwrap();
    let form = format!("content-type: application/x-www-form-urlencoded\r\n{cookie}");
    assert_eq!(post(&up.address, "/sign-out/", &form, &format!("token={token}")).0, 303);
    assert_eq!(get(&up.address, "/report/", &cookie).0, 403, "a cookie ends with the sign-out");
}

#[test]
fn another_time_zone_asks_for_a_rebuild() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);
    // by then the read model has been made, for UTC
    up.caught_up();
    assert_eq!(up.interrupt(), Some(0));
    let data_dir = folder.path().to_str().unwrap();
    let listen = ["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--log", "error"];
    let output = run([&["up", "--data-dir", data_dir, "--time-zone", "Europe/Berlin"][..], &listen].concat());
    assert!(!output.status.success());
    let told = complaint(&output);
    assert!(told.contains("rebuild"), "{told}");
    let rebuilt = run(["rebuild", "--data-dir", data_dir, "--time-zone", "Europe/Berlin"]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    Up::start(folder.path(), &["--time-zone", "Europe/Berlin"]).caught_up();
}

/// The commands of the README's code block that begins so, at another address.
fn from_readme(begin: &str, address: &str) -> String {
    let blocks = include_str!("../../README.md").split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = blocks.into_iter().find(|block| block.starts_with(begin)).unwrap();
    block.replace("127.0.0.1:8080", address).replace("curl ", "curl --silent --show-error --fail ")
}

#[test]
fn the_readmes_curl_lines_work_when_pasted() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);
    let paste = |commands: String| {
        let output = std::process::Command::new("sh").args(["-ec", &commands]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let sent = paste(from_readme("curl -X POST http://127.0.0.1:8080/sessions/", &up.address));
    assert_eq!(sent.matches("\"recorded_at\"").count(), 3, "{sent}");
    up.caught_up();
    let read = paste(from_readme("curl http://127.0.0.1:8080/sessions/", &up.address));
    assert_eq!(read.matches("\"count\":1,").count(), 3, "{read}");
    assert!(read.contains("https://shop.example/") && read.contains("#buy"), "{read}");
}

#[test]
fn clients_that_stopped_half_way_do_not_hold_up_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);
    let half = [
        "GET /sess",
        "POST /pageviews/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
    ];
    let clients: Vec<TcpStream> = half
        .iter()
        .map(|half| {
            let mut client = TcpStream::connect(&up.address).unwrap();
            client.write_all(half.as_bytes()).unwrap();
            client
        })
        .collect();
    // an answer to a later request shows that the others have been taken
    assert_eq!(get(&up.address, "/sessions/", "").0, 200);
    assert_eq!(up.interrupt(), Some(0), "3 would say that it gave up waiting for them");
    drop(clients);
}

#[test]
fn hostile_but_valid_events_come_back_as_they_were_sent() {
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &[]);
    let user_agent: String = (0..100_000).map(|i| char::from(b'!' + u8::try_from(i * 7 % 90).unwrap())).collect();
    let url = format!("http://a.example/{}", "😀".repeat(2_000 - 17));
    let metadata = format!(
        r#"{{"big":{},"tiny":1e-16000,"float":1e307,"</script>":"\u0007'; DROP TABLE session; --"}}"#,
        "9".repeat(100_000)
    );
    for i in 0..100 {
        let session = serde_json::json!({"session_id": format!("s{i}"), "user_agent": user_agent, "ip_address": "2001:db8::1", "end_time": "9999-12-31T23:59:59.999999Z"});
        assert_eq!(post(&up.address, "/sessions/", JSON, &session.to_string()).0, 202);
    }
    let page_view = serde_json::json!({"session_id": "s1", "url": url});
    assert_eq!(post(&up.address, "/pageviews/", JSON, &page_view.to_string()).0, 202);
    let interaction = format!(r#"{{"session_id":"s2","event_type":"hover","element":"<b>","metadata":{metadata}}}"#);
    let (status, _, accepted) = post(&up.address, "/interactions/", JSON, &interaction);
    assert_eq!(status, 202, "{accepted}");
    up.caught_up();
    let list = |path: &str| serde_json::from_str::<serde_json::Value>(&get(&up.address, path, "").2).unwrap();
    let sessions = list("/sessions/?limit=100");
    assert_eq!((&sessions["count"], &sessions["results"][99]["user_agent"]), (&100.into(), &user_agent.into()));
    assert_eq!(sessions["results"][5]["end_time"], "9999-12-31T23:59:59.999999Z");
    assert_eq!(list("/pageviews/")["results"][0]["url"], url);
    let interactions = get(&up.address, "/interactions/", "").2;
    assert!(interactions.contains(&"9".repeat(100_000)) && interactions.contains("DROP TABLE session"));
    assert!(interactions.contains(&format!("0.{}1", "0".repeat(15_999))), "a tiny number keeps its value");
    let cookie = cookie(&get(&up.address, &up.link, "").1);
    assert_eq!(get(&up.address, "/report/", &cookie).0, 200);
    let dead = run(["dead-letter", "list", "--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&dead.stdout), "");
}

#[test]
fn a_lost_row_is_found_and_a_rebuild_makes_it_whole() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
    let acknowledged = folder.path().join("acknowledged");
    let up = Up::start(folder.path(), &["--database-url", &url]);
    Load::start(&up.address, 3_000, 1, &acknowledged).finish();
    up.caught_up();
    let before = get(&up.address, "/pageviews/?limit=50", "").2;
    assert_eq!(up.interrupt(), Some(0));
    let verify = || run(["verify", "--database-url", &url, "--acknowledged", acknowledged.to_str().unwrap()]);
    let whole = verify();
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stdout));

    runtime.block_on(async {
        let delete = "DELETE FROM footfall.page_view WHERE id IN (SELECT id FROM footfall.page_view LIMIT 3)";
        assert_eq!(sqlx::query(delete).execute(&database.pool().await).await.unwrap().rows_affected(), 3);
    });
    let damaged = verify();
    assert_eq!(damaged.status.code(), Some(1), "{}", String::from_utf8_lossy(&damaged.stdout));
    let rebuilt = run(["rebuild", "--accept-differences", "--database-url", &url]);
    assert!(rebuilt.status.success(), "{}", String::from_utf8_lossy(&rebuilt.stderr));
    let mended = verify();
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stdout));
    let up = Up::start(folder.path(), &["--database-url", &url]);
    assert_eq!(
        get(&up.address, "/pageviews/?limit=50", "").2.replace(&up.address, ""),
        before.replace(before_address(&before), "")
    );
}

/// The address in the links of a list.
fn before_address(list: &str) -> &str {
    list.split_once("http://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default())
}
