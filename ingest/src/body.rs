//! Bodies into memory, which is bounded: one body by its size, all of them together by a budget of bytes.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use futures::StreamExt;
use service::http::Problem;
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a client may take to send a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What a body may take out of the reserve: more than nearly every single event.
const SMALL_BODY_BYTES: usize = 16 << 10;

/// A body in memory, and its share of the budget for as long as it lives.
pub(crate) struct Received {
    pub bytes: Vec<u8>,
    _share: Share,
}

impl Received {
    /// Bytes with the share that was taken for them.
    pub fn new(bytes: Vec<u8>, share: Share) -> Self {
        Self { bytes, _share: share }
    }
}

/// What somebody has taken of the budget; given back when dropped.
pub(crate) struct Share {
    memory: BodyMemory,
    taken: usize,
    reserved: Option<OwnedSemaphorePermit>,
    common: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Takes more, or 503. The beginning comes out of the reserve as long as there is any.
    pub fn take(&mut self, bytes: usize) -> Result<(), Problem> {
        let small = bytes.min(SMALL_BODY_BYTES.saturating_sub(self.taken));
        let reserved = take(&self.memory.reserve, small, &mut self.reserved);
        let rest = if reserved { bytes - small } else { bytes };
        if !take(&self.memory.common, rest, &mut self.common) {
            let mut problem = Problem::unavailable("The server has too many requests under way.", 1);
            problem.body["stored"] = "no".into();
            return Err(problem);
        }
        self.taken += bytes;
        Ok(())
    }
}

/// Whether there was so much; then it is `held` besides.
fn take(budget: &Arc<Semaphore>, bytes: usize, held: &mut Option<OwnedSemaphorePermit>) -> bool {
    let bytes = u32::try_from(bytes).expect("a body is far below 4 GiB");
    let Ok(more) = budget.clone().try_acquire_many_owned(bytes) else { return false };
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
    true
}

/// Memory for all bodies that are under way.
#[derive(Clone)]
pub(crate) struct BodyMemory {
    common: Arc<Semaphore>,
    /// For the beginnings of bodies alone: a few large ones that come slowly do not keep out the many small ones.
    reserve: Arc<Semaphore>,
    /// How long a body may take.
    patience: Duration,
}

impl BodyMemory {
    /// At most so many bytes, a quarter of them for small bodies.
    pub fn new(bytes: usize) -> Self {
        let reserve = bytes / 4;
        let (common, reserve) = (Arc::new(Semaphore::new(bytes - reserve)), Arc::new(Semaphore::new(reserve)));
        Self { common, reserve, patience: BODY_TIMEOUT }
    }

    /// Nothing of the budget, to begin with.
    pub fn share(&self) -> Share {
        Share { memory: self.clone(), taken: 0, reserved: None, common: None }
    }

    /// Bytes that nobody holds.
    pub fn free(&self) -> usize {
        self.common.available_permits() + self.reserve.available_permits()
    }

    /// Reads a body of at most `limit` bytes, within the budget and [`BODY_TIMEOUT`].
    pub async fn receive(&self, headers: &HeaderMap, body: Body, limit: usize) -> Result<Received, Problem> {
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|length: usize| length > limit) {
            return Err(too_large(limit));
        }
        let reading = self.read(body, limit);
        tokio::time::timeout(self.patience, reading).await.unwrap_or_else(|_| {
            Err(Problem::detail(StatusCode::REQUEST_TIMEOUT, "The request body did not arrive in time."))
        })
    }

    /// Takes of the budget what has arrived: a length that is merely announced costs its sender nothing. Growing may
    /// hold twice of it for a moment.
    async fn read(&self, body: Body, limit: usize) -> Result<Received, Problem> {
        let (mut share, mut bytes) = (self.share(), Vec::new());
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| {
                tracing::debug!(%error, "a body broke off");
                Problem::detail(StatusCode::BAD_REQUEST, "The request body broke off.")
            })?;
            let length = bytes.len() + chunk.len();
            if length > limit {
                return Err(too_large(limit));
            }
            share.take(chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(Received::new(bytes, share))
    }
}

pub(crate) fn too_large(limit: usize) -> Problem {
    Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, format!("The request body is larger than {limit} bytes."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Bytes;
    use schema::limits::MAX_BODY_BYTES;

    fn chunked(chunks: usize, size: usize) -> Body {
        let chunk = Bytes::from(vec![b' '; size]);
        Body::from_stream(futures::stream::iter(vec![Ok::<_, std::convert::Infallible>(chunk); chunks]))
    }

    #[tokio::test]
    async fn a_body_is_taken_up_to_its_limit_and_not_beyond() {
        let memory = BodyMemory::new(10 * MAX_BODY_BYTES);
        let whole = memory
            .receive(&HeaderMap::new(), Body::from(vec![b' '; MAX_BODY_BYTES]), MAX_BODY_BYTES)
            .await
            .map(|b| b.bytes.len());
        assert_eq!(whole.unwrap(), MAX_BODY_BYTES);
        let over = memory.receive(&HeaderMap::new(), chunked(3, 1 << 20), MAX_BODY_BYTES).await.err().unwrap();
        assert_eq!(over.status, 413);
        let mut headers = HeaderMap::new();
        headers.insert("content-length", "99999999999".parse().unwrap());
        assert_eq!(memory.receive(&headers, Body::empty(), MAX_BODY_BYTES).await.err().unwrap().status, 413);
    }

    #[tokio::test]
    async fn a_length_that_is_merely_announced_takes_nothing_of_the_budget() {
        let memory = BodyMemory::new(2 * MAX_BODY_BYTES);
        let mut headers = HeaderMap::new();
        headers.insert("content-length", MAX_BODY_BYTES.to_string().parse().unwrap());
        let silent = Body::from_stream(futures::stream::pending::<Result<Bytes, std::convert::Infallible>>());
        let mut waiting = Box::pin(memory.receive(&headers, silent, MAX_BODY_BYTES));
        assert!(futures::poll!(waiting.as_mut()).is_pending());
        assert!(memory.receive(&HeaderMap::new(), chunked(10, 1 << 18), MAX_BODY_BYTES).await.is_ok());
    }

    #[tokio::test]
    async fn large_bodies_leave_room_for_small_ones() {
        let memory = BodyMemory::new(1 << 20);
        let mut large = Vec::new();
        while let Ok(body) = memory.receive(&HeaderMap::new(), chunked(4, 1 << 16), MAX_BODY_BYTES).await {
            large.push(body);
        }
        assert_eq!(large.len(), 3);
        let small = memory.receive(&HeaderMap::new(), chunked(1, SMALL_BODY_BYTES), MAX_BODY_BYTES).await;
        assert!(small.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_comes_too_slowly_is_given_up_and_pays_back() {
        let memory = BodyMemory { patience: Duration::from_millis(100), ..BodyMemory::new(1 << 16) };
        let drops = futures::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(vec![b' '; 1 << 15]))]);
        let slow = Body::from_stream(drops.chain(futures::stream::pending()));
        let given_up = memory.receive(&HeaderMap::new(), slow, MAX_BODY_BYTES).await.err().unwrap();
        assert_eq!(given_up.status, 408);
        assert_eq!(memory.free(), 1 << 16);
    }

    #[tokio::test]
    async fn all_bodies_together_stay_within_the_budget_and_give_it_back() {
        let memory = BodyMemory::new(1 << 20);
        let first = memory.receive(&HeaderMap::new(), chunked(3, 1 << 18), MAX_BODY_BYTES).await.ok().unwrap();
        let second = memory.receive(&HeaderMap::new(), chunked(2, 1 << 18), MAX_BODY_BYTES).await.err().unwrap();
        assert_eq!((second.status.as_u16(), second.body["stored"].as_str()), (503, Some("no")));
        drop(first);
        assert!(memory.receive(&HeaderMap::new(), chunked(3, 1 << 18), MAX_BODY_BYTES).await.is_ok());
    }
}
