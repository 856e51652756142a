//! An event moves to another session.

use crate::site::{Site, click, firefox, page_view};
use async_trait::async_trait;
use chrono::{TimeDelta, Utc};
use event_log::{AppendError, EventWriter, NewRecord};
use schema::Position;
use schema::{Envelope, Event, PageViewRecorded, SessionId, Source};
use std::sync::{Arc, Mutex};
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

/// A log that does as it is told with the next records, and then takes all.
struct Breaking {
    log: Arc<dyn EventWriter>,
    next: Mutex<Vec<Option<AppendError>>>,
}

#[async_trait]
impl EventWriter for Breaking {
    async fn append(&self, records: Vec<NewRecord>) -> Vec<Result<Position, AppendError>> {
        let next = {
            let mut next = self.next.lock().unwrap();
            if next.is_empty() { None } else { next.remove(0) }
        };
        match next {
            Some(error) => records.iter().map(|_| Err(error.clone())).collect(),
            None => self.log.append(records).await,
        }
    }

    fn kept_by(&self) -> &'static str {
        self.log.kept_by()
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn close(&self) {
        self.log.close().await;
    }
}

/// A site whose log treats the admin's records so, two sessions and a page view of the first.
pub async fn breaking(next: Vec<Option<AppendError>>) -> (Site, String) {
    let site = Site::through(&[], |log| Some(Arc::new(Breaking { log, next: Mutex::new(next) }))).await;
    let at = Utc::now() - TimeDelta::hours(1);
    let ids = site.append(&[firefox("from", at), firefox("to", at), page_view("from", at, "http://a.example/")]).await;
    (site, format!("/admin/pageviews/{}/", ids[2]))
}

const MOVED: &str = "SELECT count(*) FROM page_view v JOIN session s ON s.id = v.session WHERE session_id = 'to'";

#[tokio::test]
async fn the_second_half_of_a_move_is_repeated_until_the_log_is_back() {
    let away = || Some(AppendError::Overloaded("the log is away".into()));
    let unclear = Some(AppendError::Unknown("no answer".into()));
    let (mut site, path) = breaking(vec![None, away(), unclear, away(), None]).await;
    let answer = site.fill(&path, &[("session", "to")]).await.location();
    assert!(answer.contains("done=moved"), "{answer}");
    site.until(MOVED, 1).await;
    site.until("SELECT count(*) FROM page_view", 1).await;
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn a_move_whose_first_half_is_not_taken_changes_nothing() {
    let (mut site, path) = breaking(vec![Some(AppendError::Overloaded("the log is away".into()))]).await;
    let form = site.page(&path).await;
    let answer = site.submit(&path, &form, &[("session", "to")]).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("Nothing was saved") && answer.body.contains("value=\"to\""), "{}", answer.body);
    assert_eq!(site.number("SELECT count(*) FROM admin_change").await, 0);
    site.submit(&path, &answer.body, &[]).await.location();
    site.until(MOVED, 1).await;
    site.until("SELECT count(*) FROM page_view", 1).await;
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn a_move_that_the_log_broke_in_the_middle_is_named_and_done_by_sending_the_form_again() {
    let (mut site, path) = breaking(vec![None, Some(AppendError::Fenced("another writer".into()))]).await;
    let form = site.page(&path).await;
    let answer = site.submit(&path, &form, &[("session", "to")]).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("save it again, it will count once"), "{}", answer.body);
    // the new one is there, the old one still: and it is the new one that came first
    site.until(MOVED, 1).await;
    assert_eq!(site.number("SELECT count(*) FROM page_view").await, 2);
    // verify allows for a move that is under way
    site.append(&[page_view("from", Utc::now() + TimeDelta::hours(1), "http://a.example/later")]).await;
    let report = site.verified().await;
    let named: Vec<&str> = report.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(named, ["events moved by half"], "{report}");
    site.submit(&path, &answer.body, &[]).await.location();
    site.until("SELECT count(*) FROM page_view", 2).await;
    assert_eq!(site.number(MOVED).await, 1, "the first half counts once");
    site.assert_accounted_for().await;
}
