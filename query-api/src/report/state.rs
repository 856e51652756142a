//! What a report is asked for: all of it stands in the address, so a link shows what its sender saw.

use super::{
    format::grouped,
    window::{MOST_DAYS, Window},
};
use crate::{paging::Parameters, text::trimmed};
use chrono::{Datelike, Days, NaiveDate};
use std::collections::BTreeMap;

/// Texts to filter by and to search for are at most this long, in characters.
const MOST_CHARACTERS: usize = 2_000;

/// Which days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Range {
    Yesterday,
    /// As many days, today included.
    Last(u16),
    Dates(Window),
}

/// The lengths that can be chosen by name.
pub(crate) const LENGTHS: [u16; 4] = [1, 7, 30, 90];

/// What a filter looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum By {
    /// The beginning of a page view's URL.
    Url,
    /// One of the seven browsers of the contract.
    Browser,
    /// What the user-agent parser calls the browser.
    Family,
    System,
    Device,
}

impl By {
    pub const ALL: [Self; 5] = [Self::Url, Self::Browser, Self::Family, Self::System, Self::Device];

    /// The parameter.
    pub fn name(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Browser => "browser",
            Self::Family => "family",
            Self::System => "os",
            Self::Device => "device",
        }
    }

    /// The keys of the report that it leaves as they are: they are of the whole site.
    pub fn not_narrowed(self) -> &'static [&'static str] {
        match self {
            Self::Url => &[
                "interaction_data",
                "timestamps_data",
                "start_end_times_data",
                "browser_data",
                "sessions_data",
                "hours",
                "elements",
                "families",
                "systems",
                "devices",
                "bots",
            ],
            Self::Browser | Self::Family | Self::System | Self::Device => &["hours", "pages", "elements"],
        }
    }

    /// The column of `client` that it looks at, if it is one of a visitor.
    pub fn column(self) -> Option<&'static str> {
        (self != Self::Url).then(|| self.name())
    }
}

/// One filter, at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    pub by: By,
    pub value: String,
}

/// Everything that the address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub range: Range,
    pub compare: bool,
    pub filter: Option<Filter>,
    /// What URLs of the list of pages have in them.
    pub search: String,
    /// What elements of the list of elements have in them.
    pub element: String,
    pub live: bool,
}

impl Default for State {
    /// The seven days of the original.
    fn default() -> Self {
        Self {
            range: Range::Last(7),
            compare: false,
            filter: None,
            search: String::new(),
            element: String::new(),
            live: false,
        }
    }
}

/// Messages by parameter.
pub(crate) type Problems = BTreeMap<&'static str, Vec<String>>;

impl State {
    /// Reads the parameters; unknown ones and empty values count for nothing.
    pub fn parse(parameters: &Parameters, today: NaiveDate) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let given = |name: &str| parameters.get(name).map(trimmed).filter(|value| !value.is_empty());
        let mut text = |name: &'static str| {
            let value = given(name)?;
            if value.contains('\0') {
                problems.entry(name).or_default().push("Null characters are not allowed.".to_owned());
            } else if value.chars().count() > MOST_CHARACTERS {
                let message = format!("Ensure this field has no more than {MOST_CHARACTERS} characters.");
                problems.entry(name).or_default().push(message);
            }
            Some(value.to_owned())
        };
        let search = text("search").unwrap_or_default();
        let element = text("element").unwrap_or_default();
        let filters: Vec<Filter> =
            By::ALL.into_iter().filter_map(|by| Some(Filter { by, value: text(by.name())? })).collect();
        if let [_, second, ..] = filters.as_slice() {
            problems.entry(second.by.name()).or_default().push("One filter at a time: leave out the others.".into());
        }
        let mut on = |name: &'static str| match given(name) {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => {
                problems.entry(name).or_default().push("Enter 1, or leave it out.".to_owned());
                false
            }
        };
        let (compare, live) = (on("compare"), on("live"));
        let range = range(given("range"), given("from"), given("to"), today, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { range, compare, filter: filters.into_iter().next(), search, element, live })
    }

    /// The days that it means today.
    pub fn window(&self, today: NaiveDate) -> Window {
        match self.range {
            Range::Yesterday => {
                let day = today.checked_sub_days(Days::new(1)).unwrap_or(today);
                Window { first: day, last: day }
            }
            Range::Last(days) => Window::of_last(days, today),
            Range::Dates(window) => window,
        }
    }

    /// The column of `client` that it is narrowed by, and to what.
    pub fn client(&self) -> Option<(&'static str, &str)> {
        let filter = self.filter.as_ref()?;
        Some((filter.by.column()?, filter.value.as_str()))
    }

    /// Whether what the report has under this key is of the whole site although a filter is in use.
    pub fn leaves_whole(&self, key: &str) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.by.not_narrowed().contains(&key))
    }

    /// The beginning that URLs must have.
    pub fn url(&self) -> Option<&str> {
        self.filter.as_ref().filter(|filter| filter.by == By::Url).map(|filter| filter.value.as_str())
    }

    /// As the parameters of an address, in a fixed order; what is as it is without any is left out.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        match self.range {
            Range::Yesterday => pairs.push(("range", "yesterday".to_owned())),
            Range::Last(7) => {}
            Range::Last(1) => pairs.push(("range", "today".to_owned())),
            Range::Last(days) => pairs.push(("range", days.to_string())),
            Range::Dates(window) => {
                pairs.push(("from", window.first.to_string()));
                pairs.push(("to", window.last.to_string()));
            }
        }
        if self.compare {
            pairs.push(("compare", "1".to_owned()));
        }
        if let Some(filter) = &self.filter {
            pairs.push((filter.by.name(), filter.value.clone()));
        }
        if !self.search.is_empty() {
            pairs.push(("search", self.search.clone()));
        }
        if !self.element.is_empty() {
            pairs.push(("element", self.element.clone()));
        }
        if self.live {
            pairs.push(("live", "1".to_owned()));
        }
        pairs
    }

    /// As the part of an address behind the path: empty, or with its question mark.
    pub fn query(&self) -> String {
        let pairs = self.pairs();
        if pairs.is_empty() {
            return String::new();
        }
        format!("?{}", url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }
}

fn range(name: Option<&str>, from: Option<&str>, to: Option<&str>, today: NaiveDate, problems: &mut Problems) -> Range {
    let mut problem = |name, message: String| {
        problems.entry(name).or_default().push(message);
        Range::Last(7)
    };
    if from.is_none() && to.is_none() {
        return match name {
            None => Range::Last(7),
            Some("today") => Range::Last(1),
            Some("yesterday") => Range::Yesterday,
            Some(days) => match days.parse().ok().filter(|days| LENGTHS.contains(days)) {
                Some(days) => Range::Last(days),
                None => {
                    problem("range", "Choose one of today, yesterday, 7, 30, 90; or two dates, from and to.".into())
                }
            },
        };
    }
    let date = |text: &str| text.parse().ok().filter(|date: &NaiveDate| (1900..=9999).contains(&date.year()));
    let Some(first) = from.map_or(Some(today), date) else { return problem("from", "Enter a valid date.".into()) };
    let Some(last) = to.map_or(Some(today), date) else { return problem("to", "Enter a valid date.".into()) };
    if from.is_none() {
        return problem("from", "Say on which day to begin.".into());
    }
    if last > today {
        return problem("to", format!("That day has not come yet: today is {today}."));
    }
    if first > last {
        return problem("from", "The first day comes after the last one.".into());
    }
    let window = Window { first, last };
    if window.length() > MOST_DAYS {
        let length = grouped(i64::from(window.length()));
        return problem("from", format!("These are {length} days; a report has at most {MOST_DAYS}."));
    }
    Range::Dates(window)
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
