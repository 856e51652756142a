//! From numbers to those who made them, and back into a spreadsheet.

use crate::{person::Person, site::Site, up::eventually};
use serde_json::json;

#[test]
fn an_analyst_goes_from_a_range_to_a_page_to_a_session_to_its_journey_and_takes_the_numbers_along() {
    let site = Site::shared();
    let analyst = Person::staff(&site);
    analyst.clicks("30 days");
    assert_eq!(analyst.path(), "/report/?range=30");
    let everything = analyst.reads_in(".totals .card");

    analyst.clicks("/checkout?step=1");
    assert!(analyst.path().contains("url=https%3A%2F%2Fshop.example%2Fcheckout%3Fstep%3D1"), "{}", analyst.path());
    assert!(analyst.reads_in(".filtered").contains("https://shop.example/checkout?step=1"));
    assert_ne!(analyst.reads_in(".totals .card"), everything, "page views are narrowed");

    analyst.clicks("These page views");
    assert_eq!(analyst.reads_in("h1"), "Page views");
    assert!(analyst.reads_in("tbody tr").contains("https://shop.example/checkout?step=1"));
    analyst.leaves_by("tbody th a");
    analyst.clicks("The session's journey");
    let journey = analyst.reads_in(".journey");
    assert!(journey.contains("https://shop.example/checkout?step=1") && journey.contains("page view"), "{journey}");
    let steps = "return document.querySelectorAll('.journey tbody tr').length";
    assert!(analyst.browser.run(steps).as_u64() >= Some(1));

    analyst.clicks("Report");
    let folder = tempfile::tempdir().unwrap();
    let downloads = json!({"behavior": "allow", "downloadPath": folder.path()});
    analyst.browser.devtools("Browser.setDownloadBehavior", &downloads);
    analyst.clicks("CSV");
    let csv = eventually("the file is there", || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
        files
            .filter(|file| file.extension().is_some_and(|end| end == "csv"))
            .find_map(|file| std::fs::read_to_string(file).ok())
    });
    assert_eq!(csv.lines().count(), 8, "a heading and seven days: {csv}");
    analyst.all_was_quiet();
}
