//! The report on paper, where nothing can be unfolded.

use crate::{
    everybody::{SHEET, check_width},
    person::Person,
    site::Site,
};
use serde_json::json;

/// What a reader of the sheet sees of the page.
const SEEN: &str =
    "const seen = (one) => one.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true});";

#[test]
fn a_printed_report_has_its_tables_whole_or_not_at_all() {
    let site = Site::shared();
    let person = Person::staff(&site);
    let asks = |script: &str| person.browser.run(&format!("{SEEN} return {script}"));
    let narrowed = "/report/?url=https://shop.example/products&compare=1";
    for path in ["/report/", "/report/?range=30&compare=1", "/report/?range=today", narrowed] {
        person.browser.prefer_dark(false);
        person.goto(path);
        let folded = "document.querySelectorAll('details:not([open])').length";
        assert!(asks(folded).as_u64() >= Some(3), "there is something to unfold on {path}");
        person.browser.print_it();
        person.browser.resize(SHEET, 1_000);
        check_width(&person, path, SHEET);
        let orphans = "[...document.querySelectorAll('details')]\
                       .filter((one) => seen(one.querySelector('summary')) && !seen(one.querySelector('summary ~ *')))\
                       .map((one) => one.innerText.slice(0, 80))";
        assert_eq!(asks(orphans), json!([]), "headings with nothing below them on {path}");
        assert_eq!(asks("seen(document.querySelector('.days'))"), true, "days are printed with {path}");
        assert_eq!(asks("seen(document.querySelector('.terms'))"), true, "and what the numbers are");
        assert_eq!(asks("[...document.querySelectorAll('.figures, .tools, .ranges, .search')].filter(seen).length"), 0);
        // what the reader has opened is wanted on the sheet
        asks("(document.querySelector('.figures').open = true)");
        assert_eq!(asks("seen(document.querySelector('.figures table'))"), true, "opened on {path}");
        assert_eq!(asks("seen(document.querySelector('.figures summary'))"), false, "nothing says that it unfolds");
    }
}
