//! SQL, HTML and whatever else a text may look like: it comes back as it was sent, in every field, in every way to send
//! it and to ask for it.

use crate::target::Target;
use serde_json::{Value, json};

const JSON: &str = "content-type: application/json\r\n";

/// Texts that a program might take for something else.
fn texts() -> Vec<String> {
    let texts = [
        "'; DROP TABLE footfall.session; --",
        "' OR '1'='1",
        "\" ; SELECT pg_sleep(60); --",
        "$1 $$ $tag$ :name @p ?",
        "100% _under_ \\ \\% \\_ \\\\",
        "%' ESCAPE '!",
        "{1,2} [3] (4) <5> 'a'::jsonb E'\\x41'",
        "<script>alert(1)</script>",
        "</script><img src=x onerror=alert(1)>",
        "\"><svg/onload=alert(1)> &lt;&amp;&#39;",
        "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> %s %n %x",
        "=cmd|'/c calc'!A1",
        "\u{202e}txt.exe\u{202c} \u{200f}\u{200e}\u{2066}",
        "😀👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 𝕱 \u{10ffff}",
        "e\u{301} é İıßſK \u{feff}\u{fffd}",
        "a\u{1}\u{7}\u{8}\u{1b}[31m\u{7f}\u{85}b",
        "line\nfeed\r\nreturn\ttab\u{b}\u{c}end",
        "../../../etc/passwd",
        "null",
        "NaN",
        "a,b;c=d&e=f#g?h",
        "\u{2028}\u{2029}x",
        "{\"a\":[1,\"\\u0041\"]}",
    ];
    texts.into_iter().map(str::to_owned).collect()
}

fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
}

/// The same fields as JSON, as a form and as a multipart form.
fn send(target: &Target, way: usize, path: &str, fields: &[(&str, String)]) {
    let answer = match way % 3 {
        0 => {
            let pairs: Vec<String> = fields
                .iter()
                .map(|(name, value)| {
                    let value =
                        if *name == "metadata" { value.clone() } else { Value::from(value.as_str()).to_string() };
                    format!("\"{name}\":{value}")
                })
                .collect();
            target.service.ask("POST", path, JSON, &format!("{{{}}}", pairs.join(",")))
        }
        1 => {
            let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
            let form = "content-type: application/x-www-form-urlencoded\r\n";
            target.service.ask("POST", path, form, &pairs.join("&"))
        }
        _ => {
            let part = |(name, value): &(&str, String)| {
                format!("--bOuNdArY\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            };
            let body = fields.iter().map(part).collect::<String>() + "--bOuNdArY--\r\n";
            target.service.ask("POST", path, "content-type: multipart/form-data; boundary=bOuNdArY\r\n", &body)
        }
    };
    assert_eq!(answer.status, 202, "{path} {fields:?}: {answer:?}");
    // the answer says what was taken
    for (name, value) in fields.iter().filter(|(name, _)| *name != "metadata") {
        assert_eq!(answer.json()[name], **value, "{name}");
    }
}

/// The only object of a list.
fn only(target: &Target, path: &str) -> Value {
    let answer = target.service.get(path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    let list = answer.json();
    assert_eq!(list["count"], 1, "{path}: {list}");
    list["results"][0].clone()
}

#[test]
fn text_comes_back_as_it_was_sent_from_ingest_to_lists_filters_and_search() {
    let target = Target::new(&[]);
    let texts = texts();
    for (way, text) in texts.iter().enumerate() {
        // trimmed, as the contract has it, and told apart where two texts would be one
        let (name, url) =
            (format!("s{way} {text}.").trim().to_owned(), format!("http://a.example/{way}?{}", encode(text)));
        let raw_url = format!("http://a.example/{way}/<\"\\%zz");
        let element = format!("#e{way} {text}.");
        send(
            &target,
            way,
            "/sessions/",
            &[
                ("session_id", name.clone()),
                ("user_agent", format!("ua{way} {text}.")),
                ("ip_address", "192.0.2.1".into()),
                ("user_id", format!("u{way} {text}.")),
            ],
        );
        for url in [url, raw_url] {
            send(&target, way, "/pageviews/", &[("url", url), ("session_id", name.clone())]);
        }
        send(
            &target,
            way,
            "/interactions/",
            &[
                ("event_type", "click".into()),
                ("element", element),
                ("metadata", json!({ text: [text], "n": way }).to_string()),
                ("session_id", name),
            ],
        );
    }
    let count = texts.len();
    target.until("/sessions/", |answer| answer.json()["count"] == count);
    target.until("/pageviews/", |answer| answer.json()["count"] == 2 * count);
    target.until("/interactions/", |answer| answer.json()["count"] == count);

    for (way, text) in texts.iter().enumerate() {
        let name = format!("s{way} {text}.");
        let by_name = only(&target, &format!("/sessions/?session_id={}", encode(&name)));
        assert_eq!(by_name["session_id"], name);
        assert_eq!(by_name["user_agent"], format!("ua{way} {text}."));
        assert_eq!(by_name["user_id"], format!("u{way} {text}."));
        let detail = target.service.get(&format!("/sessions/{}/", by_name["id"]));
        assert_eq!(detail.json(), by_name, "the detail");
        for filter in [
            format!("user_agent={}", encode(&format!("ua{way} {text}."))),
            format!("user_id={}", encode(&format!("u{way} {text}."))),
            format!("session_id_contains={}", encode(&name)),
            format!("user_agent_contains={}", encode(&format!("ua{way} {text}"))),
            format!("user_id_contains={}", encode(&format!("u{way} {text}"))),
        ] {
            assert_eq!(only(&target, &format!("/sessions/?{filter}")), by_name, "{filter}");
        }

        let event = only(&target, &format!("/interactions/?element={}", encode(&format!("#e{way} {text}."))));
        assert_eq!(event["element"], format!("#e{way} {text}."));
        assert_eq!(event["metadata"], json!({ text: [text], "n": way }));
        assert_eq!(event["session"], by_name);
        for filter in [
            format!("session_id={}&element_contains=%23e", encode(&name)),
            format!("element_startswith={}", encode(&format!("#e{way} {text}"))),
            format!("metadata__n={way}"),
        ] {
            assert_eq!(only(&target, &format!("/interactions/?{filter}")), event, "{filter}");
        }
        let urls = target.service.get(&format!("/pageviews/?session_id={}&ordering=timestamp", encode(&name))).json();
        assert_eq!(urls["results"][0]["url"], format!("http://a.example/{way}?{}", encode(text)));
        assert_eq!(urls["results"][1]["url"], format!("http://a.example/{way}/<\"\\%zz"));
        only(&target, &format!("/pageviews/?url={}", encode(&format!("http://a.example/{way}/<\"\\%zz"))));
        only(&target, &format!("/pageviews/?url_endswith={}", encode(&format!("/{way}/<\"\\%zz"))));

        // a phrase is a text without quotes, since these would end it
        if !text.contains(['"', '\'', '\\', ',']) && !text.chars().any(char::is_control) {
            let phrase = encode(&format!("\"s{way} {text}\""));
            assert_eq!(only(&target, &format!("/sessions/?search={phrase}")), by_name, "search for {text}");
        }
    }
    // what looks like a pattern is none
    for nothing in ["%", "_", "%%%", "s%5F%25"] {
        let found = target.service.get(&format!("/sessions/?session_id={}", encode(nothing))).json();
        assert_eq!(found["count"], 0, "{nothing}: {found}");
    }
    let with_percent = target.service.get("/sessions/?session_id_contains=%25&limit=100").json();
    let expected = texts.iter().filter(|text| text.contains('%')).count();
    assert_eq!(with_percent["count"], expected, "only those with a percent sign");
}
