//! The report in states in which it is seldom seen, for everybody.

use crate::{everybody::is_for_everybody, fresh::Fresh, person::Person, site::Site};

#[test]
fn a_report_is_for_everybody_before_the_first_event_and_while_events_wait() {
    let mut site = Fresh::start();
    let person = Person::staff_at(site.address());
    person.goto("/report/");
    assert!(person.reads().contains("Nothing has arrived yet"), "{}", person.reads());
    let gap = "const [head, card] = ['.head', '.card'].map((one) => document.querySelector(one).getBoundingClientRect());\
               return card.top - head.bottom";
    assert!(person.browser.run(gap).as_f64() >= Some(12.0), "the head keeps its distance");
    is_for_everybody(&person, "the empty report");

    site.is_looked_at();
    site.falls_behind();
    person.goto("/report/?live=1");
    let notice = person.reads_in(".notice");
    assert!(notice.starts_with("The newest events are not in these numbers yet: 10 min"), "{notice}");
    is_for_everybody(&person, "the late report");
}

#[test]
fn what_is_folded_away_is_for_everybody_once_it_is_open() {
    let site = Site::shared();
    let person = Person::staff(&site);
    for path in [
        "/report/?range=30&compare=1",
        "/report/?range=today&compare=1",
        "/report/?url=https://shop.example/products&compare=1",
        "/report/?device=phone",
    ] {
        person.goto(path);
        let open = "const folded = [...document.querySelectorAll('details:not(.menu)')];\
                    folded.forEach((one) => one.open = true);\
                    return folded.length";
        assert!(person.browser.run(open).as_u64() >= Some(4), "charts have their figures on {path}");
        is_for_everybody(&person, &format!("{path}, open"));
    }
    for menu in ["Other days", "Filter"] {
        person.goto("/report/");
        person.clicks(menu);
        is_for_everybody(&person, menu);
    }
}
