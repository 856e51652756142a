//! From records to rows, on a real PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use schema::{Event, InteractionCorrected, InteractionKind, PageViewCorrected, SessionCorrected};
use serde_json::json;
use support::*;

#[tokio::test]
async fn every_type_of_event_takes_effect_and_is_counted() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let records = vec![
        tape.put(&page_view("s", 5, "http://a.example/")),
        tape.put(&announced("s", 0, FIREFOX, None)),
        tape.put(&interaction("s", 7, InteractionKind::Click, r#"{"x": 1.50}"#)),
        tape.put(&envelope("s", 60, Event::SessionEnded)),
        tape.put(&page_view("s", 8, "http://a.example/b")),
        tape.put(&page_view("s", 9, "http://a.example/gone")),
        tape.put(&envelope(
            "s",
            0,
            Event::PageViewCorrected(PageViewCorrected { id: 5, url: "http://c.example/".into() }),
        )),
        tape.put(&envelope("s", 0, Event::PageViewDeleted { id: 6 })),
        tape.put(&envelope(
            "s",
            0,
            Event::InteractionCorrected(InteractionCorrected {
                id: 3,
                kind: Some(InteractionKind::Hover),
                element: Some("#sell".into()),
                metadata: None,
            }),
        )),
        tape.put(&interaction("s", 8, InteractionKind::Scroll, "[]")),
        tape.put(&envelope("s", 0, Event::InteractionDeleted { id: 10 })),
        tape.put(&envelope(
            "s",
            0,
            Event::SessionCorrected(SessionCorrected {
                user_agent: Some(CHROME.into()),
                ..SessionCorrected::default()
            }),
        )),
        tape.put(&announced("gone", 0, FIREFOX, None)),
        tape.put(&page_view("gone", 1, "http://a.example/")),
        tape.put(&envelope("gone", 0, Event::SessionDeleted)),
        tape.put_raw("x", b"garbage".to_vec(), None),
    ];
    fixture.project(records).await.unwrap();

    let sessions = fixture
        .rows(
            "SELECT s.id, session_id, announced_id, browser, host(ip_address) AS ip, start_time = '2026-11-24 10:00Z' AS start,
                    end_time = '2026-11-24 10:01Z' AS ended, page_views, interactions
             FROM session s JOIN user_agent a ON a.id = s.user_agent_id",
        )
        .await;
    assert_eq!(
        sessions,
        [json!({"id": 1, "session_id": "s", "announced_id": 2, "browser": "Chrome", "ip": "10.0.0.1", "start": true,
                "ended": true, "page_views": 2, "interactions": 1})]
    );
    let page_views =
        fixture.rows("SELECT p.id, session, text FROM page_view p JOIN url u ON u.id = url_id ORDER BY p.id").await;
    assert_eq!(
        page_views,
        [
            json!({"id": 1, "session": 1, "text": "http://a.example/"}),
            json!({"id": 5, "session": 1, "text": "http://c.example/"})
        ]
    );
    let interactions = fixture
        .rows("SELECT i.id, event_type, text, metadata FROM interaction i JOIN element e ON e.id = element_id")
        .await;
    assert_eq!(interactions, [json!({"id": 3, "event_type": "hover", "text": "#sell", "metadata": {"x": 1.5}})]);
    assert_eq!(
        fixture.tally().await,
        [
            "interaction.corrected folded 1",
            "interaction.deleted folded 1",
            "interaction.recorded removed 1",
            "interaction.recorded stored 1",
            "page_view.corrected folded 1",
            "page_view.deleted folded 1",
            "page_view.recorded removed 2",
            "page_view.recorded stored 2",
            "session.announced folded 2",
            "session.corrected folded 1",
            "session.deleted folded 1",
            "session.ended folded 1",
            "unknown dead 1",
        ]
    );
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn a_redelivered_batch_changes_nothing() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let records = vec![tape.put(&announced("s", 0, FIREFOX, None)), tape.put(&page_view("s", 1, "http://a.example/"))];
    let batch = batch(&fixture.model, records);
    let mut first = fixture.writer(0).await;
    let mut second = fixture.writer(0).await;
    first.project(&batch).await.unwrap();
    assert!(matches!(second.project(&batch).await, Err(projector::write::ProjectError::Fenced)));
    assert_eq!(fixture.tally().await, ["page_view.recorded stored 1", "session.announced folded 1"]);
    fixture.assert_consistent().await;
}
