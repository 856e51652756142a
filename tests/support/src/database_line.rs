//! A line to the database that can fall silent, as a network does: connected, and nothing comes through.

use crate::TestDatabase;
use sqlx::postgres::PgConnectOptions;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

/// Stands between a program and the server of a test's database.
pub struct DatabaseLine {
    options: PgConnectOptions,
    gate: Arc<Mutex<watch::Sender<bool>>>,
    /// Of the connections that stay as they are.
    left: Mutex<Vec<watch::Sender<bool>>>,
}

impl DatabaseLine {
    /// A new one, which lets everything through.
    pub async fn to(database: &TestDatabase) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let options = through(database, listener.local_addr().unwrap());
        let gate = Arc::new(Mutex::new(watch::Sender::new(true)));
        let of_new_ones = gate.clone();
        let target = database.options();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let gate = of_new_ones.lock().unwrap().subscribe();
                tokio::spawn(connect(client, target.clone(), gate));
            }
        });
        Self { options, gate, left: Mutex::default() }
    }

    /// How to connect through it.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Nothing comes through any more, and nobody is told.
    pub fn fall_silent(&self) {
        self.gate.lock().unwrap().send_replace(false);
    }

    /// What was held back comes through, and everything after it.
    pub fn speak_again(&self) {
        self.gate.lock().unwrap().send_replace(true);
    }

    /// What is connected stays silent for ever, and never hears that anything has ended.
    pub fn speak_on_new_connections(&self) {
        let left = std::mem::replace(&mut *self.gate.lock().unwrap(), watch::Sender::new(true));
        self.left.lock().unwrap().push(left);
    }
}

/// The database's address with another host: the options themselves do not tell the password.
fn through(database: &TestDatabase, address: SocketAddr) -> PgConnectOptions {
    let url = database.url();
    let host = url.find('@').unwrap() + 1;
    let path = host + url[host..].find('/').unwrap();
    format!("{}{address}{}", &url[..host], &url[path..]).parse().unwrap()
}

async fn connect(client: TcpStream, target: PgConnectOptions, gate: watch::Receiver<bool>) {
    let host = target.get_host();
    let folder = target.get_socket().cloned().or_else(|| host.starts_with('/').then(|| host.into()));
    if let Some(folder) = folder {
        let server = UnixStream::connect(folder.join(format!(".s.PGSQL.{}", target.get_port()))).await.unwrap();
        both_ways(client, server, gate).await;
    } else {
        let server = TcpStream::connect((host, target.get_port())).await.unwrap();
        both_ways(client, server, gate).await;
    }
}

async fn both_ways(client: TcpStream, server: impl AsyncRead + AsyncWrite, gate: watch::Receiver<bool>) {
    let ((from_client, to_client), (from_server, to_server)) = (split(client), split(server));
    tokio::join!(pass(from_client, to_server, gate.clone()), pass(from_server, to_client, gate));
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut gate: watch::Receiver<bool>) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if gate.wait_for(|open| *open).await.is_err() || to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    // whoever reads on the other side is told that nothing more comes; it may be gone already
    drop(to.shutdown().await);
}
