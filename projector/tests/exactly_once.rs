//! Each event counts once: repetitions, two owners, lost answers, records that PostgreSQL refuses.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono::TimeDelta;
use chrono_tz::Tz;
use projector::{
    checkpoint,
    patience::Pulse,
    write::{Part, ProjectError, WriteError, attempt},
};
use rstest::rstest;
use schema::{Envelope, Event, SessionCorrected};
use sqlx::Executor;
use std::time::Duration;
use support::*;
use test_support::eventually;

const DAY: i64 = 86_400;

fn view(seconds: i64, event_id: u128) -> Envelope {
    given(page_view("s", seconds, "http://a.example/"), event_id)
}

#[tokio::test]
async fn a_repetition_is_found_within_a_batch_across_batches_and_at_the_edges_of_the_window() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let week = i64::from(DAYS) * DAY;
    let mut later = view(week, 1);
    later.recorded_at += TimeDelta::microseconds(1);
    for (records, stored) in [
        (vec![view(0, 1), view(1, 1), view(2, 2)], 2),
        // the edge is inside, a microsecond more is not; a week is measured from what was stored
        (vec![view(week, 1)], 2),
        (vec![later, view(week + 2, 1)], 3),
        // another session, and ids that the client has not chosen
        (vec![given(page_view("other", 0, "http://a.example/"), 1), page_view("s", 0, "http://a.example/")], 5),
        // recorded before what is known already
        (vec![view(-week, 2), view(2 - week, 2), view(-2 * week - 1, 2)], 7),
    ] {
        fixture.project(records.iter().map(|one| tape.put(one)).collect()).await.unwrap();
        assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, stored);
    }
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn every_type_of_event_is_deduplicated() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let end = given(envelope("s", 9, Event::SessionEnded), 1);
    let delete = given(envelope("s", 9, Event::SessionDeleted), 2);
    let events =
        [end.clone(), given(announced("s", 0, FIREFOX, Some(at(5))), 3), end, delete.clone(), view(20, 4), delete];
    fixture.project(events.iter().map(|one| tape.put(one)).collect()).await.unwrap();
    assert_eq!(
        fixture.tally().await,
        [
            "page_view.recorded stored 1",
            "session.announced folded 1",
            "session.deleted duplicate 1",
            "session.deleted folded 1",
            "session.ended duplicate 1",
            "session.ended folded 1",
        ]
    );
    assert_eq!(fixture.number("SELECT id FROM session").await, 5, "made again by the event after its deletion");
}

#[tokio::test]
async fn of_two_owners_of_a_partition_one_is_fenced() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let records: Vec<_> = (0..200).map(|i| tape.put(&view(i, u128::try_from(i).unwrap()))).collect();
    let batch = batch(&fixture.model, records);
    let (mut one, mut other) = (fixture.writer(0).await, fixture.writer(0).await);
    let (one, other) = tokio::join!(one.project(&batch), other.project(&batch));
    assert!(one.is_ok() != other.is_ok());
    assert!(matches!(one.and(other), Err(ProjectError::Fenced)));
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 200);
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn another_generation_of_the_read_model_is_fenced_even_at_the_same_offset() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let batch = batch(&fixture.model, vec![tape.put(&view(0, 1))]);
    let mut writer = fixture.writer(0).await;
    fixture.pool.execute("UPDATE checkpoint SET generation = gen_random_uuid()").await.unwrap();
    assert!(matches!(writer.project(&batch).await, Err(ProjectError::Fenced)));
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 0);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_recognised() {
    let (fixture, line) = Fixture::on_a_line(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let [first, second] =
        [[(0, 1), (1, 2)], [(2, 3), (3, 4)]].map(|views| views.map(|(seconds, id)| tape.put(&view(seconds, id))));
    // makes and commits what the second one needs beside its own transaction
    fixture.project(first.to_vec()).await.unwrap();
    let batch = batch(&fixture.model, second.to_vec());
    let mut writer = fixture.writer(0).await;
    line.lose_the_next_commit();
    writer.project(&batch).await.unwrap();
    assert!(line.has_lost_a_commit());
    assert_eq!(writer.next_offset(), 4);
    assert_eq!(fixture.tally().await, ["page_view.recorded stored 4"]);
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 4);
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn a_transaction_that_breaks_before_its_commit_is_done_again() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let batch = batch(&fixture.model, vec![tape.put(&view(0, 1))]);
    let mut writer = fixture.writer(0).await;
    let mut holder = fixture.pool.begin().await.unwrap();
    holder.execute("LOCK TABLE session IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let projecting = tokio::spawn(async move { writer.project(&batch).await });
    let kill = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
    for _ in 0..3 {
        eventually("the attempt is ended", Duration::from_secs(20), async || {
            (fixture.number(kill).await == 1).then_some(())
        })
        .await;
    }
    holder.rollback().await.unwrap();
    projecting.await.unwrap().unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 1);
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn a_poison_record_is_closed_in_on_and_everything_around_it_is_stored() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let mut records = Vec::new();
    for i in 0..100 {
        // PostgreSQL keeps no NUL in a text, and ingest lets none through
        let url = if i % 33 == 5 { "http://a.example/\0" } else { "http://a.example/" };
        records.push(tape.put(&given(page_view("s", i, url), u128::try_from(i).unwrap())));
    }
    fixture.project(records).await.unwrap();
    assert_eq!(fixture.tally().await, ["page_view.recorded dead 3", "page_view.recorded stored 97"]);
    let letters = fixture.rows("SELECT \"offset\", reason, error FROM dead_letter ORDER BY 1").await;
    assert_eq!(letters.iter().map(|letter| letter["offset"].as_i64().unwrap()).collect::<Vec<_>>(), [5, 38, 71]);
    assert!(
        letters
            .iter()
            .all(|letter| letter["reason"] == "refused" && letter["error"].as_str().unwrap().contains("0x00"))
    );
    assert_eq!(checkpoint::read(&fixture.pool, 0).await.unwrap().next_offset, 100);
    fixture.assert_consistent().await;
}

/// Page views by a letter each: `x` is one that PostgreSQL refuses, as it keeps no NUL in a text, `.` is a fine one.
fn views(tape: &mut Tape, kinds: &str) -> Vec<event_log::Record> {
    let url = |kind| if kind == 'x' { "http://a.example/\0" } else { "http://a.example/" };
    kinds.chars().map(|kind| tape.put(&page_view("s", 0, url(kind)))).collect()
}

#[rstest]
#[case(&["x", "x", "x", "x"], 3)]
#[case(&["xx", "xxxx"], 3)]
#[case(&["xxxxxxxx"], 3)]
#[case(&["..x", "x.x", "xxx"], 8)]
#[case(&["x.x.x.", "xx.x", "x", "x", "."], 12)]
#[case(&["x.", "x.", "xx", "."], 7)]
#[tokio::test]
async fn too_many_refused_records_in_a_row_stop_however_they_come(#[case] batches: &[&str], #[case] next_offset: i64) {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let mut writer = fixture.writer(0).await.stopping_after(3);
    let all = batches.concat();
    let stops = all.contains("xxx");
    let mut stopped = false;
    for kinds in batches {
        match writer.project(&batch(&fixture.model, views(&mut tape, kinds))).await {
            Ok(()) => {}
            Err(ProjectError::TooManyDead(3)) => {
                stopped = true;
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((stopped, writer.next_offset()), (stops, next_offset));
    assert_eq!(fixture.number("SELECT next_offset FROM checkpoint").await, next_offset);
    let refused = all.chars().take(usize::try_from(next_offset).unwrap()).filter(|kind| *kind == 'x');
    let letters = fixture.number("SELECT count(*) FROM dead_letter").await;
    assert_eq!(letters, i64::try_from(refused.count()).unwrap());
}

#[tokio::test]
async fn an_error_of_ours_is_never_a_dead_letter() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    fixture.pool.execute("ALTER TABLE page_view DROP COLUMN recorded_at").await.unwrap();
    let batch = batch(&fixture.model, vec![tape.put(&view(0, 1))]);
    let part = Part { batch: &batch, range: 0..1, from: 0, refused: None };
    assert!(matches!(attempt(&fixture.model, &part, &Pulse::default()).await, Err(WriteError::Stop(_))));
    let error = fixture.project(batch.records.clone()).await.unwrap_err();
    assert!(matches!(error, ProjectError::Stop(_)));
    assert_eq!(fixture.number("SELECT count(*) FROM dead_letter").await, 0);
}

#[tokio::test]
async fn a_month_that_has_gone_is_made_again() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    fixture.project(vec![tape.put(&view(0, 1))]).await.unwrap();
    fixture.pool.execute("DROP TABLE page_view_2026_11").await.unwrap();
    fixture.project(vec![tape.put(&view(1, 2))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view_2026_11").await, 1);
}

#[tokio::test]
async fn repetitions_are_found_whatever_became_of_their_session_and_whenever_it_was_first_heard_of() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let correction = given(envelope("never", 3 * DAY, Event::SessionCorrected(SessionCorrected::default())), 9);
    let delete = given(envelope("s", 3 * DAY, Event::SessionDeleted), 8);
    let undone = |seconds: i64, event_id| given(page_view("s", seconds, "http://a.example/"), event_id);
    for (records, stored, repeated) in [
        (vec![undone(2 * DAY, 1), correction.clone()], 1, 0),
        // recorded before the event that the session appeared with
        (vec![undone(0, 2)], 2, 0),
        (vec![undone(DAY, 2), undone(3 * DAY, 1), correction], 2, 3),
        // sent again after the deletion: the deletion stands
        (vec![delete.clone()], 0, 3),
        (vec![undone(DAY, 2), undone(3 * DAY, 1), delete], 0, 6),
        (vec![undone(4 * DAY, 3)], 1, 6),
        (vec![undone(4 * DAY, 1), undone(5 * DAY, 2)], 1, 8),
    ] {
        fixture.project(records.iter().map(|one| tape.put(one)).collect()).await.unwrap();
        assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, stored);
        let duplicates = "SELECT COALESCE(sum(events), 0)::bigint FROM tally WHERE outcome = 'duplicate'";
        assert_eq!(fixture.number(duplicates).await, repeated);
    }
}
