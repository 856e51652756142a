//! `Content-Encoding` of a batch.
//!
//! The decoders work on a body that is in memory already, so that they live for a moment only and nobody can hold
//! many of them by sending slowly. What comes out is counted as it comes: a bomb costs its sender's limit and no more.

use crate::body::{Received, Share, too_large};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use service::http::Problem;
use std::io::Read;

/// What is told to a client that uses another one.
const KNOWN: &str = "gzip, br, zstd, deflate";

/// Largest window of zstd, as a power of two: what RFC 9659 lets HTTP use, 8 MiB. Brotli's is 16 MiB at most, and its
/// decoder holds twice of it for a moment.
const ZSTD_WINDOW_LOG: u32 = 23;

/// Bytes that are taken out at once.
const STEP: usize = 64 * 1024;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Brotli,
    Zstd,
    Deflate,
}

impl Coding {
    /// The header's; nothing where the body is as it is. Several in a row are refused: they have no use but bombs.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let mut codings = headers
            .get_all(header::CONTENT_ENCODING)
            .iter()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .map(|coding| String::from_utf8_lossy(coding.trim_ascii()).to_ascii_lowercase())
            .filter(|coding| !matches!(coding.as_str(), "" | "identity"));
        let Some(first) = codings.next() else { return Ok(None) };
        let known = match first.as_str() {
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            "deflate" => Some(Self::Deflate),
            _ => None,
        };
        match (known, codings.next()) {
            (Some(known), None) => Ok(Some(known)),
            (_, second) => {
                let given = second.map_or_else(|| first.clone(), |second| format!("{first}, {second}"));
                let detail = format!("Unsupported content encoding \"{given}\" in request. There are {KNOWN}.");
                Err(Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
                    .with(header::ACCEPT_ENCODING, HeaderValue::from_static(KNOWN)))
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }

    /// Takes out of `body` what belongs to the stream.
    fn decoder<'a>(self, body: &'a mut &[u8]) -> std::io::Result<Box<dyn Read + 'a>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(body)),
            Self::Brotli if is_large_window(body) => {
                return Err(std::io::Error::other("its window is larger than RFC 7932 allows"));
            }
            Self::Brotli => Box::new(Brotli(brotli_decompressor::Decompressor::new(body, STEP))),
            Self::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(body)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                Box::new(decoder)
            }
            Self::Deflate if is_zlib(body) => Box::new(ZlibDecoder::new(body)),
            // what some programs take the name for
            Self::Deflate => Box::new(DeflateDecoder::new(body)),
        })
    }
}

/// Brotli's reader, which tells of bytes behind the stream when it is asked for more after its end, and keeps what it
/// has read of them.
struct Brotli<R: Read>(brotli_decompressor::Decompressor<R>);

impl<R: Read> Read for Brotli<R> {
    fn read(&mut self, step: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(step)? {
            0 => self.0.read(step),
            read => Ok(read),
        }
    }
}

/// Whether a stream begins with the window size that RFC 7932 § 9.1 rules out, and some programs take for one of up to
/// a gigabyte.
fn is_large_window(body: &[u8]) -> bool {
    body.first().is_some_and(|first| first & 0x7f == 0x11)
}

/// Whether a stream begins as zlib's do (RFC 1950 § 2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(*body, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([method, flags]) % 31 == 0)
}

/// The body as it was before, of at most `limit` bytes; `share` pays for it. An empty one is empty in every coding.
pub(super) fn inflate(coding: Coding, body: &[u8], limit: usize, mut share: Share) -> Result<Received, Problem> {
    let broken = |error: &dyn std::fmt::Display| {
        let detail = format!("The request body is no {} stream: {error}.", coding.name());
        Problem::detail(StatusCode::BAD_REQUEST, detail)
    };
    let (mut bytes, mut rest) = (Vec::new(), body);
    if !body.is_empty() {
        let mut decoder = coding.decoder(&mut rest).map_err(|error| broken(&error))?;
        let mut step = vec![0; STEP];
        loop {
            let read = match decoder.read(&mut step) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(broken(&error)),
            };
            if bytes.len() + read > limit {
                return Err(too_large(limit));
            }
            share.take(read)?;
            bytes.extend_from_slice(&step[..read]);
        }
    }
    if !rest.is_empty() {
        return Err(broken(&"something follows its end"));
    }
    Ok(Received::new(bytes, share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::BodyMemory;
    use rstest::rstest;
    use std::io::Write;

    fn compressed(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        let level = flate2::Compression::default();
        match coding {
            Coding::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Deflate => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Zstd => zstd::encode_all(bytes, 0).unwrap(),
            Coding::Brotli => {
                let (mut bytes, mut out) = (bytes, Vec::new());
                brotli::BrotliCompress(&mut bytes, &mut out, &brotli::enc::BrotliEncoderParams::default()).unwrap();
                out
            }
        }
    }

    fn unpacked(coding: Coding, body: &[u8], limit: usize) -> Result<Vec<u8>, u16> {
        let memory = BodyMemory::new(1 << 20);
        inflate(coding, body, limit, memory.share())
            .map(|received| received.bytes)
            .map_err(|problem| problem.status.as_u16())
    }

    #[rstest]
    fn a_body_comes_out_as_it_went_in(
        #[values(Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate)] coding: Coding,
    ) {
        let text = "{\"events\": []}".repeat(10_000).into_bytes();
        let body = compressed(coding, &text);
        assert!(body.len() < text.len() / 10);
        assert_eq!(unpacked(coding, &body, text.len()), Ok(text.clone()));
        assert_eq!(unpacked(coding, &body, text.len() - 1), Err(413));
        assert_eq!(unpacked(coding, &body[..body.len() / 2], text.len()), Err(400), "cut in half");
        assert_eq!(unpacked(coding, b"{\"events\": []}", text.len()), Err(400), "as it is");
        for behind in [vec![0], b"{}".to_vec(), vec![b' '; 2 * STEP]] {
            let body = [&body[..], &behind].concat();
            assert_eq!(unpacked(coding, &body, text.len()), Err(400), "{} bytes behind the end", behind.len());
        }
        assert_eq!(unpacked(coding, b"", text.len()), Ok(Vec::new()));
    }

    #[rstest]
    fn a_bomb_is_stopped_by_the_budget_of_all_bodies_before_its_own_limit(
        #[values(Coding::Gzip, Coding::Brotli, Coding::Zstd, Coding::Deflate)] coding: Coding,
    ) {
        let bomb = compressed(coding, &vec![b' '; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert_eq!(unpacked(coding, &bomb, 1 << 30), Err(503));
    }

    #[test]
    fn gzip_of_several_members_and_deflate_without_its_frame_are_read() {
        let twice = [compressed(Coding::Gzip, b"{}"), compressed(Coding::Gzip, b"\n{}")].concat();
        assert_eq!(unpacked(Coding::Gzip, &twice, 100), Ok(b"{}\n{}".to_vec()));
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(b"{\"events\":[]}").unwrap();
        assert_eq!(unpacked(Coding::Deflate, &raw.finish().unwrap(), 100), Ok(b"{\"events\":[]}".to_vec()));
    }

    #[test]
    fn a_window_that_http_does_not_allow_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![b'x'; 20 << 20]).unwrap();
        assert_eq!(unpacked(Coding::Zstd, &encoder.finish().unwrap(), 1 << 30), Err(400));
        let problem = inflate(Coding::Brotli, &[0x11, 0x1e, 0, 0], 100, BodyMemory::new(100).share()).err().unwrap();
        let told = "The request body is no br stream: its window is larger than RFC 7932 allows.";
        assert_eq!(problem.body["detail"], told);
    }

    #[rstest]
    #[case(&[], Ok(None))]
    #[case(&["identity"], Ok(None))]
    #[case(&["GZIP"], Ok(Some(Coding::Gzip)))]
    #[case(&["x-gzip"], Ok(Some(Coding::Gzip)))]
    #[case(&[" br "], Ok(Some(Coding::Brotli)))]
    #[case(&["zstd"], Ok(Some(Coding::Zstd)))]
    #[case(&["deflate"], Ok(Some(Coding::Deflate)))]
    #[case(&["gzip, gzip"], Err("gzip, gzip"))]
    #[case(&["gzip", "br"], Err("gzip, br"))]
    #[case(&["compress"], Err("compress"))]
    fn codings_are_known_by_name(#[case] given: &[&str], #[case] expected: Result<Option<Coding>, &str>) {
        let mut headers = HeaderMap::new();
        for line in given {
            headers.append(header::CONTENT_ENCODING, HeaderValue::from_str(line).unwrap());
        }
        match (Coding::of(&headers), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(problem), Err(named)) => {
                let told = format!("Unsupported content encoding \"{named}\" in request. There are {KNOWN}.");
                assert_eq!((problem.status.as_u16(), problem.body["detail"].as_str()), (415, Some(told.as_str())));
                assert_eq!(problem.headers, [(header::ACCEPT_ENCODING, HeaderValue::from_static(KNOWN))]);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }
}
