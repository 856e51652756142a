//! Without a mouse.

use crate::{
    person::Person,
    site::{NAME, PASSWORD, Site},
};
use test_support::{
    browser::keys::{ENTER, SPACE, TAB},
    pages,
};

/// Notes which of what can be used has had the focus, and whether one could see that.
const WATCH: &str = "
    const usable = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]';
    window.left = new Set([...document.querySelectorAll(usable)]
        .filter((one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({visibilityProperty: true})));
    window.unseen = [];
    document.addEventListener('focusin', ({target}) => {
        left.delete(target);
        const {outlineStyle, outlineWidth} = getComputedStyle(target);
        if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) unseen.push(target.outerHTML.slice(0, 120));
    });
    const dates = document.querySelectorAll('input[type=date]').length;
    document.activeElement.blur();
    return left.size + 4 * dates";

#[test]
fn the_tab_key_reaches_everything_and_shows_where_it_is() {
    let site = Site::shared();
    let (stranger, staff) = (Person::at(site.address()), Person::staff(&site));
    let misplaced = site.garbage.trim_matches('/').rsplit('/').collect::<Vec<_>>();
    let letter = (misplaced[1].parse().unwrap(), misplaced[0].parse().unwrap());
    for page in pages::all(site.address(), letter).unwrap() {
        let person = if page.signed_in { &staff } else { &stranger };
        person.goto(&page.path);
        reaches_everything(person, page.name);
    }
}

/// From one to the next on the page as it is now.
pub fn reaches_everything(person: &Person, name: &str) {
    person.browser.resize(1_440, 900);
    let steps = usize::try_from(person.browser.run(WATCH).as_u64().unwrap()).unwrap();
    person.browser.press(std::iter::repeat_n(TAB, steps + 3));
    let missed = "return [...left].map((one) => one.outerHTML.slice(0, 120)).concat(unseen)";
    assert_eq!(person.browser.run(missed), serde_json::json!([]), "{name} after {steps} steps");
}

#[test]
fn the_keyboard_alone_signs_in_chooses_days_and_signs_out() {
    let site = Site::shared();
    let person = Person::at(site.address());
    person.goto("/report/?range=30");
    let press_until = |text: &str| {
        let focused = "return document.activeElement.innerText?.trim() || document.activeElement.id";
        for _ in 0..60 {
            if person.browser.run(focused) == text {
                return;
            }
            person.browser.press([TAB]);
        }
        panic!("the focus never came to {text:?} on {}", person.path());
    };
    press_until("Sign in");
    person.browser.press([ENTER]);
    person.browser.wait_for("return document.querySelector('#name')");
    press_until("name");
    person.browser.press(NAME.chars());
    person.browser.press([TAB]);
    person.browser.press(PASSWORD.chars());
    person.browser.press([ENTER]);
    person.browser.wait_for("return document.querySelector('.ranges')");
    assert_eq!(person.path(), "/report/?range=30");
    // past everything that is on every page
    press_until("Skip to the content");
    person.browser.press([ENTER, TAB]);
    assert_eq!(person.browser.run("return document.activeElement.closest('main') !== null"), true);
    press_until("Yesterday");
    person.browser.press([ENTER]);
    person.browser.wait_for("return location.search === '?range=yesterday'");
    press_until("Filter");
    person.browser.press([SPACE]);
    press_until("url");
    person.browser.press("https://shop.example/cart".chars().chain([ENTER]));
    person.browser.wait_for("return document.querySelector('.filtered')");
    press_until("Sign out");
    person.browser.press([ENTER]);
    person.browser.wait_for("return location.pathname === '/sign-in/'");
}
