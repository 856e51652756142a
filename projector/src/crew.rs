//! The workers at work, by partition: put to work, told to let go, and surely gone after that.

use std::{collections::HashMap, future::Future, time::Duration};
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

/// One worker that has not ended yet.
#[derive(Debug)]
struct Worker {
    partition: u16,
    token: CancellationToken,
    abort: AbortHandle,
}

/// All workers. Each is known by its task: a partition may come back while its last worker is still ending.
#[derive(Debug, Default)]
pub struct Crew {
    tasks: JoinSet<()>,
    workers: HashMap<Id, Worker>,
}

impl Crew {
    /// Puts a worker to work on a partition. It is given the token that tells it to let go. One that still works on
    /// the partition is told so now.
    pub fn put<F>(&mut self, partition: u16, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tell(&[partition]);
        let token = CancellationToken::new();
        let abort = self.tasks.spawn(work(token.clone()));
        self.workers.insert(abort.id(), Worker { partition, token, abort });
    }

    /// Waits for the next one that ends by itself; `None` when nobody is at work. Cancel-safe.
    pub async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, ())| *id);
        self.workers.remove(&id);
        match ended {
            // stopped in `let_go`, which has said so
            Err(error) if error.is_cancelled() => Some(Ok(())),
            ended => Some(ended.map(drop)),
        }
    }

    /// Tells the workers of these partitions to let go and waits for them; stops those where they are that have not
    /// ended after `within`, and gives their partitions. Nobody works on any of them after that.
    pub async fn let_go(&mut self, partitions: &[u16], within: Duration) -> Vec<u16> {
        self.tell(partitions);
        if tokio::time::timeout(within, self.until_nobody_works_on(partitions)).await.is_ok() {
            return Vec::new();
        }
        let late: Vec<_> = self.workers.values().filter(|worker| partitions.contains(&worker.partition)).collect();
        for worker in &late {
            worker.abort.abort();
        }
        let late = late.iter().map(|worker| worker.partition).collect();
        // it is stopped at the next moment in which it waits for something, and may write until then
        self.until_nobody_works_on(partitions).await;
        late
    }

    async fn until_nobody_works_on(&mut self, partitions: &[u16]) {
        while self.works_on(partitions) {
            if let Some(Err(error)) = self.ended().await {
                tracing::error!(%error, "a worker failed");
            }
        }
    }

    /// The partitions that somebody works on.
    pub fn partitions(&self) -> Vec<u16> {
        self.workers.values().map(|worker| worker.partition).collect()
    }

    fn tell(&self, partitions: &[u16]) {
        for worker in self.workers.values().filter(|worker| partitions.contains(&worker.partition)) {
            worker.token.cancel();
        }
    }

    fn works_on(&self, partitions: &[u16]) -> bool {
        self.workers.values().any(|worker| partitions.contains(&worker.partition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    const SOON: Duration = Duration::from_secs(20);
    const AT_ONCE: Duration = Duration::from_millis(10);

    /// Tells when it is gone, however it went.
    struct Gone(Option<oneshot::Sender<()>>);

    impl Drop for Gone {
        fn drop(&mut self) {
            if let Some(gone) = self.0.take() {
                let _ = gone.send(());
            }
        }
    }

    fn gone() -> (Gone, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Gone(Some(sender)), receiver)
    }

    async fn in_time(gone: oneshot::Receiver<()>) {
        tokio::time::timeout(SOON, gone).await.expect("not gone in time").unwrap();
    }

    async fn stuck(_gone: Gone) {
        std::future::pending::<()>().await;
    }

    #[tokio::test]
    async fn a_worker_that_does_not_let_go_is_stopped_where_it_is() {
        let mut crew = Crew::default();
        let (work, mut worker_gone) = gone();
        crew.put(3, |_| stuck(work));
        assert_eq!(crew.let_go(&[3, 4], AT_ONCE).await, [3]);
        assert_eq!(worker_gone.try_recv(), Ok(()), "gone when that is said, not some time later");
        assert_eq!(crew.partitions(), Vec::<u16>::new(), "and nobody is left");
    }

    #[tokio::test]
    async fn the_late_end_of_one_worker_does_not_keep_the_next_one_from_being_told() {
        let mut crew = Crew::default();
        let (first, first_gone) = gone();
        let (end_first, ends) = oneshot::channel::<()>();
        crew.put(3, |_| async move {
            let _first = first;
            drop(ends.await);
        });
        let (second, second_gone) = gone();
        crew.put(3, |token| async move {
            let _second = second;
            token.cancelled().await;
        });
        end_first.send(()).unwrap();
        assert!(tokio::time::timeout(SOON, crew.ended()).await.unwrap().is_some());
        in_time(first_gone).await;
        assert_eq!(crew.partitions(), [3]);
        assert_eq!(crew.let_go(&[3], SOON).await, Vec::<u16>::new(), "the second one was told and has ended");
        in_time(second_gone).await;
    }

    #[tokio::test]
    async fn others_go_on_while_one_partition_is_let_go() {
        let mut crew = Crew::default();
        for partition in [1, 2] {
            crew.put(partition, |token| async move { token.cancelled().await });
        }
        assert_eq!(crew.let_go(&[1], SOON).await, Vec::<u16>::new());
        assert_eq!(crew.partitions(), [2]);
    }
}
