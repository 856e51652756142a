//! Every page, for people who see, hear and hold things in different ways.

use crate::{
    person::{Person, WIDTHS},
    site::Site,
};
use test_support::{browser::axe_source, pages};

/// A4 and Letter, upright, but for their margins.
pub const SHEET: u32 = 718;

/// Text and what it stands on, as the names of their colours.
const INKS: [&str; 6] = ["--ink", "--soft", "--accent", "--good", "--bad", "--alarm"];

pub fn all_pages(site: &Site) -> Vec<pages::Page> {
    let place = site.garbage.trim_matches('/').rsplit('/').collect::<Vec<_>>();
    pages::all(site.address(), (place[1].parse().unwrap(), place[0].parse().unwrap())).unwrap()
}

#[test]
fn axe_finds_nothing_on_any_page_in_any_width_in_light_colours() {
    axe_finds_nothing(false);
}

#[test]
fn axe_finds_nothing_on_any_page_in_any_width_in_dark_colours() {
    axe_finds_nothing(true);
}

fn axe_finds_nothing(dark: bool) {
    let site = Site::shared();
    let (stranger, staff) = (Person::at(site.address()), Person::staff(&site));
    let (axe, pages) = (axe_source(), all_pages(&site));
    stranger.browser.prefer_dark(dark);
    staff.browser.prefer_dark(dark);
    let mut found = Vec::new();
    for page in &pages {
        let person = if page.signed_in { &staff } else { &stranger };
        person.goto(&page.path);
        found.extend(person.axe_objects(&axe).into_iter().map(|line| format!("{} {line}", page.name)));
    }
    assert_eq!(found, [""; 0]);
}

/// Everybody can use the page as it is now: in both colours, in any width, and without a mouse.
pub fn is_for_everybody(person: &Person, name: &str) {
    let axe = axe_source();
    for dark in [false, true] {
        person.browser.prefer_dark(dark);
        assert_eq!(person.axe_objects(&axe), [""; 0], "{name}, dark: {dark}");
    }
    is_not_too_wide(person, name);
    assert_eq!(person.tab_misses(), [""; 0], "{name}");
}

/// The page as it is now fits into a window of any width.
pub fn is_not_too_wide(person: &Person, name: &str) {
    for width in WIDTHS.into_iter().chain([320, 500]) {
        person.browser.resize(width, 900);
        check_width(person, name, width);
    }
}

pub fn check_width(person: &Person, name: &str, width: u32) {
    let width_of = person.browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
    assert!(width_of <= u64::from(width), "{name} is {width_of} wide at {width}");
}

#[test]
fn no_page_is_wider_than_its_window_or_a_sheet_of_paper() {
    let site = Site::shared();
    let (stranger, staff) = (Person::at(site.address()), Person::staff(&site));
    for page in all_pages(&site) {
        let person = if page.signed_in { &staff } else { &stranger };
        person.goto(&page.path);
        person.browser.prefer_dark(false);
        is_not_too_wide(person, page.name);
        person.browser.print_it();
        person.browser.resize(SHEET, 1_000);
        check_width(person, page.name, SHEET);
    }
}

#[test]
fn text_can_be_read_on_every_ground() {
    let site = Site::shared();
    let person = Person::at(site.address());
    person.goto("/sign-in/");
    for dark in [false, true] {
        person.browser.prefer_dark(dark);
        let contrast = |one: &str, other: &str, least: f64| {
            let (first, second) = (luminance(&person.browser.token(one)), luminance(&person.browser.token(other)));
            let ratio = (first.max(second) + 0.05) / (first.min(second) + 0.05);
            assert!(ratio >= least, "{one} on {other}, dark: {dark}: {ratio:.2}");
        };
        for ground in ["--ground", "--card"] {
            for ink in INKS {
                contrast(ink, ground, 4.5);
            }
            for line in ["--edge", "--chart", "--chart-before"] {
                contrast(line, ground, 3.0);
            }
        }
        for (ink, ground) in [
            ("--ink", "--raised"),
            ("--soft", "--raised"),
            ("--ink", "--share"),
            ("--soft", "--share"),
            ("--accent", "--share"),
            ("--ink", "--accent-soft"),
            ("--accent", "--accent-soft"),
            ("--on-accent", "--accent"),
            ("--on-accent", "--alarm"),
            ("--on-notice", "--notice"),
        ] {
            contrast(ink, ground, 4.5);
        }
    }
}

/// Relative luminance of `#rrggbb`, as WCAG has it.
fn luminance(colour: &str) -> f64 {
    let part = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}
