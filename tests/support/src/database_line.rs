//! A line to the database that can do what a network does: fall silent while everything stays connected, become
//! narrow, or break at the worst moment.

use crate::TestDatabase;
use sqlx::postgres::PgConnectOptions;
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    time::sleep,
};

/// Stands between a program and the server of a test's database.
pub struct DatabaseLine {
    url: String,
    gate: Arc<Mutex<watch::Sender<Flow>>>,
    commit: Arc<Commit>,
    /// Of the connections that stay as they are.
    left: Mutex<Vec<watch::Sender<Flow>>>,
}

/// What comes through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Everything,
    /// So many bytes a second, on each connection and each way.
    Narrow(u32),
    Nothing,
}

impl DatabaseLine {
    /// A new one, which lets everything through.
    pub async fn to(database: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = through(database, listener.local_addr().unwrap());
        let gate = Arc::new(Mutex::new(watch::Sender::new(Flow::Everything)));
        let commit = Arc::<Commit>::default();
        let (of_new_ones, commits) = (gate.clone(), commit.clone());
        let target = database.options();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let gate = of_new_ones.lock().unwrap().subscribe();
                tokio::spawn(connect(client, target.clone(), gate, commits.clone()));
            }
        });
        Self { url, gate, commit, left: Mutex::default() }
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        self.url.parse().unwrap()
    }

    /// The same as an address, for a process of its own.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Nothing comes through any more, and nobody is told.
    pub fn fall_silent(&self) {
        self.gate.lock().unwrap().send_replace(Flow::Nothing);
    }

    /// Only so many bytes a second come through, on each connection and each way.
    pub fn become_narrow(&self, bytes_per_second: u32) {
        self.gate.lock().unwrap().send_replace(Flow::Narrow(bytes_per_second));
    }

    /// What was held back comes through, and everything after it.
    pub fn speak_again(&self) {
        self.gate.lock().unwrap().send_replace(Flow::Everything);
    }

    /// What is connected stays silent for ever, and never hears that anything has ended.
    pub fn speak_on_new_connections(&self) {
        let left = std::mem::replace(&mut *self.gate.lock().unwrap(), watch::Sender::new(Flow::Everything));
        self.left.lock().unwrap().push(left);
    }

    /// The next COMMIT arrives and is done, and its connection breaks before the answer is back.
    pub fn lose_the_next_commit(&self) {
        self.commit.0.store(WANTED, Ordering::SeqCst);
    }

    /// Whether that has happened.
    pub fn has_lost_a_commit(&self) -> bool {
        self.commit.0.load(Ordering::SeqCst) == LOST
    }
}

/// Whether the answer to a COMMIT is to be lost.
#[derive(Default)]
struct Commit(AtomicU8);

const WANTED: u8 = 1;
const SENT: u8 = 2;
const LOST: u8 = 3;

impl Commit {
    fn becomes(&self, from: u8, to: u8) -> bool {
        self.0.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// The statement as a client sends it, which waits for its answer before it sends anything else.
const COMMIT: &[u8] = b"COMMIT\0";

/// The database's address with another host: the options themselves do not tell the password.
fn through(database: &TestDatabase, address: SocketAddr) -> String {
    let url = database.url();
    let host = url.find('@').unwrap() + 1;
    let path = host + url[host..].find('/').unwrap();
    format!("{}{address}{}", &url[..host], &url[path..])
}

async fn connect(client: TcpStream, target: PgConnectOptions, gate: watch::Receiver<Flow>, commit: Arc<Commit>) {
    let host = target.get_host();
    let folder = target.get_socket().cloned().or_else(|| host.starts_with('/').then(|| host.into()));
    if let Some(folder) = folder {
        let server = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", target.get_port()))).await.unwrap();
        both_ways(client, server, gate, &commit).await;
    } else {
        let server = TcpStream::connect((host, target.get_port())).await.unwrap();
        both_ways(client, server, gate, &commit).await;
    }
}

async fn both_ways(
    client: TcpStream,
    server: impl AsyncRead + AsyncWrite,
    gate: watch::Receiver<Flow>,
    commit: &Commit,
) {
    let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
    let sent_here = AtomicBool::new(false);
    let there = pass(from_client, to_server, gate.clone(), |bytes| {
        if bytes.windows(COMMIT.len()).any(|bytes| bytes == COMMIT) && commit.becomes(WANTED, SENT) {
            sent_here.store(true, Ordering::SeqCst);
        }
        Ok(())
    });
    let back = pass(from_server, to_client, gate, |_| {
        if sent_here.load(Ordering::SeqCst) && commit.becomes(SENT, LOST) { Err(Lost) } else { Ok(()) }
    });
    // the end of one way is passed on, and a loss ends both
    drop(tokio::try_join!(there, back));
}

/// What has come is lost, and the connection with it.
struct Lost;

/// Passes on what comes, until `seen` says that it is lost.
async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut gate: watch::Receiver<Flow>,
    seen: impl Fn(&[u8]) -> Result<(), Lost>,
) -> Result<(), Lost> {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        seen(&bytes[..length])?;
        let Ok(flow) = gate.wait_for(|flow| *flow != Flow::Nothing).await.map(|flow| *flow) else {
            return Ok(());
        };
        if let Flow::Narrow(rate) = flow {
            sleep(Duration::from_secs(1) * u32::try_from(length).unwrap() / rate).await;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return Ok(());
        }
    }
    // whoever reads on the other side is told that nothing more comes; it may be gone already
    drop(to.shutdown().await);
    Ok(())
}
