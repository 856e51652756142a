//! Reads a form to its end, whoever wants it afterwards.

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, StatusCode, header},
};
use futures::StreamExt;
use service::http::Problem;
use std::time::Duration;

/// A form that is too large is read on, and dropped, up to so many times of what it may be: a browser that is still
/// sending when the connection ends does not show the answer.
const READ_ON: usize = 4;

/// A form of at most `limit` bytes: 413 for a larger one, 408 for one that takes longer than `patience`.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > READ_ON * limit) {
        return Err(too_large());
    }
    tokio::time::timeout(patience, read(body, limit)).await.unwrap_or_else(|_| {
        Err(Problem::detail(StatusCode::REQUEST_TIMEOUT, "The form did not arrive in time. Send it again."))
    })
}

async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    let (mut form, mut length) = (Vec::new(), 0);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            tracing::debug!(%error, "a form broke off");
            Problem::detail(StatusCode::BAD_REQUEST, "The form broke off. Send it again.")
        })?;
        length += chunk.len();
        if length <= limit {
            form.extend_from_slice(&chunk);
        } else if length <= READ_ON * limit {
            form = Vec::new();
        } else {
            break;
        }
    }
    if length > limit { Err(too_large()) } else { Ok(form.into()) }
}

fn too_large() -> Problem {
    Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, "This form is larger than any that can be taken.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::stream;
    use std::convert::Infallible;

    const LONG: Duration = Duration::from_mins(1);

    async fn received(chunks: &[usize], announced: Option<usize>) -> Result<usize, u16> {
        let chunks: Vec<_> = chunks.iter().map(|length| Ok::<_, Infallible>(vec![b'x'; *length])).collect();
        let mut headers = HeaderMap::new();
        if let Some(length) = announced {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        let received = receive(&headers, Body::from_stream(stream::iter(chunks)), 10, LONG).await;
        received.map(|form| form.len()).map_err(|problem| problem.status.as_u16())
    }

    #[tokio::test]
    async fn a_form_is_taken_whole_up_to_its_limit() {
        assert_eq!(received(&[], None).await, Ok(0));
        assert_eq!(received(&[4, 6], Some(10)).await, Ok(10));
        assert_eq!(received(&[4, 7], Some(11)).await, Err(413));
        assert_eq!(received(&[4, 7, 1_000_000], None).await, Err(413));
        assert_eq!(received(&[1], Some(1_000_000)).await, Err(413), "it is not waited for");
    }

    #[tokio::test]
    async fn a_form_that_does_not_come_is_given_up() {
        let forever = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
        let given_up = receive(&HeaderMap::new(), forever, 10, Duration::from_millis(10)).await.unwrap_err();
        assert_eq!(given_up.status, 408);
    }
}
