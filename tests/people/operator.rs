//! What is wrong is found, put right, and seen to be right.

use crate::{person::Person, site::Site, up::eventually};

#[test]
fn an_operator_finds_a_page_view_corrects_it_and_sees_it_in_the_report() {
    let site = Site::shared();
    let operator = Person::staff(&site);
    operator.clicks("Page views");
    operator.browser.fill("#search", "/about");
    operator.clicks("Show");
    assert!(operator.path().contains("search=%2Fabout"), "{}", operator.path());
    operator.leaves_by("tbody th a");
    let page = operator.path();
    operator.browser.fill("#url", "https://shop.example/about-us");
    operator.clicks("Save");
    // saved and seen, or it says that it is not seen yet
    eventually("the change is seen", || {
        operator.goto(&page);
        (operator.browser.run("return document.querySelector('#url').value") == "https://shop.example/about-us")
            .then_some(())
    });
    let history = operator.reads();
    assert!(history.contains("ann") && history.contains("https://shop.example/about-us"), "{history}");

    operator.clicks("Report");
    operator.browser.fill("#search", "about-us");
    operator.clicks("Search");
    let row = operator.reads_in("#pages ~ table tbody tr");
    assert!(row.starts_with("/about-us") || row.starts_with("https://shop.example/about-us"), "{row}");
    operator.all_was_quiet();
}

#[test]
fn an_operator_sends_a_dead_letter_again_and_dismisses_another() {
    let site = Site::shared();
    let operator = Person::staff(&site);
    operator.clicks("Admin");
    operator.clicks("Dead letters");
    let list = operator.reads_in("tbody");
    assert!(list.contains("malformed") && list.contains("misplaced"), "{list}");

    operator.goto(&site.misplaced);
    operator.clicks("Send it again");
    site.until_page_views("url_endswith=lost-and-found", 1);
    operator.goto(&site.misplaced);
    assert!(operator.reads_in(".facts").contains("ann"), "{}", operator.reads());

    operator.goto(&site.garbage);
    assert!(operator.reads().contains("page_view;https://shop.example/cart"), "the raw record is shown");
    operator.clicks("Dismiss it");
    operator.goto("/admin/");
    assert!(operator.reads().contains("0 wait for somebody"), "{}", operator.reads());
    operator.all_was_quiet();
}
