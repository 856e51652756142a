//! What a million clients cost.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use service::{
    access::Identity,
    resource::Resource,
    target::Target,
    throttle::{Throttle, ThrottleSettings},
};
use std::net::Ipv4Addr;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    throttle: ThrottleSettings,
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// Measured: 19 MB when the table is full, which a million addresses do; three million do not cost more.
#[test]
fn a_million_client_addresses_take_less_than_40_megabytes_and_three_million_no_more() {
    // at a rate at which nobody can be forgotten meanwhile
    let command = Command::parse_from(["x", "--throttle-base", "10/day"]);
    let (throttle, nobody) = (Throttle::new(&command.throttle), Identity::default());
    let before = resident();
    let ask = |clients: std::ops::Range<u32>| {
        for client in clients {
            let _ = throttle.spend(Target::List(Resource::PageViews), &nobody, Ipv4Addr::from_bits(client).into());
        }
        resident().saturating_sub(before)
    };
    let million = ask(1..1_000_001);
    println!("{million} bytes for a million addresses");
    assert!(million < 40_000_000, "{million} bytes");
    let three_million = ask(1_000_001..3_000_001);
    println!("{three_million} bytes for three million addresses");
    assert!(three_million < 40_000_000, "{three_million} bytes");
}
