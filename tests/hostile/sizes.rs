//! Too much of everything.

use crate::{
    common::Answer,
    target::{BOUND, Target},
    wire::{all_answers, connect, converse, refused},
};
use std::io::Write;

const HUNDRED_MB: usize = 100_000_000;

const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

#[test]
fn ten_thousand_fields_are_a_clear_answer() {
    let target = Target::new(&[]);
    let good = "session_id=s&url=http://a.example/";
    target.endures("10,000 form fields", BOUND, |_| {
        let many = (0..10_000).map(|n| format!("&f{n}=x")).collect::<Vec<_>>().concat();
        let answer = target.service.ask("POST", "/pageviews/", FORM, &(good.to_owned() + &many));
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (400, Some("The form has more than 1000 fields."))
        );
        let same = "&url=http://a.example/".repeat(10_000);
        assert_eq!(target.service.ask("POST", "/pageviews/", FORM, &(good.to_owned() + &same)).status, 400);
        assert_eq!(target.service.ask("POST", "/pageviews/", FORM, &"&".repeat(2_000_000)).status, 400);

        let part = |name: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nx\r\n");
        let multipart = "content-type: multipart/form-data; boundary=b\r\n";
        let many = (0..10_000).map(|n| part(&format!("f{n}"))).collect::<Vec<_>>().concat();
        let answer = target.service.ask("POST", "/pageviews/", multipart, &(many + "--b--"));
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (400, Some("The form has more than 1000 fields."))
        );
        // parts without a name, boundaries without a part
        assert_eq!(
            target.service.ask("POST", "/pageviews/", multipart, &"--b\r\n\r\n\r\n".repeat(200_000)).status,
            400
        );
        assert_eq!(target.service.ask("POST", "/pageviews/", multipart, &"--b".repeat(800_000)).status, 400);
    });
    target.endures("10,000 keys of an object", BOUND, |_| {
        let json = "content-type: application/json\r\n";
        let many = (0..10_000).map(|n| format!("\"k{n}\":{n},")).collect::<Vec<_>>().concat();
        let body = format!(r#"{{{many}"session_id":"s","url":"http://a.example/"}}"#);
        assert_eq!(target.service.ask("POST", "/pageviews/", json, &body).status, 202);
        let body = format!(r#"{{{}"session_id":"s"}}"#, r#""url":"http://a.example/","#.repeat(50_000));
        assert_eq!(target.service.ask("POST", "/pageviews/", json, &body).status, 202);
        let deep = "[".repeat(2_000_000);
        assert_eq!(target.service.ask("POST", "/pageviews/", json, &deep).status, 400);
    });
}

#[test]
fn ten_thousand_parameters_are_a_clear_answer() {
    let target = Target::new(&[]);
    let answered = |path: &str, status: &[u16]| {
        let answer: Answer = target.service.get(path);
        assert!(status.contains(&answer.status), "{}…: {} {}", &path[..40], answer.status, answer.body);
    };
    let many = |pair: &str| vec![pair; 10_000].join("&");
    target.endures("10,000 parameters", BOUND, |_| {
        for path in ["/sessions/", "/pageviews/", "/interactions/", "/sessions/1/", "/report/", "/status/", "/"] {
            // those that nobody knows are passed over
            let found = if path == "/sessions/1/" {
                404
            } else if path == "/report/" {
                403
            } else {
                200
            };
            answered(&format!("{path}?{}", many("a=1")), &[found]);
            answered(&format!("{path}?{}", many("&")), &[found]);
        }
        answered(&format!("/pageviews/?{}", many("id=1")), &[200]);
        answered(&format!("/interactions/?{}", &many("event_type_in=")[..60_000]), &[400]);
        let types = vec!["event_type_in=click"; 3_000].join("&");
        answered(&format!("/interactions/?{types}"), &[200]);
        answered(&format!("/sessions/?ordering={}", "id,-".repeat(15_000)), &[200]);
        let terms = (0..10_000).map(|n| format!("{n},")).collect::<Vec<_>>().concat();
        answered(&format!("/sessions/?search={terms}"), &[400]);
        // each of them would be a condition of its own
        let paths = (0..4_000).map(|n| format!("&metadata__{n:x}=1")).collect::<Vec<_>>().concat();
        answered(&format!("/interactions/?{}", &paths[1..]), &[400]);
        let deep = format!("metadata{}=1", "__a".repeat(20_000));
        answered(&format!("/interactions/?{deep}"), &[200, 400]);
        answered(&format!("/pixel.gif?{}", many("a=1")), &[400]);
        answered(&format!("/pixel.gif?{}", many("element=1")), &[400, 414, 431]);
    });
    // longer than a request head may be
    let answers = converse(
        &target.service.address,
        format!("GET /sessions/?{} HTTP/1.1\r\nHost: a\r\n\r\n", many("abc=1234567")).as_bytes(),
    );
    assert!(refused(&answers), "{answers:?}");
}

#[test]
fn floods_of_headers_end_with_the_connection() {
    let target = Target::new(&[]);
    let address = target.service.address.clone();
    let head = |headers: &str| format!("GET /sessions/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n");
    target.endures("header floods", BOUND, |_| {
        let many = (0..10_000).map(|n| format!("X-{n}: {n}\r\n")).collect::<Vec<_>>().concat();
        let short = (0..1_000).map(|n| format!("X{n}:\r\n")).collect::<Vec<_>>().concat();
        for headers in [&many, &short, &format!("X: {}\r\n", "a".repeat(1 << 20)), &"X: a\r\n".repeat(5_000)] {
            let answers = converse(&address, head(headers).as_bytes());
            assert!(refused(&answers), "{answers:?}");
        }
        for cookie in [
            format!("Cookie: {}\r\n", "a=b; ".repeat(10_000)),
            format!("Accept: {}\r\n", "a/b,".repeat(12_000)),
            format!("Accept: {}*/*\r\n", "a/b;q=0.1, ".repeat(5_000)),
            format!("X-Forwarded-For: {}\r\n", "192.0.2.1, ".repeat(5_000)),
        ] {
            let answers = converse(&address, head(&cookie).as_bytes());
            assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 400..=499)), "{answers:?}");
        }
    });
    target.endures("a head that never ends", BOUND, |_| {
        let mut stream = connect(&address);
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let line = format!("X: {}\r\n", "a".repeat(1_000));
        let mut sent = 0;
        while stream.write_all(line.as_bytes()).is_ok() {
            sent += line.len();
            assert!(sent < 64 << 20, "nobody stops it");
        }
        assert!(refused(&all_answers(&mut stream)));
    });
    target.endures("a path that never ends", BOUND, |_| {
        let mut stream = connect(&address);
        stream.write_all(b"GET /").unwrap();
        while stream.write_all(&[b'a'; 1_000]).is_ok() {}
        assert!(refused(&all_answers(&mut stream)));
    });
}

#[test]
fn bodies_beyond_the_limit_are_refused_before_they_are_there() {
    let target = Target::new(&[]);
    let address = target.service.address.clone();
    target.endures("100 MB at once, ten times", BOUND, |_| {
        for path in ["/pageviews/", "/sessions/", "/interactions/", "/sessions/s/end/", "/sign-in/"] {
            for framing in ["announced", "chunked"] {
                let mut stream = connect(&address);
                let length = if framing == "announced" {
                    format!("Content-Length: {HUNDRED_MB}")
                } else {
                    "Transfer-Encoding: chunked".to_owned()
                };
                let head =
                    format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                let block = vec![b' '; 1_000_000];
                let mut sent = 0;
                while sent < HUNDRED_MB {
                    let chunk =
                        if framing == "chunked" { [b"f4240\r\n", &block[..], b"\r\n"].concat() } else { block.clone() };
                    if stream.write_all(&chunk).is_err() {
                        break;
                    }
                    sent += block.len();
                }
                assert!(sent < HUNDRED_MB, "{path}: all of it was taken");
                let answers = all_answers(&mut stream);
                assert!(refused(&answers), "{path}: {answers:?}");
            }
        }
    });
    // whoever asks before he sends hears it
    let asked = "POST /pageviews/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n";
    let answers = converse(&address, asked.as_bytes());
    assert_eq!((answers.len(), answers[0].status), (1, 413), "{answers:?}");
}

#[test]
fn absurd_paths_and_hosts_lead_nowhere() {
    let target = Target::new(&["--trusted-proxies", "127.0.0.1"]);
    let address = target.service.address.clone();
    let ask = |path: &str, headers: &str| {
        converse(&address, format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    };
    target.endures("absurd paths", BOUND, |_| {
        let long = format!("/{}", "a".repeat(100_000));
        let segments = "/a".repeat(30_000);
        let many = "/sessions".repeat(7_000);
        for path in [
            &long,
            &segments,
            &many,
            "/%00",
            "/sessions/%00/",
            "/sessions/%FF/",
            "/sessions/%ED%A0%80/",
            "/sessions/%/",
            "/sessions/1%2F/",
            "/sessions/../sessions/",
            "/..",
            "/../../etc/passwd",
            "/..%2f..%2fetc/passwd",
            "//",
            "///",
            "//sessions/",
            "//evil.example/sessions",
            "/sessions//",
            "/sessions/;x/",
            "/sessions/\u{0}/",
            "/sessions\\",
            "/\\evil.example/sessions",
            "/sessions/?%00=%00&x",
            "*",
            "sessions/",
            "http://evil.example/nowhere",
            "/sessions/9223372036854775808/",
            "/sessions/-9223372036854775809/",
            "/sessions/1e3/",
            "/sessions/%00/end/",
            "/%2e%2e/sessions/",
            "/sessions/%0d%0aX:%20y",
            "/sessions%0d%0a",
            "/\u{202e}",
            "/pixel.gif/",
            "/assets/../Cargo.toml",
        ] {
            let answers = ask(path, "Host: a\r\n");
            let shown: String = path.chars().take(60).collect();
            let clear = answers.iter().all(|answer| matches!(answer.status, 301 | 400..=499));
            assert!(answers.len() <= 1 && (clear || path.contains('?')), "{shown}: {answers:?}");
            assert!(answers.iter().all(|answer| answer.status < 500), "{shown}: {answers:?}");
        }
    });
    let far = "a".repeat(60_000);
    let hosts = [
        "",
        "evil.example/path",
        "user@evil.example",
        "a b",
        "a\"b",
        "<script>",
        "[::1",
        "\u{e9}.example",
        "a:99999999",
        "..",
        &far,
        "a, b",
    ];
    let claims = ["Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "X-Real-IP"];
    target.endures("absurd hosts", BOUND, |_| {
        for host in hosts {
            for name in claims {
                let own = if name == "Host" { "" } else { "Host: a.example\r\n" };
                let answers = ask("/?limit=1", &format!("{own}{name}: {host}\r\n"));
                assert!(answers.len() <= 1, "{name}: {host}: {answers:?}");
                for answer in &answers {
                    assert!(matches!(answer.status, 200 | 400..=499), "{name}: {host}: {answer:?}");
                    // what cannot be a host is not repeated, and leaves the JSON whole
                    if answer.status == 200 {
                        let links: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
                        let link = links["sessions"].as_str().unwrap();
                        assert!(link.ends_with("/sessions/") && !link.contains(['@', '"', '<', ' ', ',']), "{link}");
                    }
                }
            }
        }
    });
    // one host a request, as the standard has it
    for headers in ["Host: a.example\r\nHost: b.example\r\n", "Host: a.example\r\nHost: a.example\r\n", ""] {
        let answers = ask("/", headers);
        assert!(answers.len() == 1 && answers[0].status == 400, "{headers:?}: {answers:?}");
    }
}

#[test]
fn pages_of_the_largest_objects_are_sent_whole_in_bounded_memory() {
    const OBJECTS: usize = 20;
    const EACH: usize = 2_600_000;
    let target = Target::new(&[]);
    let json = "content-type: application/json\r\n";
    for at in 0..OBJECTS {
        let (text, session) = ("m".repeat(EACH), format!("large-{at}"));
        let event = serde_json::json!({"session_id": session, "event_type": "click", "element": "e", "metadata": text});
        assert_eq!(target.service.ask("POST", "/interactions/", json, &event.to_string()).status, 202);
        let session =
            serde_json::json!({"session_id": session, "ip_address": "192.0.2.1", "user_agent": "u".repeat(EACH)});
        assert_eq!(target.service.ask("POST", "/sessions/", json, &session.to_string()).status, 202);
    }
    let path = "/sessions/?limit=100&session_id_contains=large&user_agent_contains=uuu";
    let page = target.until(path, |answer| answer.status == 200 && answer.body.len() > OBJECTS * EACH).json();
    let results = page["results"].as_array().unwrap();
    assert_eq!((results.len(), page["count"].as_u64()), (OBJECTS, Some(OBJECTS as u64)));
    for object in results {
        let detail = target.service.get(&format!("/sessions/{}/", object["id"]));
        assert!(detail.json() == *object, "an object in a list is the one of its own page");
    }
    // what somebody else reads is not among them
    for at in 0..10 {
        let small = serde_json::json!({"session_id": format!("small-{at}"), "url": "http://a.example/"});
        assert_eq!(target.service.ask("POST", "/pageviews/", json, &small.to_string()).status, 202);
    }
    target.until("/sessions/", |answer| !answer.body.contains("large-"));
    // 100 MB an answer, eight at once
    target.endures("pages of 100 MB", BOUND, |address| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                let address = address.to_owned();
                std::thread::spawn(move || {
                    let mut stream = connect(&address);
                    write!(
                        stream,
                        "GET /interactions/?limit=100 HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
                    )
                    .unwrap();
                    std::io::copy(&mut stream, &mut std::io::sink()).unwrap()
                })
            })
            .collect();
        for reader in readers {
            let read = usize::try_from(reader.join().unwrap()).unwrap();
            let (is_whole, is_refused) = (read > 2 * OBJECTS * EACH, read < 1_000);
            assert!(is_whole || is_refused, "whole, or told to come again: {read} bytes");
        }
    });
}
