//! What a page costs those whose connection is slow.

use crate::{person::Person, site::Site};

/// Bytes of the page with all that it loads, without compression.
const WEEK: u64 = 100_000;

#[test]
fn a_report_of_a_normal_week_weighs_less_than_100_kb_uncompressed() {
    let site = Site::shared();
    let person = Person::staff(&site);
    let weigh = |path: &str| {
        person.goto(path);
        let script = "const parts = performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'));\
                      return parts.map((part) => part.decodedBodySize).reduce((sum, part) => sum + part, 0)";
        let bytes = person.browser.run(script).as_u64().unwrap();
        println!("{path}: {bytes} bytes");
        bytes
    };
    let pages = "return JSON.parse(document.getElementById('report-data').textContent).page_views.flatMap((day) => day.urls).length";
    let week = weigh("/report/");
    assert!(person.browser.run(pages).as_u64() > Some(250), "it is a week with many pages");
    assert!(week > 20_000 && week < WEEK, "{week} bytes");
    assert!(weigh("/report/?range=90&compare=1") < 3 * WEEK);
}
