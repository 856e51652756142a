//! Projectors that share the partitions, come, go and are killed.

use crate::common::{Place, Process, SOON, events, kills};
use rand::RngExt;
use serde_json::Value;
use std::collections::BTreeSet;
use test_support::{eventually, seeded};

/// The partitions that a projector says it has.
fn partitions_of(projector: &Process) -> BTreeSet<u16> {
    let mut partitions = BTreeSet::new();
    for line in projector.said() {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        let change = || serde_json::from_str::<BTreeSet<u16>>(line["partitions"].as_str()?).ok();
        match (line["message"].as_str(), change()) {
            (Some("assigned"), Some(more)) => partitions.extend(more),
            (Some("revoked"), Some(fewer)) => partitions.retain(|partition| !fewer.contains(partition)),
            _ => {}
        }
    }
    partitions
}

/// Waits until these projectors have all partitions among them and none has none.
async fn until_shared(projectors: &[&Process], partitions: u16) {
    let what = format!("{} projectors share {partitions} partitions", projectors.len());
    eventually(&what, SOON, async || {
        let shares: Vec<_> = projectors.iter().map(|projector| partitions_of(projector)).collect();
        let sum: usize = shares.iter().map(BTreeSet::len).sum();
        let all: BTreeSet<u16> = shares.iter().flatten().copied().collect();
        let fair = shares.iter().all(|share| !share.is_empty());
        (fair && sum == all.len() && all.len() == usize::from(partitions)).then_some(())
    })
    .await;
}

/// So many events a second that a load lasts for so many seconds.
fn rate(events: u64, seconds: u64) -> String {
    (events / seconds).max(1).to_string()
}

#[tokio::test]
async fn projectors_killed_under_load_lose_and_double_nothing() {
    let (place, events, kills) = (Place::new().await, events(), kills());
    let mut random = seeded("projectors_killed_under_load_lose_and_double_nothing");
    place.migrate(6).await;
    let mut ingest = place.start(&["ingest"]);
    let (mut one, other) = (place.start(&["projector"]), place.start(&["projector"]));
    until_shared(&[&one, &other], 6).await;

    let load = place.load(ingest.address("http").await, events, &["--rate", &rate(events, 4 * kills)]);
    for kill in 0..kills {
        let share = events / (kills + 1);
        let moment = kill * share + random.random_range(share / 4..=share);
        place.until_acknowledged(moment).await;
        one.kill();
        if kill + 1 < kills {
            one = place.start(&["projector"]);
        }
    }
    // the last one killed does not come back: the other one takes over all that it had
    load.ended().await.well();
    place.verify_all(events).await;
    until_shared(&[&other], 6).await;
    other.stop().await;
    ingest.stop().await;
}

#[tokio::test]
async fn partitions_move_to_who_comes_and_from_who_goes() {
    let (place, events) = (Place::new().await, events());
    place.migrate(6).await;
    let mut ingest = place.start(&["ingest"]);
    let (one, two) = (place.start(&["projector"]), place.start(&["projector"]));
    until_shared(&[&one, &two], 6).await;
    let load = place.load(ingest.address("http").await, events, &["--rate", &rate(events, 10)]);
    place.until_acknowledged(100).await;
    let mut three = place.start(&["projector"]);
    until_shared(&[&one, &two, &three], 6).await;
    one.stop().await;
    until_shared(&[&two, &three], 6).await;
    three.until_ready().await;
    load.ended().await.well();
    place.verify_all(events).await;
    for service in [two, three, ingest] {
        service.stop().await;
    }
}
