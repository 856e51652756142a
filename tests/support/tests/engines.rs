//! The engines are what the other tests take them for.

use sqlx::{Connection, PgConnection};
use std::{net::TcpStream, time::Instant};
use test_support::{Broker, TestDatabase};

#[tokio::test]
async fn a_database_is_reached_by_its_address_as_well_as_by_its_options() {
    let database = TestDatabase::create().await;
    let mut by_address: PgConnection = PgConnection::connect(&database.url()).await.unwrap();
    let mut by_options = PgConnection::connect_with(&database.options()).await.unwrap();
    let mut names = Vec::new();
    for connection in [&mut by_address, &mut by_options] {
        let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(connection).await.unwrap();
        names.push(name);
    }
    assert_eq!(names[0], names[1]);
    assert!(names[0].starts_with("test_"), "{names:?}");
}

#[tokio::test]
async fn a_broker_comes_back_where_it_was() {
    let started = Instant::now();
    let mut broker = Broker::start().await;
    println!("started in {:?}", started.elapsed());
    let address = broker.brokers();
    assert!(TcpStream::connect(&address).is_ok());

    let before = Instant::now();
    broker.stop().await;
    println!("stopped in {:?}", before.elapsed());
    assert!(TcpStream::connect(&address).is_err());
    broker.start_again().await;
    assert_eq!(broker.brokers(), address);

    broker.kill();
    assert!(TcpStream::connect(&address).is_err());
    let before = Instant::now();
    broker.start_again().await;
    println!("started again in {:?}", before.elapsed());

    drop(broker);
    assert!(TcpStream::connect(&address).is_err());
}
