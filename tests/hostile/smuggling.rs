//! One request on the wire is one request: never two events, never an answer to something that nobody asked.

use crate::{
    target::{BOUND, Target},
    wire::{Answer, converse, refused},
};

/// What an attacker would like to be taken for a request of its own. It would be a good one.
const INNER: &str = r#"{"session_id":"s","url":"http://smuggled.example/"}"#;

/// A good page view, as it stands in the body of a request.
const OUTER: &str = r#"{"session_id":"s","url":"http://honest.example/"}"#;

fn inner() -> String {
    let length = INNER.len();
    format!(
        "POST /pageviews/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{INNER}"
    )
}

fn post(headers: &str, body: &str) -> String {
    format!("POST /pageviews/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{headers}\r\n{body}")
}

/// What comes behind on the same connection; it has its answer, or the connection is closed.
const NEXT: &str = "GET /nowhere/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn ask(target: &Target, request: &str) -> Vec<Answer> {
    converse(&target.service.address, format!("{request}{NEXT}").as_bytes())
}

/// A page view is behind all others of its session, so once it is seen, all are.
fn nothing_was_smuggled(target: &Target, honest: usize) {
    let json = "content-type: application/json\r\n";
    let last = target.service.ask("POST", "/pageviews/", json, r#"{"session_id":"s","url":"http://last.example/"}"#);
    assert_eq!(last.status, 202, "{last:?}");
    target.until("/pageviews/?url_contains=last.example", |answer| answer.json()["count"] == 1);
    let count = |part: &str| target.service.get(&format!("/pageviews/?url_contains={part}")).json()["count"].clone();
    assert_eq!(count("smuggled"), 0, "a request was smuggled in");
    assert_eq!(count("honest"), honest, "one request, one event");
}

#[test]
fn lengths_that_contradict_each_other_are_refused_or_end_the_connection() {
    let target = Target::new(&[]);
    let (inner, length) = (inner(), OUTER.len());
    let chunked = format!("{length:x}\r\n{OUTER}\r\n0\r\n\r\n");
    let whole = format!("0\r\n\r\n{inner}");
    let refused_outright = [
        // two lengths
        post(
            &format!("Content-Length: {length}\r\nContent-Length: {}\r\n", length + inner.len()),
            &(OUTER.to_owned() + &inner),
        ),
        post(
            &format!("Content-Length: {}\r\nContent-Length: {length}\r\n", length + inner.len()),
            &(OUTER.to_owned() + &inner),
        ),
        post(&format!("Content-Length: {length}, {length}\r\n"), OUTER),
        post(&format!("Content-Length: {length}, 0\r\n"), OUTER),
        // no lengths
        post(&format!("Content-Length: +{length}\r\n"), OUTER),
        post(&format!("Content-Length: -{length}\r\n"), OUTER),
        post(&format!("Content-Length: 0x{length:x}\r\n"), OUTER),
        post(&format!("Content-Length: {length}.0\r\n"), OUTER),
        post("Content-Length: 18446744073709551616\r\n", OUTER),
        post("Content-Length: 18446744073709551615\r\n", OUTER),
        post("Content-Length: \u{664}\u{669}\r\n", OUTER),
        post("Content-Length: \r\n", OUTER),
        post(&format!("Content-Length: {length} {length}\r\n"), OUTER),
        // other codings, and other ways to write this one
        post("Transfer-Encoding: identity\r\n", &chunked),
        post("Transfer-Encoding: chunked, identity\r\n", &chunked),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &chunked),
        post("Transfer-Encoding: xchunked\r\n", &chunked),
        post("Transfer-Encoding: chunked;q=1\r\n", &chunked),
        post("Transfer-Encoding: \"chunked\"\r\n", &chunked),
        post("Transfer-Encoding : chunked\r\n", &chunked),
        post("Transfer-Encoding\t: chunked\r\n", &chunked),
        post("Transfer-Encoding: chunked\x0b\r\n", &chunked),
        post(" Transfer-Encoding: chunked\r\n", &chunked),
        // headers that are none
        post(&format!("Content-Length: {length}\r\n X: folded\r\n"), OUTER),
        post(&format!("Content-Length:\r\n {length}\r\n"), OUTER),
        post(&format!("X: a\rContent-Length: 0\r\nContent-Length: {length}\r\n"), OUTER),
        post(&format!("X: a\0b\r\nContent-Length: {length}\r\n"), OUTER),
        post(&format!("no colon\r\nContent-Length: {length}\r\n"), OUTER),
        post(&format!("Content-Length: {length}\r\n: nameless\r\n"), OUTER),
        format!("POST /pageviews/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"),
    ];
    target.endures("contradicting lengths", BOUND, |_| {
        for request in &refused_outright {
            let answers = ask(&target, request);
            assert!(refused(&answers) && answers.iter().all(|answer| answer.status != 404), "{request:?}: {answers:?}");
        }
    });
    // The standard lets a server go by the coding alone, if the connection ends there.
    for request in [
        post(&format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", whole.len()), &whole),
        post(&format!("Transfer-Encoding: chunked\r\nContent-Length: {}\r\n", whole.len()), &whole),
        post(
            &format!("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nContent-Length: {}\r\n", whole.len()),
            &whole,
        ),
        post(
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            &format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len()),
        ),
        post(
            "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
            &format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len()),
        ),
    ] {
        let answers = ask(&target, &request);
        assert!(refused(&answers), "{request:?}: {answers:?}");
    }
    nothing_was_smuggled(&target, 0);
}

#[test]
fn chunks_are_read_to_the_letter_or_not_at_all() {
    let target = Target::new(&[]);
    let (length, half) = (OUTER.len(), OUTER.len() / 2);
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    let good = [
        format!("{length:x}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:X}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("000{length:x}\r\n{OUTER}\r\n000\r\n\r\n"),
        format!("{length:x};name=value;\"quoted\"\r\n{OUTER}\r\n0;last\r\n\r\n"),
        format!("{half:x}\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n", &OUTER[..half], length - half, &OUTER[half..]),
        format!("{length:x}\r\n{OUTER}\r\n0\r\nTrailer: x\r\nContent-Length: 5\r\n\r\n"),
    ];
    for body in &good {
        let answers = ask(&target, &chunked(body));
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [202, 404], "{body:?}: {answers:?}");
    }
    let inner = inner();
    let long = "x".repeat(100_000);
    let bad = [
        format!("FFFFFFFFFFFFFFFFF\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("10000000000000{length:03x}\r\n{OUTER}\r\n0\r\n\r\n{inner}"),
        format!("100000000{length:08x}\r\n{OUTER}\r\n0\r\n\r\n{inner}"),
        format!("0x{length:x}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("-{length:x}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("+{length:x}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!(" {length:x}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:x} 0\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:x}\n{OUTER}\n0\n\n{inner}"),
        format!("{length:x}\r{OUTER}\r0\r\r"),
        format!("{length:x};a\nb\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:x};{long}\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:x}g\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("\r\n{OUTER}\r\n0\r\n\r\n"),
        format!("{length:x}\r\n{OUTER}0\r\n\r\n"),
        format!("{:x}\r\n{OUTER}\r\n0\r\n\r\n{inner}", length - 1),
        format!("{:x}\r\n{OUTER}\r\n0\r\n\r\n", length + 1),
        format!("{length:x}\r\n{OUTER}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
        format!("{length:x}\r\n{OUTER}\r\n0\r\nX: {long}\r\n\r\n"),
    ];
    target.endures("chunk tricks", BOUND, |_| {
        for body in &bad {
            let answers = ask(&target, &chunked(body));
            assert!(refused(&answers) && answers.iter().all(|answer| answer.status != 404), "{body:?}: {answers:?}");
        }
    });
    nothing_was_smuggled(&target, good.len());
}

#[test]
fn the_body_of_a_request_that_needs_none_is_never_the_next_request() {
    let target = Target::new(&[]);
    let inner = inner();
    let requests = [
        ("GET", "/sessions/"),
        ("GET", "/sessions/1/"),
        ("GET", "/pixel.gif"),
        ("GET", "/"),
        ("GET", "/report/"),
        ("HEAD", "/pageviews/"),
        ("PUT", "/pageviews/"),
        ("OPTIONS", "/pageviews/"),
        ("POST", "/nowhere/"),
        ("POST", "/pageviews"),
        ("POST", "/sessions/s/end/"),
        ("DELETE", "/pageviews/1/"),
        ("TRACE", "/"),
        ("CONNECT", "a:80"),
        ("BREW", "/pageviews/"),
    ];
    target.endures("bodies that nobody reads", BOUND, |_| {
        for (method, path) in requests {
            for body in [inner.clone(), inner.repeat(20), format!("{}{inner}", " ".repeat(300_000))] {
                let length = body.len();
                for framing in [
                    format!("Content-Length: {length}\r\n\r\n{body}"),
                    format!("Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"),
                    format!("Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n{body}"),
                    format!("Upgrade: h2c, websocket\r\nConnection: upgrade\r\nContent-Length: {length}\r\n\r\n{body}"),
                ] {
                    let request = format!("{method} {path} HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n{framing}");
                    let answers = ask(&target, &request);
                    assert!(answers.len() <= 2, "{method} {path}: {answers:?}");
                    assert!(answers.iter().all(|answer| answer.status < 500), "{method} {path}: {answers:?}");
                    assert!(answers.get(1).is_none_or(|next| next.status == 404), "{method} {path}: {answers:?}");
                }
            }
        }
    });
    // what is refused for its size, type or access is not read to its end either
    let body = format!("{}{inner}", " ".repeat(3_000_000));
    for headers in ["Content-Type: application/json\r\n", "Content-Type: image/png\r\n", "Authorization: Bearer x\r\n"]
    {
        let request =
            format!("POST /pageviews/ HTTP/1.1\r\nHost: a\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        let answers = ask(&target, &request);
        assert!(refused(&answers), "{headers}: {answers:?}");
    }
    nothing_was_smuggled(&target, 0);
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let target = Target::new(&[]);
    let request = |number: usize| {
        let body = format!(r#"{{"session_id":"s","url":"http://honest.example/{number}"}}"#);
        post(&format!("Content-Length: {}\r\n", body.len()), &body)
    };
    let all: String = (0..1_000).map(request).collect();
    let answers = target.endures("1,000 pipelined requests", BOUND, |_| ask(&target, &all));
    assert_eq!(answers.len(), 1_001);
    for (number, answer) in answers[..1_000].iter().enumerate() {
        assert!(answer.status == 202 && answer.body.contains(&format!("honest.example/{number}\"")), "{answer:?}");
    }
    assert_eq!(answers[1_000].status, 404);
    nothing_was_smuggled(&target, 1_000);
}

#[test]
fn what_speaks_another_protocol_is_told_so_or_left() {
    let target = Target::new(&[]);
    let address = &target.service.address;
    for bytes in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"GET /sessions/\r\n\r\n",
        b"GET /sessions/ HTTP/3.0\r\n\r\n",
        b"GET  /sessions/  HTTP/1.1\r\n\r\n",
        b"GET /sessions/ HTTP/1.1 \r\n\r\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"\0\0\0\x08\x04\xd2\x16\x2f",
        b"\r\n\r\n\r\n\0",
        b"GET /sess\xffions/ HTTP/1.1\0\r\n\r\n",
    ] {
        let answers = converse(address, bytes);
        assert!(refused(&answers), "{bytes:?}: {answers:?}");
    }
    assert_eq!(target.service.get("/sessions/").status, 200);
}
