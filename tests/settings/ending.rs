//! How a service ends while a request is under way.

use crate::common::{Service, ask, database};
use rustix::process::Signal;
use sqlx::{PgPool, Postgres, Transaction};
use std::{thread::JoinHandle, time::Duration};
use test_support::{TestDatabase, eventually};
use tokio::runtime::Runtime;

/// `up` with a list that somebody waits for: the table is locked until the transaction ends.
struct Busy {
    up: Service,
    request: JoinHandle<Option<u16>>,
    lock: Lock,
    _database: TestDatabase,
}

/// A table that nobody can read until this is dropped.
struct Lock {
    transaction: Option<Transaction<'static, Postgres>>,
    runtime: Runtime,
}

impl Lock {
    fn take(runtime: Runtime, pool: &PgPool) -> Self {
        let transaction = runtime.block_on(async {
            let mut transaction = pool.begin().await.unwrap();
            let lock = "LOCK TABLE footfall.row_count IN ACCESS EXCLUSIVE MODE";
            sqlx::query(lock).execute(&mut *transaction).await.unwrap();
            transaction
        });
        Self { transaction: Some(transaction), runtime }
    }

    fn eventually(&self, what: &str, condition: impl Fn() -> bool) {
        self.runtime.block_on(eventually(what, Duration::from_secs(30), async || condition().then_some(())));
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let transaction = self.transaction.take().unwrap();
        self.runtime.block_on(transaction.rollback()).unwrap();
    }
}

impl Busy {
    fn start(arguments: &[&str]) -> Self {
        let database = database();
        let up = Service::up(&database, &[&["--statement-timeout-ms", "60000"], arguments].concat());
        assert_eq!(up.get("/sessions/").status, 200);
        let runtime = Runtime::new().unwrap();
        let pool = runtime.block_on(database.pool());
        let lock = Lock::take(runtime, &pool);
        let address = up.address.clone();
        // one that is left without an answer panics
        let request = std::thread::spawn(move || {
            std::panic::catch_unwind(|| ask(&address, "GET", "/sessions/", "", "").status).ok()
        });
        lock.runtime.block_on(eventually("the list waits for the lock", Duration::from_secs(30), async || {
            let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'footfall.row_count'::regclass";
            let waiting: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
            (waiting > 0).then_some(())
        }));
        Self { up, request, lock, _database: database }
    }
}

#[test]
fn readyz_says_that_the_process_is_stopping_until_what_is_under_way_is_finished() {
    let mut busy = Busy::start(&[]);
    let ops = busy.up.address_of("ops port");
    busy.up.signal(Signal::TERM);
    let stopping = || {
        let answer = ask(&ops, "GET", "/readyz", "", "");
        answer.status == 503 && answer.json()["not_ready"]["process"] == "stopping"
    };
    busy.lock.eventually("it says so", stopping);
    busy.up.says(|line| line.contains("stopping; a second signal does not wait").then_some(()));
    assert!(stopping(), "it still says so");
    drop(busy.lock);
    assert_eq!(busy.request.join().unwrap(), Some(200), "what was under way is answered");
    assert_eq!(busy.up.ended().0, Some(0));
}

#[test]
fn what_is_not_finished_in_time_is_left_with_an_exit_code_of_its_own_and_the_setting() {
    let busy = Busy::start(&["--drain-seconds", "1"]);
    busy.up.signal(Signal::TERM);
    let (code, said) = busy.up.ended();
    assert_eq!(code, Some(3), "{said}");
    let line = said.lines().find(|line| line.starts_with("footfall: ")).unwrap();
    assert!(line.contains("--drain-seconds"), "{line}");
    assert_eq!(busy.request.join().unwrap(), None);
}

#[test]
fn a_second_signal_does_not_wait() {
    let mut busy = Busy::start(&[]);
    busy.up.signal(Signal::TERM);
    busy.up.says(|line| line.contains("a second signal does not wait").then_some(()));
    busy.up.signal(Signal::INT);
    let (code, said) = busy.up.ended();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("stopping at once"), "{said}");
    assert_eq!(busy.request.join().unwrap(), None);
}
