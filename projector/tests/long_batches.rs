//! Batches with so much work that they take long get done all the same, however impatient the projector is.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use projector::{model::ReadModel, patience::Patience};
use schema::{Event, InteractionKind};
use sqlx::Executor;
use std::{sync::Arc, time::Duration};
use support::*;
use tokio::time::timeout;

const LONG: Duration = Duration::from_mins(2);

/// The same read model for one who waits for a step no longer than this.
async fn impatient(fixture: &Fixture, step: Duration) -> Arc<ReadModel> {
    let mut model = ReadModel::prepare(fixture.pool.clone(), fixture.model.made_for.clone()).await.unwrap();
    model.patience = Patience { step, told: Duration::from_millis(100), ..model.patience };
    Arc::new(model)
}

#[tokio::test]
async fn the_deletion_of_a_session_with_many_events_takes_the_time_it_needs() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    for round in 0..4 {
        let views = (0..5_000).map(|i| tape.put(&page_view("s", round * 5_000 + i, "http://a.example/")));
        fixture.project(views.collect()).await.unwrap();
    }
    let (kept, other) = (page_view("kept", 0, "http://a.example/"), InteractionKind::Click);
    fixture.project(vec![tape.put(&kept), tape.put(&interaction("s", 0, other, "1"))]).await.unwrap();
    // a server that is so slow that all of it takes longer than the projector waits for a step
    for statement in [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$",
        "CREATE TRIGGER slow AFTER DELETE ON page_view FOR EACH STATEMENT EXECUTE FUNCTION slow()",
    ] {
        fixture.pool.execute(statement).await.unwrap();
    }
    let model = impatient(&fixture, Duration::from_secs(3)).await;
    let deletion = batch(&model, vec![tape.put(&envelope("s", 0, Event::SessionDeleted))]);
    let mut writer = fixture.writer_of(&model, 0).await;
    timeout(LONG, writer.project(&deletion)).await.expect("not given up and begun anew for ever").unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 1, "that of the other session");
    assert_eq!(
        fixture.tally().await,
        [
            "interaction.recorded removed 1",
            "page_view.recorded removed 20000",
            "page_view.recorded stored 1",
            "session.deleted folded 1"
        ]
    );
    fixture.assert_consistent().await;
}
