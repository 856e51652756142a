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
