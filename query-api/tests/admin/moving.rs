//! An event moves to another session.

use crate::site::{Site, click, firefox, page_view};
use chrono::{TimeDelta, Utc};
use schema::{Envelope, Event, PageViewRecorded, SessionId, Source};
use uuid::Uuid;

#[tokio::test]
async fn an_event_moves_to_another_session_under_a_new_number() {
    let mut site = Site::new().await;
    let at = Utc::now() - TimeDelta::days(1);
    // sessions on all partitions: the two halves of a move are on different ones
    let mut events: Vec<_> = (0..8).map(|number| firefox(&format!("s-{number}"), at)).collect();
    events.extend((0..8).map(|number| click(&format!("s-{number}"), at, "#kept", "{\"a\":[1.0]}")));
    let ids = site.append(&events).await;
    for number in 1..8 {
        let path = format!("/admin/interactions/{}/", ids[8 + number]);
        let answer = site.fill(&path, &[("session", "s-0")]).await.location();
        assert!(answer.contains("done=moved") && !answer.starts_with(&path), "{answer}");
        let page = site.page(&answer).await;
        assert!(page.contains("Moved to another session") && page.contains("value=\"s-0\""), "{page}");
        assert!(page.contains("#kept</textarea>") && page.contains("moved here, to the session s-0, from"), "{page}");
        let gone = site.get(&path).await;
        assert_eq!(gone.status, 404);
        let new = answer.split('?').next().unwrap();
        assert!(gone.body.contains(&format!("href=\"{new}\"")), "its page tells where it went: {}", gone.body);
    }
    assert_eq!(site.number("SELECT interactions FROM session WHERE session_id = 's-0'").await, 8);
    assert_eq!(site.number("SELECT sum(interactions)::bigint FROM session").await, 8);
    assert_eq!(site.number("SELECT count(DISTINCT \"timestamp\") FROM interaction").await, 1, "its time stays");
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn verify_names_a_move_of_which_only_half_is_there() {
    let site = Site::new().await;
    let long_ago = schema::to_micros(Utc::now() - TimeDelta::hours(1));
    let ids = site
        .append(&[firefox("from", long_ago), firefox("to", long_ago), page_view("from", long_ago, "http://a.example/")])
        .await;
    let half = Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: true,
        session_id: SessionId::parse("to").unwrap(),
        occurred_at: long_ago,
        recorded_at: long_ago,
        source: Source {
            user: Some("ann".into()),
            client: Some("admin".into()),
            moved_from: Some(ids[2]),
            ..Source::default()
        },
        event: Event::PageViewRecorded(PageViewRecorded { url: "http://a.example/".into() }),
    };
    let new = site.append(&[half]).await;
    // the old one's partition has to be seen to be past the move
    site.append(&[page_view("from", Utc::now(), "http://a.example/later")]).await;
    let report = site.verified().await;
    let named = report.differences.iter().find(|difference| difference.what == "events moved by half").unwrap();
    assert_eq!(named.count, 1);
    assert!(named.examples[0].contains(&ids[2].to_string()) && named.examples[0].contains(&new[0].to_string()));
    assert_eq!(report.differences.len(), 1, "{report}");
    // the same correction once more, by hand: the operator deletes the old one
    site.fill(&format!("/admin/pageviews/{}/delete/", ids[2]), &[]).await.location();
    site.until("SELECT count(*) FROM page_view", 2).await;
    assert!(site.verified().await.ok);
}
