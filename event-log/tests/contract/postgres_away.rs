//! The appender of the log in PostgreSQL comes back after its server was away, silent or slow, and lets nobody wait
//! meanwhile.

use super::{
    engine::{PostgresEngine, postgres},
    postgres_alone::kill_appender,
    support::{PATIENCE, all, append, in_time, key_on, record},
};
use event_log::{
    AppendError, EventLog, EventWriter, Sharing,
    postgres::{PostgresLog, PostgresLogSettings},
};
use sqlx::{Connection, Executor, PgConnection};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use test_support::{DatabaseLine, eventually};

/// The appender's advisory lock, as another program would take it.
const LOCK: i64 = 0x666f_6f74_6661_6c6c;

/// Gives up on a silent server after little more than a second, and on a lock at once.
fn impatient() -> PostgresLogSettings {
    PostgresLogSettings {
        statement_timeout: Duration::from_secs(1),
        lock_wait: Duration::from_millis(200),
        ..PostgresEngine::settings()
    }
}

async fn appenders(engine: &PostgresEngine) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'footfall log appender%'";
    sqlx::query_scalar(count).fetch_one(&engine.pool).await.unwrap()
}

fn spawn(writer: &Arc<dyn EventWriter>) -> tokio::task::JoinHandle<Vec<Result<schema::Position, AppendError>>> {
    let writer = Arc::clone(writer);
    tokio::spawn(async move { writer.append(vec![record(&key_on(0), "v")]).await })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_the_lost_connection_still_holds_is_taken_over() {
    let engine = postgres().await;
    let line = DatabaseLine::to(&engine.database).await;
    let log = PostgresLog::open(line.options(), impatient()).await.unwrap();
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "first").await;
    for round in 1..4 {
        line.fall_silent();
        let in_flight = spawn(&writer);
        eventually("the silence is noticed", PATIENCE, async || writer.ready().err()).await;
        // the server never hears that nobody uses the first connection any more
        line.speak_on_new_connections();
        let outcomes = in_time(in_flight).await.unwrap();
        assert!(matches!(&outcomes[..], [Ok(position)] if position.offset == round), "{outcomes:?}");
        assert_eq!(writer.ready(), Ok(()));
    }
    assert_eq!(append(&*writer, &key_on(0), "last").await.offset, 4);
    eventually("one connection is left", PATIENCE, async || (appenders(&engine).await == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_over_a_narrow_line_gives_what_has_come() {
    let engine = postgres().await;
    let line = DatabaseLine::to(&engine.database).await;
    let log = PostgresLog::open(line.options(), PostgresEngine::settings()).await.unwrap();
    let records = (0..500).map(|_| record(&key_on(0), vec![b'v'; 4_096])).collect();
    assert_eq!(all(log.writer().await.unwrap().append(records).await).len(), 500);
    let reader = log.reader(Sharing::Alone).await.unwrap();
    let mut lane = in_time(reader.open(0, 0)).await.unwrap();
    // ten seconds for all of them
    line.become_narrow(200_000);
    let mut next = 0;
    for _ in 0..3 {
        let step = in_time(lane.next(1_000, 64 << 20)).await.unwrap();
        assert!((1..250).contains(&step.len()), "{}", step.len());
        for record in step {
            assert_eq!(record.position.offset, next);
            next += 1;
        }
    }
    line.speak_again();
    while next < 500 {
        next += i64::try_from(in_time(lane.next(1_000, 64 << 20)).await.unwrap().len()).unwrap();
    }
    assert_eq!(next, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_holder_that_came_while_the_connection_was_lost_is_refused() {
    let engine = postgres().await;
    let log = engine.open_with(impatient()).await;
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "ours").await;
    let mut other = PgConnection::connect_with(&engine.database.options().application_name("the other")).await.unwrap();
    let taken = tokio::spawn(async move {
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut other).await.unwrap();
        other
    });
    let waits = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    eventually("the other one waits", PATIENCE, async || {
        sqlx::query_scalar::<_, bool>(waits).fetch_one(&engine.pool).await.unwrap().then_some(())
    })
    .await;
    assert!(kill_appender(&engine).await);
    let other = in_time(taken).await.unwrap();
    let outcomes = in_time(writer.append(vec![record(&key_on(0), "late")])).await;
    assert!(
        matches!(&outcomes[..], [Err(AppendError::Fenced(holder))] if holder.contains("the other")),
        "{outcomes:?}"
    );
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_appends_are_refused_at_once_and_taken_again_after_it_is_back() {
    let engine = postgres().await;
    let name = engine.database.options().get_database().unwrap().to_owned();
    let log = engine.open_with(PostgresLogSettings { append_deadline: PATIENCE, ..impatient() }).await;
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "first").await;
    let mut server = PgConnection::connect_with(&engine.database.options().database("postgres")).await.unwrap();
    server.execute(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false").as_str()).await.unwrap();
    assert!(kill_appender(&engine).await);

    let in_flight = spawn(&writer);
    eventually("the loss is noticed", PATIENCE, async || writer.ready().err()).await;
    // who asks in the first moment waits; nobody does after it
    let refused = eventually("appends are refused", PATIENCE, async || {
        let waiting = tokio::time::timeout(Duration::from_millis(100), writer.append(vec![record(&key_on(1), "v")]));
        waiting.await.ok()
    })
    .await;
    assert!(matches!(&refused[..], [Err(AppendError::Overloaded(_))]), "{refused:?}");
    let started = Instant::now();
    for _ in 0..100 {
        let refused = writer.append(vec![record(&key_on(1), "v")]).await;
        assert!(matches!(&refused[..], [Err(AppendError::Overloaded(_))]), "{refused:?}");
    }
    assert!(started.elapsed() < PATIENCE / 2, "refused without waiting");

    server.execute(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true").as_str()).await.unwrap();
    let outcomes = in_time(in_flight).await.unwrap();
    assert!(matches!(&outcomes[..], [Ok(position)] if position.offset == 1), "what was in flight: {outcomes:?}");
    append(&*writer, &key_on(0), "after").await;
    assert_eq!(writer.ready(), Ok(()));
}
