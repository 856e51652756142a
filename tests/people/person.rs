//! Somebody with a browser.

use crate::site::{NAME, PASSWORD, Site};
use test_support::browser::{Browser, keys::TAB};

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

/// Widths of a telephone, a tablet and a desk.
pub const WIDTHS: [u32; 3] = [390, 768, 1_440];

/// Sits in front of a site.
pub struct Person {
    pub browser: Browser,
    origin: String,
}

impl Person {
    /// Somebody whom nobody knows.
    pub fn at(address: &str) -> Self {
        Self { browser: Browser::start(), origin: format!("http://{address}") }
    }

    /// Somebody of the staff.
    pub fn staff(site: &Site) -> Self {
        Self::staff_at(site.address())
    }

    /// The same on another site with that account.
    pub fn staff_at(address: &str) -> Self {
        let person = Self::at(address);
        person.goto("/sign-in/");
        person.types_who_they_are();
        assert_eq!(person.path(), "/report/");
        person
    }

    /// Fills in the sign-in.
    pub fn types_who_they_are(&self) {
        self.signs_in_as(NAME);
    }

    /// Fills in the sign-in with another name.
    pub fn signs_in_as(&self, name: &str) {
        self.browser.fill("#name", name);
        self.browser.fill("#password", PASSWORD);
        self.leaves_by("main form .button");
    }

    /// What axe objects to on the page as it is, in every width.
    pub fn axe_objects(&self, axe: &str) -> Vec<String> {
        self.browser.load_axe(axe);
        let at = |width: u32| {
            self.browser.resize(width, 900);
            let found = self.browser.violations();
            found.into_iter().map(move |line| format!("at {width}: {line}")).collect::<Vec<_>>()
        };
        WIDTHS.into_iter().flat_map(at).collect()
    }

    /// What the tab key does not reach on the page as it is, and where it does not show that it has come.
    pub fn tab_misses(&self) -> Vec<String> {
        self.browser.resize(1_440, 900);
        let steps = usize::try_from(self.browser.run(WATCH).as_u64().unwrap()).unwrap();
        self.browser.press(std::iter::repeat_n(TAB, steps + 3));
        let missed = self.browser.run("return [...left].map((one) => one.outerHTML.slice(0, 120)).concat(unseen)");
        missed.as_array().unwrap().iter().map(ToString::to_string).collect()
    }

    pub fn goto(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.origin));
    }

    /// Where they are, below the site.
    pub fn path(&self) -> String {
        let url = self.browser.url();
        url.strip_prefix(&self.origin).unwrap_or_else(|| panic!("left the site for {url}")).to_owned()
    }

    /// What the page says.
    pub fn reads(&self) -> String {
        self.browser.run("return document.body.innerText").as_str().unwrap().to_owned()
    }

    /// The text of the first element that a selector finds.
    pub fn reads_in(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({selector:?})?.innerText ?? 'nothing at {selector}'");
        self.browser.run(&script).as_str().unwrap().to_owned()
    }

    /// Follows the link, or presses the button, that has this text and nothing else; waits for the page behind it.
    pub fn clicks(&self, text: &str) {
        let found = format!(
            "const wanted = [...document.querySelectorAll('a, button, summary')]\
             .find((one) => one.innerText.trim() === {text:?} && one.checkVisibility() && one.tabIndex >= 0);\
             document.querySelectorAll('[data-wanted]').forEach((one) => delete one.dataset.wanted);\
             if (!wanted) return null;\
             wanted.dataset.wanted = 1;\
             return wanted.type === 'submit' || Boolean(wanted.pathname && !wanted.pathname.endsWith('/csv/'))"
        );
        let leads_on = self.browser.run(&found).as_bool();
        let missing = || panic!("there is no {text:?} on {}: {}", self.path(), self.reads());
        if leads_on.unwrap_or_else(missing) {
            self.leaves_by("[data-wanted]");
        } else {
            self.browser.click("[data-wanted]");
        }
    }

    /// Clicks on what leads to another page, and waits for that.
    pub fn leaves_by(&self, selector: &str) {
        self.browser.run("window.stays = true");
        self.browser.click(selector);
        self.browser.wait_for("return !window.stays && document.readyState === 'complete'");
    }

    /// Nothing was complained about, everything was found, and nobody else was asked.
    pub fn all_was_quiet(&self) {
        assert_eq!(self.browser.console(), [""; 0]);
        let traffic = self.browser.traffic();
        assert_eq!(traffic.failed, [""; 0]);
        assert!(traffic.requests.len() > 1, "{traffic:?}");
        let foreign = |url: &&String| !url.starts_with(&format!("{}/", self.origin));
        assert_eq!(traffic.requests.iter().find(foreign), None);
    }
}
