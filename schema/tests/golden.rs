//! Frozen examples of every event type and version: what was written once is readable for ever.
//!
//! `golden/<type>.v<version>.json` is what the log holds, `golden/<type>.v<version>.now.txt` what it means today.
//! Neither is ever edited. When a type gets a new version, run the tests once with `FOOTFALL_WRITE_GOLDEN=1`: the new
//! files appear, nothing that exists is touched.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use chrono::{DateTime, Utc};
use schema::{codec, stored::current_version, *};
use serde_json::value::RawValue;
use std::{collections::BTreeSet, fs, path::PathBuf};
use uuid::Uuid;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn at(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// One example of every type as it is written today, with every optional field present.
fn examples() -> Vec<Envelope> {
    let id = 1_099_511_627_777;
    let metadata =
        || RawValue::from_string(r#"{"x":1.50,"deep":[{"é":null}],"big":123456789012345678901}"#.into()).unwrap();
    let events = vec![
        Event::SessionAnnounced(SessionAnnounced {
            user_agent: "Mozilla/5.0 (X11; Linux x86_64) \"quoted\" é".into(),
            ip_address: "2001:db8::4".parse().unwrap(),
            user_id: Some(String::new()),
            end_time: Some(at("9999-12-31T23:59:59.999999Z")),
        }),
        Event::SessionEnded,
        Event::SessionCorrected(SessionCorrected {
            user_agent: Some("corrected".into()),
            ip_address: Some("192.0.2.1".parse().unwrap()),
            user_id: Some(None),
            end_time: Some(Some(at("2026-11-24T11:00:00Z"))),
        }),
        Event::SessionDeleted,
        Event::PageViewRecorded(PageViewRecorded { url: "https://shop.example/ä?q=1#top".into() }),
        Event::PageViewCorrected(PageViewCorrected { id, url: "https://shop.example/".into() }),
        Event::PageViewDeleted { id },
        Event::InteractionRecorded(InteractionRecorded {
            kind: InteractionKind::FormSubmit,
            element: "#buy > button".into(),
            metadata: metadata(),
        }),
        Event::InteractionCorrected(InteractionCorrected {
            id,
            kind: Some(InteractionKind::Hover),
            element: Some("#sell".into()),
            metadata: Some(metadata()),
        }),
        Event::InteractionDeleted { id },
    ];
    let envelope = |event| Envelope {
        event_id: Uuid::from_u128(0x0189_0a5d_ac96_774b_bcce_b302_099a_8057),
        event_id_given: true,
        session_id: SessionId::parse("session é 1").unwrap(),
        occurred_at: at("2026-11-24T10:00:00.123456Z"),
        recorded_at: at("2026-11-24T10:00:01Z"),
        source: Source {
            address: Some("192.0.2.7".parse().unwrap()),
            user_agent: Some("curl/8".into()),
            user: Some("ann".into()),
            client: Some("admin".into()),
            moved_from: None,
        },
        event,
    };
    events.into_iter().map(envelope).collect()
}

fn name(event_type: EventType, version: u16) -> String {
    format!("{event_type}.v{version}")
}

fn write_missing() {
    for envelope in examples() {
        let event_type = envelope.event.event_type();
        let name = name(event_type, current_version(event_type));
        let (json, now) = (folder().join(format!("{name}.json")), folder().join(format!("{name}.now.txt")));
        if !json.exists() {
            fs::write(&json, codec::encode(&envelope)).unwrap();
            fs::write(&now, format!("{envelope:#?}\n")).unwrap();
        }
    }
}

#[test]
fn every_event_ever_written_is_read_as_it_was_meant() {
    if std::env::var_os("FOOTFALL_WRITE_GOLDEN").is_some() {
        write_missing();
    }
    let mut seen = BTreeSet::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let envelope = codec::decode(None, &fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{path:?}: {e}"));
            let now = fs::read_to_string(path.with_extension("now.txt")).unwrap();
            assert_eq!(format!("{envelope:#?}\n"), now, "{path:?}");
            seen.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    for event_type in EventType::ALL {
        for version in 1..=current_version(*event_type) {
            let name = name(*event_type, version);
            assert!(seen.contains(&name), "no golden file for {name}: run once with FOOTFALL_WRITE_GOLDEN=1");
        }
    }
}

#[test]
fn what_is_written_today_is_what_the_golden_files_say() {
    for envelope in examples() {
        let event_type = envelope.event.event_type();
        let name = name(event_type, current_version(event_type));
        let frozen =
            fs::read_to_string(folder().join(format!("{name}.json"))).unwrap_or_else(|e| panic!("{name}: {e}"));
        let written = String::from_utf8(codec::encode(&envelope)).unwrap();
        assert_eq!(written, frozen, "the format of {name} has changed: that needs a new version");
    }
}
