//! In, out, and back to where one was.

use crate::{person::Person, site::Site};
use serde_json::json;

#[test]
fn who_has_to_sign_in_comes_back_to_where_they_were() {
    let site = Site::shared();
    let person = Person::at(site.address());
    person.goto("/admin/sessions/?search=visit&ordering=-start_time");
    assert!(person.path().starts_with("/sign-in/?next="), "{}", person.path());
    person.types_who_they_are();
    assert_eq!(person.path(), "/admin/sessions/?search=visit&ordering=-start_time");

    // as it is after twelve hours without a sign of life
    person.browser.devtools("Network.clearBrowserCookies", &json!({}));
    person.goto("/report/?range=30&compare=1");
    assert_eq!(person.reads_in("h1"), "This page is for staff");
    person.clicks("Sign in");
    person.types_who_they_are();
    assert_eq!(person.path(), "/report/?range=30&compare=1");

    // a link in the page that was open meanwhile
    person.goto("/admin/");
    person.browser.devtools("Network.clearBrowserCookies", &json!({}));
    person.clicks("Interactions");
    person.types_who_they_are();
    assert_eq!(person.path(), "/admin/interactions/");
    person.clicks("Sign out");
    assert_eq!(person.path(), "/sign-in/");
    let traffic = person.browser.traffic();
    assert!(traffic.failed.iter().all(|failed| failed.starts_with("403 ")), "{traffic:?}");
}

#[test]
fn who_mistypes_is_told_and_keeps_their_name() {
    let site = Site::shared();
    let person = Person::at(site.address());
    person.goto("/sign-in/?next=/admin/");
    person.browser.fill("#name", "ann");
    person.browser.fill("#password", "wrong horse");
    person.clicks("Sign in");
    assert_eq!(person.reads_in("[role=alert]"), "There is no account with this name and password.");
    assert_eq!(person.browser.run("return document.querySelector('#name').value"), "ann");
    person.types_who_they_are();
    assert_eq!(person.path(), "/admin/");
}
