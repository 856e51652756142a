//! Tables that are wider than the window.

use crate::{person::Person, site::Site};
use serde_json::json;

#[test]
fn what_is_said_of_the_days_and_the_days_themselves_stay_while_their_numbers_go_by() {
    let site = Site::shared();
    let person = Person::staff(&site);
    person.goto("/report/?compare=1");
    person.browser.resize(390, 900);
    let script = "
        const table = document.querySelector('.days'), frame = table.parentElement;
        frame.scrollLeft = frame.scrollWidth;
        const inside = ({left, right}) => left >= 0 && right <= innerWidth;
        return {
            scrolled: frame.scrollLeft > 100,
            said: inside(document.querySelector('#days-hint').getBoundingClientRect()),
            named: [...table.rows].every((row) => inside(row.cells[0].getBoundingClientRect())),
            last: [...table.rows].every((row) => inside(row.lastElementChild.getBoundingClientRect())),
        }";
    let expected = json!({"scrolled": true, "said": true, "named": true, "last": true});
    assert_eq!(person.browser.run(script), expected);
}

#[test]
fn how_far_a_partition_is_behind_is_seen_without_scrolling() {
    let site = Site::shared();
    let person = Person::staff(&site);
    person.goto("/admin/partitions/");
    person.browser.resize(390, 900);
    let script = "
        const table = document.querySelector('.freshness'), frame = table.parentElement.getBoundingClientRect();
        const column = [...table.rows[0].cells].findIndex((cell) => cell.innerText === 'Behind');
        const cells = [...table.rows].map((row) => row.cells[column]);
        return cells.length > 1 && cells.every((cell) => cell.getBoundingClientRect().right <= frame.right)";
    assert_eq!(person.browser.run(script), true);
}
