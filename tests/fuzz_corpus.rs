//! What the fuzz targets start from, and what they have found so far, through the same functions without a fuzzer.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{collections::BTreeSet, fs, panic::catch_unwind, path::Path};

type Target = (&'static str, fn(&[u8]));

const TARGETS: &[Target] = &[
    ("batch_body", ingest::fuzzing::batch_body),
    ("cursor", query_api::fuzzing::cursor),
    ("form_body", ingest::fuzzing::form_body),
    ("forwarded_headers", service::fuzzing::forwarded_headers),
    ("json_body", ingest::fuzzing::json_body),
    ("query", query_api::fuzzing::query),
    ("record", schema::fuzzing::record),
    ("same_in_every_form", ingest::fuzzing::same_in_every_form),
];

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn every_seed_of_every_fuzz_target_holds() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz.join("targets")), known);
    assert_eq!(names(&fuzz.join("corpus")), known);
    let mut wrong = Vec::new();
    for (name, check) in TARGETS {
        let seeds: Vec<_> =
            fs::read_dir(fuzz.join("corpus").join(name)).unwrap().map(|seed| seed.unwrap().path()).collect();
        assert!(seeds.len() >= 10, "{name} has hardly any seeds");
        for seed in seeds {
            let data = fs::read(&seed).unwrap();
            if catch_unwind(|| check(&data)).is_err() {
                wrong.push(seed);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
