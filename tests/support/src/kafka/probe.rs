use std::io;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A metadata request (key 3, version 0) without topics and without a client's name.
const REQUEST: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0];

/// Whether the broker answers and counts itself among the brokers: only then topics can be made on it.
pub(super) async fn is_ready(port: u16) -> bool {
    brokers(port).await.is_ok_and(|brokers| brokers > 0)
}

async fn brokers(port: u16) -> io::Result<i32> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(&REQUEST).await?;
    let (_size, _correlation) = (stream.read_i32().await?, stream.read_i32().await?);
    stream.read_i32().await
}
