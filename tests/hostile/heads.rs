//! Heads of requests that are too long, or lead nowhere.

use crate::{
    target::{BOUND, Target},
    wire::{all_answers, connect, converse, refused},
};
use std::io::Write;

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
