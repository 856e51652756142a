//! What must hold for any batch, for the fuzz target and the test that replays what it found.

use super::{
    inflate::{self, Coding},
    parse::parse,
    prepare::prepare,
    results,
};
use crate::{body::BodyMemory, clock::Clock, content_type::BatchForm, fuzzing};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use event_log::AppendError;
use futures::FutureExt;
use schema::{
    Position, Source, codec,
    limits::{MAX_BATCH_BYTES, MAX_BATCH_EVENTS},
};

/// A byte that says how it is written, a line with its `Content-Encoding`, and a batch: a clear answer, with a result for
/// each event; what is accepted can be read from the log; and no more comes out than is paid for.
pub(crate) fn body(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return };
    let (form, clock) = (
        if choice & 1 == 0 { BatchForm::Document } else { BatchForm::Lines },
        Clock { strict: true, ..fuzzing::clock(*choice) },
    );
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(&rest[..end]) {
        headers.insert(header::CONTENT_ENCODING, value);
    }
    let body = &rest[end + 1..];
    let Ok(coding) = Coding::of(&headers) else { return };
    // small enough for the search to find the limit as well
    let limit = if choice & 32 == 0 { MAX_BATCH_BYTES } else { 4_096 };
    let memory = BodyMemory::new(2 * limit);
    let inflated;
    let body = match coding {
        None => body,
        Some(coding) => match inflate::inflate(coding, body, limit, memory.share()) {
            Ok(received) => {
                assert!(received.bytes.len() <= limit);
                assert_eq!(memory.free(), 2 * limit - received.bytes.len(), "what is held is what was paid for");
                inflated = received;
                &inflated.bytes
            }
            Err(problem) => return fuzzing::refused(&problem),
        },
    };
    let batch = match parse(body, form, crate::charset::Charset::Utf8, clock) {
        Ok(batch) => batch,
        Err(problem) => return fuzzing::refused(&problem),
    };
    let correction = batch.correction(clock.now);
    let prepared = prepare(&batch, &[None, None, None], Clock { correction, ..clock }, &Source::default());
    assert!(prepared.entries.len() <= MAX_BATCH_EVENTS && prepared.entries.len() == batch.events.len());
    for record in &prepared.records {
        let envelope = codec::decode(Some(record.schema_version), &record.value).expect("what is accepted is an event");
        assert_eq!(record.key, envelope.session_id.as_str().as_bytes());
        assert_eq!(record.event_id, envelope.event_id);
    }
    for outcome in [Ok(Position::new(0, 1)), Err(AppendError::Overloaded(String::new()))] {
        let (entries, outcomes) = (&prepared.entries, vec![outcome; prepared.records.len()]);
        let response = results::answer(entries, &outcomes, clock.now, clock.zone);
        let status = response.status();
        let known = [202, 207, 400, 503].contains(&status.as_u16());
        assert!(
            known && (status != StatusCode::SERVICE_UNAVAILABLE || outcomes.iter().any(Result::is_err)),
            "{status}"
        );
        let answer = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never().expect("it is in memory");
        let answer: serde_json::Value = serde_json::from_slice(&answer.expect("it is in memory")).expect("JSON");
        assert_eq!(answer["results"].as_array().map(Vec::len), Some(entries.len()), "a result for each event");
    }
}
