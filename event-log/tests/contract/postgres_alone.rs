//! What the log in PostgreSQL promises beside.

use super::{
    engine::{Engine, PARTITIONS, PostgresEngine, postgres},
    support::{PATIENCE, all, append, in_time, key_on, record},
};
use event_log::{
    AppendError, EventLog, EventWriter, Sharing,
    postgres::{PostgresLog, PostgresLogError, PostgresLogSettings},
};
use std::{sync::Arc, time::Duration};
use test_support::eventually;
use tokio_util::sync::CancellationToken;

pub async fn kill_appender(engine: &PostgresEngine) -> bool {
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'footfall log appender%'";
    !sqlx::query(kill).fetch_all(&engine.pool).await.unwrap().is_empty()
}

async fn stored(engine: &PostgresEngine) -> (i64, i64) {
    sqlx::query_as("SELECT count(*), count(DISTINCT event_id) FROM record").fetch_one(&engine.pool).await.unwrap()
}

/// A row that somebody else has put where ours would be.
async fn foreign_row(engine: &PostgresEngine, partition: u16) {
    let insert = r#"INSERT INTO record (partition, "offset", appended_at, event_id, value)
        SELECT $1, coalesce(max("offset") + 1, 0), now(), gen_random_uuid(), '' FROM record WHERE partition = $1"#;
    sqlx::query(insert).bind(i32::from(partition)).execute(&engine.pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_opener_is_refused_and_told_who_holds_the_log() {
    let engine = postgres().await;
    let first = engine.open().await;
    let settings = PostgresLogSettings { lock_wait: Duration::from_millis(200), ..PostgresEngine::settings() };
    let refused = PostgresLog::open(engine.database.options(), settings).await.err().unwrap();
    assert!(matches!(refused, PostgresLogError::Held(_)));
    let text = refused.to_string();
    let from = engine.database.options().get_socket().map_or("127.0.0.1", |_| "a local socket");
    assert!(text.contains("footfall log appender") && text.contains(from), "{text}");
    // who only reads is let in
    let reading = engine.open_with(PostgresLogSettings { writer: false, ..PostgresEngine::settings() }).await;
    assert_eq!(reading.log_id(), first.log_id());
    assert!(reading.writer().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opener_waits_for_the_last_holder_to_be_gone() {
    let engine = postgres().await;
    let first = engine.open().await;
    append(&*first.writer().await.unwrap(), &key_on(0), "first").await;
    let (options, settings) = (engine.database.options(), PostgresEngine::settings());
    let second = tokio::spawn(PostgresLog::open(options, settings));
    first.writer().await.unwrap().close().await;
    let second = in_time(second).await.unwrap().unwrap();
    assert_eq!(append(&*second.writer().await.unwrap(), &key_on(0), "second").await.offset, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_who_slips_past_the_lock_is_fenced() {
    let engine = postgres().await;
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "ours").await;
    foreign_row(&engine, 0).await;
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let writer = Arc::clone(&writer);
            tokio::spawn(async move { writer.append(vec![record(&key_on(0), "late")]).await })
        })
        .collect();
    for waiting in waiting {
        let outcomes = in_time(waiting).await.unwrap();
        assert!(matches!(outcomes[..], [Err(AppendError::Fenced(_))]), "{outcomes:?}");
    }
    assert!(matches!(writer.append(vec![record(&key_on(1), "x")]).await[..], [Err(AppendError::Fenced(_))]));
    assert!(writer.ready().is_err());
    assert_eq!(stored(&engine).await, (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_another_that_came_while_the_connection_was_lost_fence() {
    let engine = postgres().await;
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "ours").await;
    foreign_row(&engine, 3).await;
    assert!(kill_appender(&engine).await);
    let outcomes = in_time(writer.append(vec![record(&key_on(0), "late")])).await;
    assert!(matches!(outcomes[..], [Err(AppendError::Fenced(_))]), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_connection_loses_nothing_acknowledged_and_doubles_nothing() {
    let engine = postgres().await;
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let ended = CancellationToken::new();
    let appenders: Vec<_> = (0..16)
        .map(|appender| {
            let (writer, ended): (Arc<dyn EventWriter>, _) = (Arc::clone(&writer), ended.clone());
            tokio::spawn(async move {
                let mut acknowledged = 0;
                while !ended.is_cancelled() {
                    let records = (0..3).map(|i| record(&format!("session-{appender}-{i}"), "v")).collect();
                    acknowledged += i64::try_from(all(writer.append(records).await).len()).unwrap();
                }
                acknowledged
            })
        })
        .collect();
    for _ in 0..25 {
        let (before, _) = stored(&engine).await;
        eventually("records are stored", PATIENCE, || async { (stored(&engine).await.0 > before + 50).then_some(()) })
            .await;
        assert!(kill_appender(&engine).await);
    }
    ended.cancel();
    let mut acknowledged = 0;
    for appender in appenders {
        acknowledged += in_time(appender).await.unwrap();
    }
    assert_eq!(stored(&engine).await, (acknowledged, acknowledged));
    let dense =
        r#"SELECT bool_and(n = m + 1) FROM (SELECT count(*) n, max("offset") m FROM record GROUP BY partition) x"#;
    assert!(sqlx::query_scalar::<_, bool>(dense).fetch_one(&engine.pool).await.unwrap());
    let rising = r#"SELECT bool_and(rises) FROM (SELECT appended_at >= coalesce(lag(appended_at)
        OVER (PARTITION BY partition ORDER BY "offset"), appended_at) rises FROM record) x"#;
    assert!(sqlx::query_scalar::<_, bool>(rising).fetch_one(&engine.pool).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_stores_nothing() {
    let engine = postgres().await;
    let settings = PostgresLogSettings {
        queue_records: 10,
        append_deadline: Duration::from_secs(5),
        ..PostgresEngine::settings()
    };
    let log = engine.open_with(settings).await;
    let writer = log.writer().await.unwrap();
    let mut table = engine.pool.begin().await.unwrap();
    sqlx::query("LOCK TABLE record IN EXCLUSIVE MODE").execute(&mut *table).await.unwrap();
    let append = |count| {
        let writer = Arc::clone(&writer);
        let records = (0..count).map(|_| record(&key_on(0), "v")).collect();
        tokio::spawn(async move { writer.append(records).await })
    };
    let in_flight = append(1);
    let hangs = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'record'::regclass";
    eventually("the appender hangs", PATIENCE, || async {
        sqlx::query_scalar::<_, bool>(hangs).fetch_one(&engine.pool).await.unwrap().then_some(())
    })
    .await;
    let mut reasons = Vec::new();
    for waiting in (0..30).map(|_| append(1)).collect::<Vec<_>>() {
        match &in_time(waiting).await.unwrap()[..] {
            [Err(AppendError::Overloaded(reason))] => reasons.push(reason.clone()),
            other => panic!("{other:?}"),
        }
    }
    // What had not begun when its deadline came was taken out again; what was under way may be stored.
    assert_eq!(reasons.iter().filter(|reason| reason.contains("waited for too long")).count(), 10);
    assert_eq!(reasons.iter().filter(|reason| reason.contains("too many records wait")).count(), 20);
    assert!(matches!(in_time(in_flight).await.unwrap()[..], [Err(AppendError::Unknown(_))]));
    table.rollback().await.unwrap();
    super::support::append(&*writer, &key_on(0), "later").await;
    assert_eq!(stored(&engine).await, (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_postgresql_refuses_are_overloaded_and_the_appender_goes_on() {
    let engine = postgres().await;
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    sqlx::query(
        "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$",
    )
    .execute(&engine.pool)
    .await
    .unwrap();
    let trigger = "CREATE TRIGGER disk_full BEFORE INSERT ON record EXECUTE FUNCTION disk_full()";
    sqlx::query(trigger).execute(&engine.pool).await.unwrap();
    let outcomes = writer.append(vec![record(&key_on(0), "v"), record(&key_on(1), "v")]).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Err(AppendError::Overloaded(reason)) if reason.contains("No space"))),
        "{outcomes:?}"
    );
    assert!(writer.ready().unwrap_err().contains("No space"));
    sqlx::query("DROP TRIGGER disk_full ON record").execute(&engine.pool).await.unwrap();
    assert_eq!(append(&*writer, &key_on(0), "v").await.offset, 0);
    assert_eq!(writer.ready(), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_number_of_partitions_is_refused_and_both_are_named() {
    let engine = postgres().await;
    let id = engine.open_with(PostgresEngine::settings()).await.log_id().clone();
    let settings = PostgresLogSettings { partitions: 7, ..PostgresEngine::settings() };
    let refused = PostgresLog::open(engine.database.options(), settings).await.err().unwrap().to_string();
    assert!(refused.contains('7') && refused.contains(&PARTITIONS.to_string()), "{refused}");
    assert_eq!(engine.open().await.log_id(), &id, "the same log is found again");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_tables_are_named_with_the_way_out() {
    let database = test_support::TestDatabase::create().await;
    let refused = PostgresLog::open(database.options(), PostgresLogSettings::default()).await.err().unwrap();
    assert!(matches!(refused, PostgresLogError::NoTables), "{refused}");
    assert!(refused.to_string().contains("footfall migrate"));
    let engine = postgres().await;
    let reading = PostgresLogSettings { writer: false, ..PostgresEngine::settings() };
    let refused = PostgresLog::open(engine.database.options(), reading).await.err().unwrap();
    assert!(matches!(refused, PostgresLogError::NoLog), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_goes_in_steps_and_keeps_the_head() {
    let engine = postgres().await;
    let log = engine.open_with(PostgresEngine::settings()).await;
    let writer = log.writer().await.unwrap();
    all(writer.append((0..25).map(|_| record(&key_on(2), "v")).collect()).await);
    assert_eq!(log.trim(2, 1_000, 10).await.unwrap(), 25);
    assert_eq!(log.trim(2, 1_000, 10).await.unwrap(), 0);
    writer.close().await;
    drop((writer, log));
    let log = engine.open().await;
    assert_eq!(append(&*log.writer().await.unwrap(), &key_on(2), "v").await.offset, 25, "never from 0 again");
    let reader = log.reader(Sharing::Alone).await.unwrap();
    assert_eq!(reader.watermarks(2).await.unwrap().low, 25);
}

/// A process that only reads is not woken by commits: it looks every second.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_another_process_sees_records_too() {
    let engine = postgres().await;
    let log = engine.open().await;
    let reading = engine.open_with(PostgresLogSettings { writer: false, ..PostgresEngine::settings() }).await;
    let reader = reading.reader(Sharing::Alone).await.unwrap();
    let mut lane = reader.open(0, 0).await.unwrap();
    append(&*log.writer().await.unwrap(), &key_on(0), "v").await;
    assert_eq!(in_time(lane.next(1, 1)).await.unwrap()[0].value, b"v");
}
