//! The contract, line by line, against a running Footfall over HTTP. Three combinations are started here; any other
//! one is asked with `FOOTFALL_CONFORMANCE_URL`, and tokens in `FOOTFALL_CONFORMANCE_STAFF_TOKEN` and `…_USER_TOKEN`.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod additions;
mod batches;
mod combinations;
#[path = "../apart/common/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the services' own tests use the rest")]
mod common;
mod creating;
mod errors;
mod lists;
mod paths;
mod site;

use site::Site;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A line of the contract: its section, what it says, and how that is seen.
#[derive(Clone, Copy)]
pub struct Case(&'static str, &'static str, fn(&Site));

fn cases() -> impl Iterator<Item = &'static Case> {
    [paths::CASES, creating::CASES, errors::CASES, lists::CASES, additions::CASES, batches::CASES].into_iter().flatten()
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

#[test]
fn the_contracts_lines_are_listed_in_docs() {
    let mut lines = vec![
        "# Conformance\n\nThe lines of the HTTP contract that `tests/conformance` looks at, by section. Generated: \
         `FOOTFALL_WRITE_DOCS=1 cargo test --test conformance listed`."
            .to_owned(),
    ];
    let mut section = "";
    for Case(of, line, _) in cases() {
        if *of != section {
            section = of;
            lines.push(format!("\n## § {of}\n"));
        }
        lines.push(format!("- {line}"));
    }
    let text = lines.join("\n") + "\n";
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conformance.md");
    if std::env::var_os("FOOTFALL_WRITE_DOCS").is_some() {
        std::fs::write(file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), text, "docs/conformance.md is not up to date");
}
