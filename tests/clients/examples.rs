//! The code blocks of `docs/clients.md` and `docs/differences.md`: the word behind a block's language is the name of the
//! file that it is.

use std::{collections::BTreeMap, path::Path};

/// Where the blocks say that Footfall is.
const ADDRESS: &str = "127.0.0.1:8080";

/// All blocks, each of which some test here runs.
const EXAMPLES: [&str; 10] = [
    "curl.sh",
    "footfall.js",
    "footfall_client.py",
    "footfall_middleware.py",
    "import_user_behavior.py",
    "nightly_import.py",
    "one-page-view.html",
    "page.html",
    "pixel.html",
    "settings.py",
];

fn blocks() -> BTreeMap<&'static str, &'static str> {
    let documents = [include_str!("../../docs/clients.md"), include_str!("../../docs/differences.md")];
    // every other piece is inside of a block
    let fenced = documents.iter().flat_map(|text| text.split("\n```").skip(1).step_by(2));
    let inside = fenced.map(|block| block.split_once('\n').unwrap());
    inside.map(|(info, text)| (info.split_once(' ').map_or(info, |(_, name)| name), text)).collect()
}

/// A block, for a Footfall that is elsewhere.
pub fn example(name: &str, address: &str) -> String {
    assert!(EXAMPLES.contains(&name));
    blocks()[name].replace(ADDRESS, address) + "\n"
}

/// Saves a block as the file that it is.
pub fn save(name: &str, address: &str, folder: &Path) {
    std::fs::write(folder.join(name), example(name, address)).unwrap();
}

#[test]
fn every_block_is_run_by_a_test() {
    assert_eq!(blocks().into_keys().collect::<Vec<_>>(), EXAMPLES);
}
