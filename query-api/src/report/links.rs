//! Addresses of reports that differ from this one in one thing.

use super::{
    state::{By, Filter, Range, State},
    window::Window,
};

/// Writes addresses below the base path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Links<'a> {
    pub base: &'a str,
    pub state: &'a State,
}

impl Links<'_> {
    fn to(&self, change: impl FnOnce(&mut State)) -> String {
        let mut state = self.state.clone();
        change(&mut state);
        format!("{}/report/{}", self.base, state.query())
    }

    /// These days.
    pub fn range(&self, range: Range) -> String {
        self.to(|state| state.range = range)
    }

    /// The same days for ever, whenever the link is followed.
    pub fn for_ever(&self, window: Window) -> String {
        self.to(|state| {
            state.range = Range::Dates(window);
            state.live = false;
        })
    }

    /// Narrowed by this, and by nothing else.
    pub fn filter(&self, by: By, value: &str) -> String {
        self.to(|state| state.filter = Some(Filter { by, value: value.to_owned() }))
    }

    pub fn without_filter(&self) -> String {
        self.to(|state| state.filter = None)
    }

    pub fn without_search(&self) -> String {
        self.to(|state| state.search.clear())
    }

    pub fn without_element(&self) -> String {
        self.to(|state| state.element.clear())
    }

    pub fn compare(&self, compare: bool) -> String {
        self.to(|state| state.compare = compare)
    }

    pub fn live(&self, live: bool) -> String {
        self.to(|state| state.live = live)
    }

    /// A table as CSV.
    pub fn csv(&self, table: &str) -> String {
        let mut state = self.state.clone();
        state.live = false;
        let query = state.query();
        let more = if query.is_empty() { String::new() } else { format!("&{}", &query[1..]) };
        format!("{}/report/csv/?table={table}{more}", self.base)
    }

    /// The numbers.
    pub fn data(&self) -> String {
        format!("{}/report/data/{}", self.base, self.state.query())
    }

    /// The parameters that a form has to carry along, but for those that it sets itself.
    pub fn kept(&self, but: &[&str]) -> Vec<(&'static str, String)> {
        let pairs = self.state.pairs();
        pairs.into_iter().filter(|(name, _)| !but.contains(name)).collect()
    }
}
