//! A report that is left open.

use crate::{
    fresh::Fresh,
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

#[test]
fn a_live_report_says_as_of_when_it_is_while_nothing_changes_and_while_nobody_answers() {
    let mut site = Fresh::start();
    site.is_looked_at();
    let person = Person::staff_at(site.address());
    person.goto("/report/?live=1");
    person.browser.run(
        "window.answers = [];
         const ask = window.fetch;
         window.fetch = async (...what) => {
             const answer = await ask(...what);
             answers.push(answer.status);
             window.before = document.querySelector('#as-of').textContent;
             return answer;
         }",
    );
    person.browser.wait_for("return answers.includes(304)");
    person.browser.wait_for("return document.querySelector('#as-of').textContent !== before");
    let others = person.browser.run("return answers.slice(1).filter((status) => status !== 304)");
    assert_eq!(others, serde_json::json!([]), "no other answer has renewed it");
    assert_eq!(person.reads_in("#renewal"), "");

    site.dies();
    person.browser.wait_for("return document.querySelector('#renewal').textContent");
    let as_of = person.reads_in("#as-of");
    assert_eq!(person.reads_in("#renewal"), format!("Not renewed since {as_of}, trying again."));
    assert_eq!(person.browser.run("return document.querySelector('#renewal').checkVisibility()"), true);

    site.comes_back();
    person.browser.wait_for("return document.querySelector('#renewal').textContent === ''");
    assert_ne!(person.reads_in("#as-of"), as_of);
}
