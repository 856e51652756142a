//! A report that is left open.

use crate::{
    person::Person,
    site::Site,
    up::{JSON, post},
};

#[test]
fn a_live_report_renews_itself_and_its_way_out() {
    let site = Site::shared();
    let person = Person::staff(&site);
    person.goto("/report/?live=1&url=https://shop.example/live-page");
    let views = "return document.querySelector('.totals dd').innerText";
    assert_eq!(person.browser.run(views), "0");
    let token = person.browser.run("window.same = true; return document.querySelector('.account [name=token]').value");
    let body = r#"{"session_id": "live", "url": "https://shop.example/live-page"}"#;
    assert_eq!(post(site.address(), "/pageviews/", JSON, body).0, 202);
    person.browser.wait_for("return document.querySelector('.totals dd').innerText === '1'");
    assert_eq!(person.browser.run("return window.same"), true, "it was not loaded anew");
    assert_ne!(person.browser.run("return document.querySelector('.account [name=token]').value"), token);
    person.clicks("Sign out");
    assert_eq!(person.path(), "/sign-in/");
    person.all_was_quiet();
}
