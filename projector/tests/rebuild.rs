//! A rebuild comes to the same tables, or says what differs and does not swap.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use clap::Parser;
use projector::{
    Progress, RebuildError, RebuildOptions, RebuildReport, VerifyOptions, dead_letters, lease::Lease, rebuild, verify,
};
use schema::{Event, InteractionKind, Position, codec};
use sqlx::Executor;
use support::{running::*, *};
use test_support::eventually;

async fn filled() -> Running {
    let mut running = Running::prepare(3).await;
    running.start(&[]);
    let mut events = Vec::new();
    for i in 0..30_u32 {
        let session = format!("s{}", i % 5);
        let second = i64::from(i) * 3_600;
        events.push(given(page_view(&session, second, &format!("http://a.example/{}", i % 4)), u128::from(i)));
        events.push(interaction(&session, second, InteractionKind::Scroll, "[1]"));
        events.push(announced(&session, second, FIREFOX, Some(at(second + 60))));
    }
    events.extend_from_within(..6);
    events.push(envelope("s2", 0, Event::SessionDeleted));
    running.append(&events).await;
    let newer = running.append_raw(vec![garbage(codec::SCHEMA_VERSION + 1), garbage(1)]).await;
    running.until("the log is projected up to the newer record", "SELECT sum(events)::bigint FROM tally", 97).await;
    dead_letters::skip(&running.pool, newer[0]).await.unwrap();
    running.until("all are counted", "SELECT sum(events)::bigint FROM tally", 99).await;
    running.stop().await;
    running
}

async fn rebuilt(running: &Running, zone: Tz, options: RebuildOptions) -> Result<RebuildReport, RebuildError> {
    let settings = Command::parse_from(["rebuild"]).settings;
    rebuild(&running.database, &*running.log, &settings, zone, options, &Progress::silent()).await
}

/// Everything in a read model that a reader could see, in one text.
async fn contents(running: &Running, schema: &str) -> String {
    let mut all = String::new();
    for sql in [
        "SELECT s.*, a.text, a.browser, a.family, 0 AS user_agent_id FROM {s}.session s JOIN {s}.user_agent a ON a.id = user_agent_id ORDER BY s.id",
        "SELECT p.id, session, text, \"timestamp\", recorded_at FROM {s}.page_view p JOIN {s}.url u ON u.id = url_id ORDER BY p.id",
        "SELECT i.id, session, event_type, metadata, text, \"timestamp\" FROM {s}.interaction i JOIN {s}.element e ON e.id = element_id ORDER BY i.id",
        "SELECT d.*, browser, family, os, device, 0 AS client_id FROM {s}.daily_session d JOIN {s}.client ON id = client_id
         ORDER BY day, family, os, device, shard",
        "SELECT * FROM {s}.daily_duration ORDER BY day, class, shard",
        "SELECT day, family, os, device, shard, page_views FROM {s}.daily_client_page_view JOIN {s}.client ON id = client_id
         ORDER BY day, family, os, device, shard",
        "SELECT day, family, os, device, event_type, shard, interactions
         FROM {s}.daily_client_interaction JOIN {s}.client ON id = client_id ORDER BY day, family, os, device, event_type, shard",
        "SELECT day, text, event_type, shard, interactions FROM {s}.daily_element JOIN {s}.element ON id = element_id
         ORDER BY day, text, event_type, shard",
        "SELECT day, text, shard, page_views FROM {s}.daily_page_view JOIN {s}.url ON id = url_id ORDER BY day, text, shard",
        "SELECT * FROM {s}.daily_interaction ORDER BY day, event_type, shard",
        "SELECT * FROM {s}.hourly ORDER BY day, hour, shard",
        "SELECT * FROM {s}.row_count ORDER BY resource, shard",
        "SELECT * FROM {s}.tally WHERE events <> 0 ORDER BY partition, event_type, outcome",
        "SELECT partition, \"offset\", reason, value FROM {s}.dead_letter ORDER BY 1, 2",
        "SELECT * FROM {s}.seen_event ORDER BY day, key",
        "SELECT * FROM {s}.seen_session ORDER BY key",
        "SELECT partition, last_offset, last_digest, recorded_at FROM {s}.checkpoint ORDER BY 1",
    ] {
        let sql = sql.replace("{s}", schema);
        let rows: Vec<String> = sqlx::query_scalar(&format!("SELECT to_jsonb(r)::text FROM ({sql}) r"))
            .fetch_all(&running.pool)
            .await
            .unwrap();
        assert!(!rows.is_empty(), "{sql}");
        all += &rows.join("\n");
    }
    // differs by the dimension's order of arrival alone
    regex_free_strip(&all)
}

/// Takes `"user_agent_id": 3` and the like out of the JSON.
fn regex_free_strip(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["\"user_agent_id\": ", "\"client_id\": "] {
        let mut parts = text.split(name);
        let mut stripped = parts.next().unwrap().to_owned();
        for part in parts {
            stripped += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        text = stripped;
    }
    text
}

#[tokio::test]
async fn a_rebuild_gives_identical_tables_and_fences_the_old_ones() {
    let mut running = filled().await;
    let before = contents(&running, "footfall").await;
    let report = rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap();
    assert!(report.swapped, "{report}");
    assert_eq!((report.records, report.differences.len()), (99, 0), "{report}");
    assert_eq!(contents(&running, "footfall").await, before);
    assert_eq!(contents(&running, "footfall_previous").await, before);
    let fenced = "SELECT count(*) FROM footfall_previous.checkpoint WHERE next_offset = -1 AND fenced_offset >= 0";
    assert_eq!(running.number(fenced).await, 3);

    // the projector goes on in the new tables, and the next rebuild replaces the previous ones
    running.start(&[]);
    running.append(&[page_view("s9", 0, "http://a.example/")]).await;
    running.until("the new event is counted", "SELECT sum(events)::bigint FROM tally", 100).await;
    running.stop().await;
    assert!(rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap().swapped);
    let verified =
        verify(&running.database, &*running.log, &VerifyOptions::default(), &Progress::silent()).await.unwrap();
    assert!(verified.ok, "{verified}");
}

#[tokio::test]
async fn what_was_not_projected_yet_is_in_the_new_read_model() {
    let running = filled().await;
    running.append(&[page_view("s9", 0, "http://a.example/")]).await;
    let report = rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap();
    assert!(report.swapped, "{report}");
    assert_eq!(running.number("SELECT sum(events)::bigint FROM tally").await, 100);
}

#[tokio::test]
async fn a_difference_keeps_the_swap_from_happening_until_it_is_accepted() {
    let running = filled().await;
    running.pool.execute("UPDATE row_count SET rows = rows + 1 WHERE resource = 'session'").await.unwrap();
    running.pool.execute("UPDATE daily_page_view SET page_views = page_views + 1").await.unwrap();
    let report = rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap();
    assert!(!report.swapped);
    for what in ["row_count", "daily_page_view"] {
        assert!(report.differences.iter().any(|difference| difference.contains(what)), "{report}");
    }
    assert!(report.to_string().contains("--accept-differences"));
    let report = rebuilt(&running, Tz::UTC, RebuildOptions { accept_differences: true }).await.unwrap();
    assert!(report.swapped);
    assert!(verify(&running.database, &*running.log, &VerifyOptions::default(), &Progress::silent()).await.unwrap().ok);
}

#[tokio::test]
async fn a_dead_letter_that_the_live_model_has_not_always_stops_it() {
    let running = filled().await;
    running.pool.execute("DELETE FROM dead_letter WHERE reason = 'malformed'").await.unwrap();
    let report = rebuilt(&running, Tz::UTC, RebuildOptions { accept_differences: true }).await.unwrap();
    assert!(!report.swapped);
    assert!(
        report.differences.iter().any(|difference| difference.contains("is a dead letter in the new read model alone"))
    );
}

#[tokio::test]
async fn a_new_read_model_that_verification_does_not_pass_is_never_put_in_place() {
    let running = filled().await;
    // somebody changes what goes into the next read model, in a way that no number tells
    for statement in [
        "CREATE FUNCTION public.other_metadata() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.metadata := '\"other\"'; RETURN NEW; END $$",
        "CREATE FUNCTION public.damage() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN
             IF to_regclass('footfall_rebuild.interaction') IS NOT NULL
                AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'damage') THEN
                 CREATE TRIGGER damage BEFORE INSERT ON footfall_rebuild.interaction
                     FOR EACH ROW EXECUTE FUNCTION public.other_metadata();
             END IF;
         END $$",
        "CREATE EVENT TRIGGER damage ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.damage()",
    ] {
        running.pool.execute(statement).await.unwrap();
    }
    let before = contents(&running, "footfall").await;
    for accept_differences in [false, true] {
        let report = rebuilt(&running, Tz::UTC, RebuildOptions { accept_differences }).await.unwrap();
        assert!(!report.swapped, "{report}");
        assert_eq!(report.differences, Vec::<String>::new());
        assert!(report.unproven.iter().all(|found| found.what.contains("metadata")), "{report}");
        assert!(report.to_string().contains("not what the log says"), "{report}");
    }
    assert_eq!(contents(&running, "footfall").await, before);
    running.pool.execute("DROP EVENT TRIGGER damage").await.unwrap();
    assert!(rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap().swapped);
}

#[tokio::test]
async fn what_was_passed_over_on_one_log_is_not_passed_over_on_another() {
    let (running, mut other) = (filled().await, Running::prepare(3).await);
    let skipped: (i32, i64) =
        sqlx::query_as("SELECT partition, \"offset\" FROM skip").fetch_one(&running.pool).await.unwrap();
    let views: Vec<_> = (0..100).map(|i| page_view("s", i, "http://a.example/")).collect();
    let positions = other.append(&views).await;
    let there = |position: &Position| (i32::from(position.partition), position.offset) == skipped;
    let at_its_offset =
        positions.iter().find(|position| there(position)).expect("one stands where the skipped one did");
    // the live read model is of the first log, the new one becomes that of the other
    other.database = running.database.clone();
    let report = rebuilt(&other, Tz::UTC, RebuildOptions::default()).await.unwrap();
    assert!(report.swapped, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("another log")), "{report}");
    let id = at_its_offset.id();
    assert_eq!(running.number(&format!("SELECT count(*) FROM page_view WHERE id = {id}")).await, 1);
    assert_eq!(running.number("SELECT count(*) FROM page_view").await, 100);
    assert_eq!(running.number("SELECT count(*) FROM dead_letter").await, 0);
    assert_eq!(running.number("SELECT count(*) FROM skip").await, 0);
}

#[tokio::test]
async fn a_log_that_was_made_anew_under_its_name_can_be_rebuilt_from_when_that_is_accepted() {
    let (running, mut anew) = (filled().await, Running::prepare(3).await);
    for statement in ["UPDATE read_model SET log_id = $1", "UPDATE checkpoint SET log_id = $1"] {
        sqlx::query(statement).bind(&anew.log.log_id().0).execute(&running.pool).await.unwrap();
    }
    // where the live read model has an event, the log has something that is none
    anew.append_raw(vec![garbage(1)]).await;
    let views: Vec<_> = (0..100).map(|i| page_view(&format!("s{i}"), i, "http://a.example/")).collect();
    anew.append(&views).await;
    anew.database = running.database.clone();
    let report = rebuilt(&anew, Tz::UTC, RebuildOptions::default()).await.unwrap();
    assert!(!report.swapped && !report.new_dead_letters, "{report}");
    assert!(report.differences.iter().all(|difference| difference.contains("nothing was compared")), "{report}");
    assert!(report.to_string().contains("--accept-differences"), "{report}");
    let report = rebuilt(&anew, Tz::UTC, RebuildOptions { accept_differences: true }).await.unwrap();
    assert!(report.swapped, "{report}");
    assert_eq!(running.number("SELECT count(*) FROM page_view").await, 100);
    assert_eq!(running.number("SELECT count(*) FROM dead_letter").await, 1);
}

#[tokio::test]
async fn another_zone_is_what_a_rebuild_is_for() {
    let running = filled().await;
    let report = rebuilt(&running, Tz::Pacific__Auckland, RebuildOptions::default()).await.unwrap();
    assert!(report.swapped, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("time zone")));
    assert!(verify(&running.database, &*running.log, &VerifyOptions::default(), &Progress::silent()).await.unwrap().ok);
}

#[tokio::test]
async fn a_running_projector_is_in_the_way_of_a_rebuild() {
    let mut running = filled().await;
    running.start(&[]);
    running.append(&[page_view("s9", 0, "http://a.example/")]).await;
    running.until("it works", "SELECT sum(events)::bigint FROM tally", 100).await;
    let error = rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap_err();
    assert!(error.to_string().contains("stop it first"), "{error}");
    running.stop().await;
}

#[tokio::test]
async fn a_rebuild_that_has_lost_its_lock_ends_and_swaps_nothing() {
    let running = filled().await;
    let generation = "SELECT generation::text FROM footfall.read_model";
    let before: String = sqlx::query_scalar(generation).fetch_one(&running.pool).await.unwrap();
    // the comparison has to wait, and meanwhile the lock's connection ends, as it does when the server restarts
    let mut locked = running.pool.begin().await.unwrap();
    locked.execute("LOCK TABLE footfall.row_count IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let rebuilding = rebuilt(&running, Tz::UTC, RebuildOptions::default());
    let taken_over = async {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                     AND application_name = 'footfall rebuild' AND wait_event_type = 'Lock'";
        running.until("the comparison waits", waits, 1).await;
        let ended = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                     WHERE datname = current_database() AND application_name = 'footfall rebuild lock'";
        running.until("the lock's connection ends", ended, 1).await;
        eventually("a projector takes the lock", SOON, async || Lease::shared(&running.database).await.unwrap()).await
    };
    let (result, _projectors) = tokio::join!(rebuilding, async {
        let lease = taken_over.await;
        locked.rollback().await.unwrap();
        lease
    });
    let error = result.unwrap_err();
    assert!(matches!(error, RebuildError::LockLost(_)), "{error}");
    let after: String = sqlx::query_scalar(generation).fetch_one(&running.pool).await.unwrap();
    assert_eq!(after, before);
}

#[tokio::test]
async fn without_a_live_read_model_a_rebuild_makes_the_first_one() {
    let running = filled().await;
    running.pool.execute("DROP SCHEMA footfall CASCADE").await.unwrap();
    let report = rebuilt(&running, Tz::UTC, RebuildOptions::default()).await.unwrap_err();
    // without the live model nobody knows which records were passed over
    assert!(report.to_string().contains("newer Footfall"), "{report}");
}
