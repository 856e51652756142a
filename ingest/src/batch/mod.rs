//! `POST /batch/`: up to 2,000 events in one request (contract § 12). The path of its body is `inflate` → `parse` →
//! `prepare` → the log → `results`.
//!
//! Memory: the body as it came, as it was inflated and as records is paid for out of the budget of all bodies; beside
//! that, decoders of at most as many batches as there are processors.

pub(crate) mod fuzzing;
mod inflate;
mod parse;
mod prepare;
mod results;

use crate::{
    body::{Received, Share},
    content_type::{BatchForm, ContentType},
    routes::{Ingest, negotiate, source},
};
use axum::{
    extract::Request,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use inflate::Coding;
use prepare::{Closed, Prepared, prepare};
use schema::{Source, limits::MAX_BATCH_BYTES};
use service::{http::Problem, resource::Resource};

/// A body up to this size is read where it arrived; a larger one, or one that can become larger, beside the requests.
const SMALL_BYTES: usize = 64 * 1024;

/// Everything that decides about a batch but its body.
struct Letter {
    form: BatchForm,
    content_type: ContentType,
    coding: Option<Coding>,
    closed: Closed,
    source: Source,
    arrived: DateTime<Utc>,
}

impl Ingest {
    /// Answers a batch.
    pub(crate) async fn take_batch(&self, request: Request) -> Result<Response, Response> {
        let arrived = Utc::now();
        let (head, body) = request.into_parts();
        let closed = negotiate(&head).and_then(|()| self.closed(&head)).map_err(Problem::into_response)?;
        let body = self.receive_in_time(&head.headers, body, MAX_BATCH_BYTES).await.map_err(Problem::into_response)?;
        let content_type = ContentType::of(&head.headers);
        // whatever an empty body is said to be, it is as `{}` (contract § 4)
        let form = if body.bytes.is_empty() { Ok(BatchForm::Document) } else { content_type.of_batch() };
        let form = form.map_err(Problem::into_response)?;
        let coding = Coding::of(&head.headers).map_err(Problem::into_response)?;
        let letter = Letter { form, content_type, coding, closed, source: source(&head), arrived };
        let (prepared, share, recorded_at) = self.unpack(letter, body).await.map_err(Problem::into_response)?;
        let Prepared { entries, records } = prepared;
        let outcomes = if records.is_empty() { Vec::new() } else { self.append(records).await };
        drop(share);
        let answer = results::answer(&entries, &outcomes, recorded_at, self.inner.zone);
        if answer.status().is_success() { Ok(answer) } else { Err(answer) }
    }

    /// Which resources take nothing from this client, and why; a problem when none takes anything.
    fn closed(&self, head: &Parts) -> Result<Closed, Problem> {
        let problems = Resource::ALL.map(|resource| self.admit(head, resource).err());
        match problems {
            [Some(first), Some(_), Some(_)] => Err(first),
            some => Ok(some.map(|problem| Some(problem?.body["detail"].as_str().unwrap_or_default().to_owned()))),
        }
    }

    async fn unpack(&self, letter: Letter, body: Received) -> Result<(Prepared, Share, DateTime<Utc>), Problem> {
        if letter.coding.is_none() && body.bytes.len() <= SMALL_BYTES {
            return self.read_batch(&letter, body);
        }
        let _place = self.inner.unpacking.acquire().await.expect("the semaphore is never closed");
        let ingest = self.clone();
        let unpacked = tokio::task::spawn_blocking(move || ingest.read_batch(&letter, body)).await;
        match unpacked {
            Ok(unpacked) => unpacked,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }

    /// The batch as records, what they take of the budget, and their time.
    fn read_batch(&self, letter: &Letter, body: Received) -> Result<(Prepared, Share, DateTime<Utc>), Problem> {
        let body = match letter.coding {
            None => body,
            Some(coding) => inflate::inflate(coding, &body.bytes, MAX_BATCH_BYTES, self.inner.bodies.share())?,
        };
        let clock = self.clock(true, TimeDelta::zero());
        let batch = parse::parse(&body.bytes, letter.form, letter.content_type.charset, clock)?;
        let clock = crate::clock::Clock { correction: batch.correction(letter.arrived), ..clock };
        let prepared = prepare(&batch, &letter.closed, clock, &letter.source);
        let mut share = self.inner.bodies.share();
        share.take(prepared.bytes())?;
        Ok((prepared, share, clock.now))
    }
}
