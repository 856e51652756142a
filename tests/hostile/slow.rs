//! Those who take their time, leave half-way, or say nothing at all.

use crate::{
    target::{BOUND, Target},
    wire::{all_answers, connect, refused},
};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

const JSON: &str = "content-type: application/json\r\n";
const EVENT: &str = r#"{"session_id":"s","url":"http://a.example/"}"#;

fn post(length: usize) -> String {
    format!(
        "POST /pageviews/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// The number of files that a shell allows at first is too small for many connections: the service takes what it may.
#[test]
fn connections_that_say_nothing_are_nobodys_business() {
    let target = Target::in_shell("ulimit -Sn 256", &[]);
    target.endures("600 connections that say nothing", BOUND, |address| {
        let silent: Vec<TcpStream> = (0..600).map(|_| connect(address)).collect();
        // each of them has been accepted once one behind them is answered
        assert_eq!(target.service.get("/status/").status, 200);
        // half a request says no more
        for (at, mut stream) in silent.iter().enumerate() {
            stream.write_all(&b"POST /pageviews/ HTTP/1.1\r\nHost: a\r\n"[..at % 36]).unwrap();
        }
        for _ in 0..20 {
            assert_eq!(target.service.ask("POST", "/pageviews/", JSON, EVENT).status, 202);
        }
    });
}

#[test]
fn a_body_that_comes_byte_by_byte_costs_what_has_come() {
    let target = Target::new(&[]);
    target.endures("300 bodies, byte by byte", BOUND, |address| {
        let mut slow: Vec<TcpStream> = (0..300).map(|_| connect(address)).collect();
        let head = post(2_600_000);
        for stream in &mut slow {
            stream.write_all(head.as_bytes()).unwrap();
        }
        for _ in 0..10 {
            for stream in &mut slow {
                stream.write_all(b" ").unwrap();
            }
            assert_eq!(target.service.ask("POST", "/pageviews/", JSON, EVENT).status, 202);
        }
        // and heads: a header now and then
        let mut heads: Vec<TcpStream> = (0..100).map(|_| connect(address)).collect();
        for stream in &mut heads {
            stream.write_all(b"GET /sessions/ HTTP/1.1\r\nHost: a\r\n").unwrap();
        }
        for round in 0..20 {
            for stream in &mut heads {
                write!(stream, "X-{round}: 1\r\n").unwrap();
            }
        }
        // the last line is as good as if it had come at once
        for stream in &mut heads {
            stream.write_all(b"Connection: close\r\n\r\n").unwrap();
        }
        for mut stream in heads {
            assert_eq!(all_answers(&mut stream)[0].status, 200);
        }
    });
}

/// The database may take a few seconds before it counts as silent, and a form half a minute: its sender is told which it
/// was.
#[test]
fn a_form_that_does_not_come_is_not_taken_for_a_slow_database() {
    let target = Target::new(&[]);
    target.endures("forms that do not come", BOUND, |address| {
        let mut slow: Vec<TcpStream> = ["/sign-in/", "/sign-out/", "/admin/sessions/add/"]
            .map(|path| {
                let mut stream = connect(address);
                let kind = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100";
                write!(stream, "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{kind}\r\n\r\nname=a").unwrap();
                stream
            })
            .into();
        for stream in &mut slow {
            assert_eq!(all_answers(stream)[0].status, 408);
        }
    });
}

#[test]
fn who_leaves_half_way_leaves_nothing_behind() {
    let target = Target::new(&[]);
    let whole = post(EVENT.len()) + EVENT;
    target.endures("requests that end anywhere", BOUND, |address| {
        for end in 0..=whole.len() {
            let mut stream = connect(address);
            stream.write_all(&whole.as_bytes()[..end]).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let answers = all_answers(&mut stream);
            let well = end == whole.len() && answers.iter().all(|answer| answer.status == 202);
            assert!(well || refused(&answers), "{end}: {answers:?}");
        }
        for end in [1, 20, whole.len() - 1, whole.len()] {
            for _ in 0..50 {
                // gone without a word, its answer unread
                let mut stream = connect(address);
                stream.write_all(&whole.as_bytes()[..end]).unwrap();
            }
        }
    });
    // only whole requests may have become events
    let list = target.until("/pageviews/?count=exact&session_id=s", |answer| answer.status == 200);
    assert!(list.json()["count"].as_i64().unwrap() <= 51, "{list:?}");
}

#[test]
fn answers_that_nobody_takes_are_not_made_in_advance() {
    let target = Target::new(&[]);
    let element = "x".repeat(2_000);
    for _ in 0..100 {
        let body = format!(r#"{{"session_id":"s","event_type":"click","element":"{element}"}}"#);
        assert_eq!(target.service.ask("POST", "/interactions/", JSON, &body).status, 202);
    }
    target.until("/interactions/", |answer| answer.json()["count"] == 100);
    target.endures("100,000 answers that nobody reads", BOUND, |address| {
        let request = "GET /interactions/?limit=100 HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
        let mut greedy: Vec<TcpStream> = (0..50).map(|_| connect(address)).collect();
        for stream in &mut greedy {
            stream.set_nonblocking(true).unwrap();
            // as much as the service and the kernel take
            let (mut at, bytes) = (0, request.as_bytes());
            while let Ok(written) = stream.write(&bytes[at..]) {
                at += written;
                if at == bytes.len() {
                    break;
                }
            }
        }
        // meanwhile somebody who reads gets all of it
        for _ in 0..5 {
            assert_eq!(target.service.get("/interactions/?limit=100").json()["count"], 100);
        }
        // and so does one of them who changes his mind
        let mut late = greedy.pop().unwrap();
        late.set_nonblocking(false).unwrap();
        let mut first = [0; 12];
        late.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
    });
}
