//! The connection to PostgreSQL is cut at the two moments that matter: before the rows arrive there, and after they
//! were stored but before the answer is back.

use super::{
    engine::{PostgresEngine, postgres},
    support::{append, in_time, key_on},
};
use event_log::{EventLog, postgres::PostgresLog};
use sqlx::postgres::PgConnectOptions;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split},
    net::{TcpStream, UnixListener, UnixStream},
};

const FORWARD: u8 = 0;
const CUT_QUESTION: u8 = 1;
const CUT_ANSWER: u8 = 2;

/// A connection of either kind.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// The socket that PostgreSQL would have in this folder, listening on this port.
fn socket(folder: &Path, port: u16) -> PathBuf {
    folder.join(format!(".s.PGSQL.{port}"))
}

async fn connect(server: &PgConnectOptions) -> Box<dyn Stream> {
    match server.get_socket() {
        Some(folder) => Box::new(UnixStream::connect(socket(folder, server.get_port())).await.unwrap()),
        None => Box::new(TcpStream::connect((server.get_host(), server.get_port())).await.unwrap()),
    }
}

/// Passes bytes on until there are some on the way that is to be cut; then both ends are closed.
async fn pass<R: AsyncRead, W: AsyncWrite>(mut from: ReadHalf<R>, mut to: WriteHalf<W>, cut: Arc<AtomicU8>, own: u8) {
    let mut bytes = vec![0; 1 << 16];
    loop {
        let count = from.read(&mut bytes).await.unwrap_or(0);
        let is_cut = cut.compare_exchange(own, FORWARD, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if count == 0 || is_cut || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// Stands in this folder for the server.
fn proxy(server: PgConnectOptions, folder: &Path, cut: Arc<AtomicU8>) {
    let listener = UnixListener::bind(socket(folder, server.get_port())).unwrap();
    tokio::spawn(async move {
        loop {
            let (from_client, to_client) = split(listener.accept().await.unwrap().0);
            let (from_server, to_server) = split(connect(&server).await);
            let cut = Arc::clone(&cut);
            tokio::spawn(async move {
                tokio::select! {
                    () = pass(from_client, to_server, Arc::clone(&cut), CUT_QUESTION) => {}
                    () = pass(from_server, to_client, cut, CUT_ANSWER) => {}
                }
            });
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_recognised_and_one_that_never_arrived_is_repeated() {
    let engine = postgres().await;
    let options = engine.database.options();
    let cut = Arc::new(AtomicU8::new(FORWARD));
    let folder = tempfile::tempdir().unwrap();
    proxy(options.clone(), folder.path(), Arc::clone(&cut));
    let options = options.socket(folder.path());
    let log = PostgresLog::open(options, PostgresEngine::settings()).await.unwrap();
    let writer = log.writer().await.unwrap();
    append(&*writer, &key_on(0), "first").await;
    for round in 0..10 {
        let which = if round % 2 == 0 { CUT_ANSWER } else { CUT_QUESTION };
        cut.store(which, Ordering::SeqCst);
        let position = in_time(append(&*writer, &key_on(0), format!("{round}"))).await;
        assert_eq!(cut.load(Ordering::SeqCst), FORWARD, "the connection was cut");
        assert_eq!(position.offset, 1 + round);
        let stored: Vec<(i64, Vec<u8>)> =
            sqlx::query_as(r#"SELECT "offset", value FROM record WHERE "offset" > 0 ORDER BY "offset""#)
                .fetch_all(&engine.pool)
                .await
                .unwrap();
        assert!(stored.into_iter().eq((0..=round).map(|round| (1 + round, format!("{round}").into_bytes()))));
    }
}
