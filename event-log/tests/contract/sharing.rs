use super::{
    engine::{Engine, PARTITIONS},
    support::{PATIENCE, in_time, record},
};
use event_log::{AppendError, Change, EventLog, EventReader, OpenError, ReadError, Sharing};
use rand::RngExt;
use schema::Position;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};
use test_support::{eventually, seeded, unique_name};
use tokio::{task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;

/// What a projector keeps in its tables: the next offset of each partition, moved by compare-and-swap, and what was
/// processed in the same step.
#[derive(Default)]
pub struct Checkpoints {
    next: HashMap<u16, i64>,
    pub processed: Vec<Position>,
}

pub type Store = Arc<Mutex<Checkpoints>>;

/// Reads one partition from its checkpoint on until it is told to stop or the partition is taken away.
async fn work(reader: Arc<dyn EventReader>, partition: u16, store: Store, stop: CancellationToken) {
    'open: while !stop.is_cancelled() {
        let mut from = store.lock().unwrap().next.get(&partition).copied().unwrap_or(0);
        let mut lane = match reader.open(partition, from).await {
            Ok(lane) => lane,
            Err(OpenError::Read(ReadError::Revoked)) => return,
            Err(OpenError::Read(ReadError::Unavailable(_))) => continue,
            Err(error) => panic!("{error}"),
        };
        loop {
            let records = tokio::select! {
                () = stop.cancelled() => return,
                records = lane.next(20, 1 << 20) => records,
            };
            let records = match records {
                Ok(records) => records,
                Err(ReadError::Revoked) => return,
                Err(ReadError::Unavailable(_)) => continue 'open,
                Err(error) => panic!("{error}"),
            };
            let to = records.last().unwrap().position.offset + 1;
            let mut store = store.lock().unwrap();
            let next = store.next.entry(partition).or_insert(0);
            if *next != from {
                continue 'open; // somebody else has gone on meanwhile
            }
            *next = to;
            store.processed.extend(records.iter().map(|record| record.position));
            from = to;
        }
    }
}

/// A process that takes what the group gives it. A rude one ends without letting anything go in order.
pub async fn member(log: Arc<dyn EventLog>, group: String, store: Store, stop: CancellationToken, rude: bool) {
    let reader = log.reader(Sharing::Group(group)).await.unwrap();
    let mut workers: HashMap<u16, (CancellationToken, JoinHandle<()>)> = HashMap::new();
    loop {
        let change = tokio::select! {
            () = stop.cancelled() => break,
            change = reader.assignment() => change.unwrap(),
        };
        match change {
            Change::Assigned(partitions) => {
                for partition in partitions {
                    let stop = CancellationToken::new();
                    let work = work(Arc::clone(&reader), partition, Arc::clone(&store), stop.clone());
                    let former = workers.insert(partition, (stop, tokio::spawn(work)));
                    assert!(former.is_none_or(|(_, work)| work.is_finished()), "given twice");
                }
            }
            Change::Revoked { partitions, done } => {
                for partition in partitions {
                    let (stop, work) = workers.remove(&partition).expect("only what was given is taken away");
                    stop.cancel();
                    work.await.unwrap();
                }
                let _ = done.send(());
            }
        }
    }
    if rude {
        in_time(reader.close()).await;
    }
    for (stop, work) in workers.into_values() {
        stop.cancel();
        work.await.unwrap();
    }
    if !rude {
        in_time(reader.close()).await;
    }
}

pub async fn every_offset_is_processed_once_however_readers_come_and_go(engine: impl Engine) {
    let mut random = seeded("every_offset_is_processed_once_however_readers_come_and_go");
    let log = engine.open().await;
    let (group, store) = (unique_name("group"), Store::default());
    let writer = log.writer().await.unwrap();
    let ended = CancellationToken::new();
    let appending = tokio::spawn({
        let ended = ended.clone();
        async move {
            let mut stored = BTreeSet::new();
            for i in 0_u32.. {
                if ended.is_cancelled() {
                    break;
                }
                let records = (0..10).map(|j| record(&format!("session-{}", (i + j) % 97), format!("{i}"))).collect();
                let outcomes: Vec<Result<Position, AppendError>> = writer.append(records).await;
                stored.extend(outcomes.into_iter().map(Result::unwrap));
                tokio::time::sleep(Duration::from_millis(2)).await; // load, not synchronisation
            }
            stored
        }
    });

    let mut members: Vec<(CancellationToken, JoinHandle<()>)> = Vec::new();
    for round in 0..12 {
        while members.len() < 3 {
            let stop = CancellationToken::new();
            let rude = random.random_bool(0.3);
            let member = member(Arc::clone(&log), group.clone(), Arc::clone(&store), stop.clone(), rude);
            members.push((stop, tokio::spawn(member)));
        }
        // Most rounds interrupt once something was done; some interrupt in the midst of the dividing.
        let before = store.lock().unwrap().processed.len();
        let wanted = before + random.random_range(0..100);
        let patience = Duration::from_millis(random.random_range(0..8_000));
        let going_on = eventually("records are processed", PATIENCE, || async {
            (store.lock().unwrap().processed.len() > wanted).then_some(())
        });
        let _ = timeout(if round % 3 == 0 { patience } else { PATIENCE }, going_on).await;
        let (stop, member) = members.swap_remove(random.random_range(0..members.len()));
        stop.cancel();
        in_time(member).await.unwrap();
    }
    ended.cancel();
    let stored = in_time(appending).await.unwrap();
    eventually("everything is processed", PATIENCE, || async {
        (store.lock().unwrap().processed.len() >= stored.len()).then_some(())
    })
    .await;
    for (stop, member) in members {
        stop.cancel();
        in_time(member).await.unwrap();
    }
    let processed = &store.lock().unwrap().processed;
    assert_eq!(processed.len(), stored.len());
    assert!(stored.iter().eq(&processed.iter().copied().collect::<BTreeSet<_>>()));
    for partition in 0..PARTITIONS {
        let offsets = processed.iter().filter(|position| position.partition == partition);
        assert!(offsets.map(|position| position.offset).is_sorted(), "in order");
    }
}
