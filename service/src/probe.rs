//! Asks an ops port, for `footfall healthcheck`.

use anyhow::{Context, bail};
use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Most bytes of an answer that are read.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// What an ops port answers: status and body. `address` is where it listens; one on every address is asked on the
/// loopback.
///
/// # Errors
/// When there is no answer within `patience`.
pub async fn ask(mut address: SocketAddr, path: &str, patience: Duration) -> anyhow::Result<(u16, String)> {
    match address {
        SocketAddr::V4(any) if any.ip().is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        SocketAddr::V6(any) if any.ip().is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer = timeout(patience, exchange).await.context("no answer in time").flatten();
    let answer = answer.with_context(|| format!("the ops port {address}"))?;
    let read = || {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.trim().to_owned()))
    };
    let Some(read) = read() else { bail!("the ops port {address} does not answer as one of Footfall's does") };
    Ok(read)
}
