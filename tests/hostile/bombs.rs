//! Batches that are small on the way and large at their destination, or no compressed batch at all.

use crate::{
    target::{BOUND, Target},
    wire::{converse, refused},
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use std::{io::Write, thread};

/// What a bomb would take if somebody let it: thirty times the limit.
const EXPLODED: usize = 300_000_000;

/// What bombs may take at once: what all bodies may, and beside it the windows of decoders for a few.
const MEBIBYTES: u64 = 2 * BOUND;

fn blocks(mut out: impl Write) {
    let block = vec![b' '; 1_000_000];
    (0..EXPLODED / block.len()).for_each(|_| out.write_all(&block).unwrap());
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn br(mut text: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut text, &mut compressed, &brotli::enc::BrotliEncoderParams::default()).unwrap();
    compressed
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    blocks(&mut zlib);
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    blocks(&mut gz);
    let mut zstd = zstd::Encoder::new(Vec::new(), 1).unwrap();
    blocks(&mut zstd);
    let parameters = brotli::enc::BrotliEncoderParams { quality: 1, ..Default::default() };
    let mut brotli = brotli::CompressorWriter::with_params(Vec::new(), 1 << 16, &parameters);
    blocks(&mut brotli);
    let gz = gz.finish().unwrap();
    // members behind each other are one stream; each of these is below the limit
    let member = gzip(&vec![b' '; 5_000_000]);
    vec![
        ("deflate", zlib.finish().unwrap()),
        ("gzip", gz),
        ("gzip", member.repeat(60)),
        ("zstd", zstd.finish().unwrap()),
        ("br", brotli.into_inner()),
    ]
}

fn batch(coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /batch/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Encoding: {coding}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn a_bomb_costs_its_limit_and_no_more() {
    let target = Target::new(&[]);
    for (coding, bomb) in bombs() {
        assert!(bomb.len() < 10_000_000, "{coding}: it is to be small on the way, and has {}", bomb.len());
        let request = batch(coding, &bomb);
        target.endures(&format!("8 bombs at once, {coding} of {} KiB", bomb.len() / 1024), MEBIBYTES, |address| {
            thread::scope(|scope| {
                let sent: Vec<_> = (0..8).map(|_| scope.spawn(|| converse(address, &request))).collect();
                for answers in sent {
                    let answers = answers.join().unwrap();
                    assert!(answers.len() == 1 && answers[0].status == 413, "{coding}: {answers:?}");
                }
            });
        });
    }
}

#[test]
fn streams_that_are_broken_nested_or_something_else_are_told_so() {
    let target = Target::new(&[]);
    let document = br#"{"events":[{"type":"session_end","session_id":"s"}]}"#;
    let good = gzip(document);
    let mut flipped = good.clone();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    let cut = &good[..good.len() - 1];
    let empty = gzip(b"").repeat(100_000);
    target.endures("broken streams", MEBIBYTES, |address| {
        for (coding, body, statuses) in [
            ("gzip", good.clone(), &[202][..]),
            ("gzip, gzip", gzip(&good), &[415]),
            ("gzip", gzip(&good), &[400]),
            ("gzip", cut.to_vec(), &[400]),
            ("gzip", flipped, &[400]),
            ("gzip", [&good[..], b"garbage"].concat(), &[400]),
            ("deflate", [&deflate(document)[..], b"garbage"].concat(), &[400]),
            ("br", [&br(document)[..], b"garbage"].concat(), &[400]),
            ("gzip", empty, &[400]),
            ("gzip", document.to_vec(), &[400]),
            ("gzip", vec![0x1f; 1_000_000], &[400]),
            ("deflate", vec![0x78; 1_000_000], &[400]),
            ("deflate", good.clone(), &[400]),
            ("zstd", good.clone(), &[400]),
            ("zstd", b"\x28\xb5\x2f\xfd\x00\xff\xff\xff\xff".to_vec(), &[400]),
            // a frame that says it has 2^64 - 1 bytes
            ("zstd", b"\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00".to_vec(), &[400, 413]),
            ("br", vec![0xff; 1_000_000], &[400]),
            ("br", good.clone(), &[400]),
            ("compress", good.clone(), &[415]),
            ("x", good.clone(), &[415]),
        ] {
            let answers = converse(address, &batch(coding, &body));
            let status = answers.first().map_or(0, |answer| answer.status);
            assert!(answers.len() == 1 && statuses.contains(&status), "{coding}, {} bytes: {answers:?}", body.len());
        }
        // the coding of a batch holds nowhere else
        let request = String::from_utf8(batch("gzip", b"{}")).unwrap().replace("/batch/", "/pageviews/");
        assert!(refused(&converse(address, request.as_bytes())));
    });
}
