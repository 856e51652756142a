//! axe-core, which looks at a page as people with other senses have it.

use super::Browser;
use crate::given;
use serde_json::json;

/// The rules: WCAG 2.2, levels A and AA, and what axe itself recommends.
const RULES: [&str; 6] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/// axe-core as `cargo xtask` has fetched it: the text of the file that `FOOTFALL_TEST_AXE` names.
///
/// # Panics
/// When it is not there.
pub fn source() -> String {
    let file = given("FOOTFALL_TEST_AXE");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

impl Browser {
    /// Puts axe-core into the page, past its content security policy: it is no part of it.
    pub fn load_axe(&self, source: &str) {
        let loaded = self.devtools("Runtime.evaluate", &json!({"expression": source}));
        assert!(loaded["exceptionDetails"].is_null(), "{loaded}");
    }

    /// What axe objects to: a line for each element, with rule, element and reason. [`load_axe`](Self::load_axe) comes
    /// first.
    pub fn violations(&self) -> Vec<String> {
        let run = format!(
            "axe.run(document, {{resultTypes: ['violations'], selectors: false, preload: false, runOnly: {{type: 'tag', values: {}}}}}).then((found) => \
             JSON.stringify([found.passes.length, found.violations.flatMap((rule) => rule.nodes.map((node) => \
             `${{rule.id}} ${{node.html.slice(0, 200)}}: ${{node.failureSummary}}`))]))",
            json!(RULES)
        );
        let wanted = json!({"expression": run, "awaitPromise": true, "returnByValue": true});
        let ran = self.devtools("Runtime.evaluate", &wanted);
        let text = ran["result"]["value"].as_str().unwrap_or_else(|| panic!("axe did not run: {ran}"));
        let (passed, objections): (u64, Vec<String>) = serde_json::from_str(text).expect("what was asked for");
        assert!(passed > 5, "axe has looked at something: {passed} rules passed on {}", self.url());
        objections
    }
}
