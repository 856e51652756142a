//! The contract, line by line, against a running Footfall over HTTP. Three combinations are started here; any other
//! one is asked with `FOOTFALL_CONFORMANCE_URL`, and tokens in `FOOTFALL_CONFORMANCE_STAFF_TOKEN` and `…_USER_TOKEN`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod additions;
mod announced;
mod batches;
mod combinations;
#[path = "../apart/common/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the services' own tests use the rest")]
mod common;
mod creating;
mod errors;
mod filters;
mod formats;
mod forms;
mod lists;
mod odd;
mod paths;
mod site;
mod tables;

use site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A line of the contract: its section, what it says, and how that is seen.
#[derive(Clone, Copy)]
pub struct Case(&'static str, &'static str, fn(&Site));

fn cases() -> impl Iterator<Item = &'static Case> {
    let all = [
        paths::CASES,
        creating::CASES,
        formats::CASES,
        forms::CASES,
        announced::CASES,
        errors::CASES,
        lists::CASES,
        filters::CASES,
        additions::CASES,
        batches::CASES,
        odd::CASES,
        tables::CASES,
    ];
    all.into_iter().flatten()
}

/// Looks at every line, and tells all that do not hold.
fn conforms(site: &Site) {
    let (mut wrong, mut lines) = (Vec::new(), 0);
    for Case(section, line, look) in cases() {
        lines += 1;
        if catch_unwind(AssertUnwindSafe(|| look(site))).is_err() {
            wrong.push(format!("§ {section}: {line}"));
        }
    }
    println!("{lines} lines of the contract, {} answers looked at", site.rows());
    assert!(wrong.is_empty(), "{} of {lines} lines do not hold:\n{}", wrong.len(), wrong.join("\n"));
}

/// Lines of the contract that no running Footfall can be asked about from outside with one start: they need other
/// settings, several starts, or a look inside. Each names the test that keeps it: one that was renamed or deleted fails
/// here.
fn elsewhere() -> impl Iterator<Item = (&'static str, String)> {
    include_str!("tables/elsewhere.txt").lines().map(|row| {
        let (section, rest) = row.split_once(' ').unwrap();
        let (line, test) = rest.split_once(" => ").unwrap();
        let (file, name) = test.split_once("::").unwrap();
        let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "{file} has no test {name}");
        (section, format!("- {line} (`{name}` in `{file}`)"))
    })
}

#[test]
fn the_contracts_lines_are_listed_in_docs() {
    let mut lines: Vec<(&str, String)> =
        cases().map(|Case(section, line, _)| (*section, format!("- {line}"))).chain(elsewhere()).collect();
    lines.sort_by_key(|(section, _)| section.parse::<u8>().unwrap());
    let mut text = "# Conformance\n\nThe lines of the HTTP contract and what looks at them, by section: `tests/conformance` where no \
                    test is named, which asks a running Footfall. Generated: `FOOTFALL_WRITE_DOCS=1 cargo test --test \
                    conformance listed`.\n"
        .to_owned();
    let mut section = "";
    for (of, line) in lines {
        if of != section {
            section = of;
            text.extend(["\n## § ", of, "\n\n"]);
        }
        text += &line;
        text.push('\n');
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conformance.md");
    if std::env::var_os("FOOTFALL_WRITE_DOCS").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), text, "docs/conformance.md is not up to date");
}
