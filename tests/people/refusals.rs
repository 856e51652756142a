//! Pages on which something has happened: refused, saved, overtaken, not to be had. They are for everybody as well.

use crate::{
    everybody::{all_pages, is_for_everybody},
    person::Person,
    site::{Site, USER},
};
use test_support::browser::axe_source;

fn says(person: &Person, what: &str) {
    assert!(person.reads().contains(what), "{what:?} is not on {}: {}", person.path(), person.reads());
}

#[test]
fn refusals_and_notices_are_for_everybody() {
    let site = Site::shared();
    let person = Person::staff(&site);
    person.goto("/admin/sessions/add/");
    person.clicks("Add");
    says(&person, "Nothing was saved: please look at these fields");
    is_for_everybody(&person, "422");

    person.browser.fill("#session_id", "somebody of the states");
    person.browser.fill("#user_agent", "curl/8");
    person.browser.fill("#ip_address", "192.0.2.1");
    person.clicks("Add");
    // it may take a moment until it is seen
    let notice = person.reads_in(".notice");
    assert!(["Added.", "Saved. It will be visible in a moment: load the page again."].contains(&&*notice), "{notice}");
    is_for_everybody(&person, "a notice");

    site.until_session("somebody of the states");
    person.goto("/admin/sessions/?search=somebody");
    person.leaves_by("tbody th a");
    let session = person.path();
    person.browser.fill("#user_id", "one");
    person.browser.run("document.querySelector('[name=newest]').value = '7'");
    person.clicks("Save");
    says(&person, "Somebody has changed this since you opened it");
    is_for_everybody(&person, "409");

    person.goto(&session);
    person.clicks("Delete");
    person.browser.run("document.querySelector('[name=page_views]').value = '-1'");
    person.clicks("Yes, delete it");
    says(&person, "more has come meanwhile than you were told");
    is_for_everybody(&person, "409 of a deletion");
}

#[test]
fn who_may_not_see_a_page_finds_a_way_on() {
    let site = Site::shared();
    let person = Person::at(site.address());
    person.goto("/sign-in/?next=/admin/sessions/");
    person.signs_in_as(USER);
    says(&person, "You are signed in as bob");
    is_for_everybody(&person, "forbidden");
    person.clicks("Sign in as somebody else");
    person.types_who_they_are();
    assert_eq!(person.path(), "/admin/sessions/");
}

#[test]
fn what_is_folded_away_is_for_everybody_when_it_is_unfolded() {
    let site = Site::shared();
    let (stranger, staff, axe) = (Person::at(site.address()), Person::staff(&site), axe_source());
    let mut unfolded = 0;
    for page in all_pages(&site) {
        let person = if page.signed_in { &staff } else { &stranger };
        person.goto(&page.path);
        person.browser.prefer_dark(false);
        let folded = "const folded = [...document.querySelectorAll('details:not([open], [name], .menu)')];\
                      folded.forEach((one) => { one.open = true; }); return folded.length";
        let number = person.browser.run(folded).as_u64().unwrap();
        if number == 0 {
            continue;
        }
        unfolded += number;
        assert_eq!(person.axe_objects(&axe), [""; 0], "{}", page.name);
        assert_eq!(person.tab_misses(), [""; 0], "{}", page.name);
    }
    assert!(unfolded > 10, "{unfolded}");
}

#[test]
fn while_the_database_is_away_people_are_told_and_lose_nothing() {
    let site = Site::start();
    let person = Person::staff(&site);
    person.goto("/admin/sessions/add/");
    person.browser.fill("#session_id", "typed before");
    person.browser.fill("#user_agent", "curl/8 <b>\"&'");
    person.browser.fill("#ip_address", "192.0.2.1");
    site.database_goes_away();
    person.clicks("Add");
    says(&person, "It is not known whether this was saved.");
    says(&person, "typed before");
    is_for_everybody(&person, "a form that is kept");
    person.clicks("Send it again");
    says(&person, "It is not known whether this was saved.");

    let other = Person::at(site.address());
    other.goto("/sign-in/?next=/admin/");
    other.types_who_they_are();
    says(&other, "You are not signed in yet.");
    is_for_everybody(&other, "the sign-in without its database");

    site.database_comes_back();
    site.until_read();
    person.clicks("Send it again");
    let notice = person.reads_in(".notice");
    assert!(notice.starts_with("Added.") || notice.starts_with("Saved."), "{notice}");
    site.until_session("typed before");
    site.database_goes_away();
    for path in ["/admin/sessions/?search=typed", "/report/?range=30"] {
        person.goto(path);
        says(&person, "Not now");
        is_for_everybody(&person, path);
    }
    site.database_comes_back();
    site.until_session("typed before");
    person.clicks("Try again");
    assert_eq!(person.path(), "/report/?range=30");
    assert_eq!(person.browser.run("return document.querySelector('.ranges') !== null"), true, "{}", person.reads());
}
