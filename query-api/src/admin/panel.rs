//! The side panel of a list: which rows, by time, user and type. A form that is read without a script.

use super::kinds::Kind;
use crate::{
    columns::Column,
    condition::Condition,
    filters::{Errors, Narrowing, days},
    paging::Parameters,
    settings::FieldNames,
    text::trimmed,
};
use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use schema::InteractionKind;
use service::resource::Resource;

/// A choice of a field, and whether it is the one.
pub(super) struct Choice {
    pub value: &'static str,
    pub label: &'static str,
    pub chosen: bool,
}

/// What a list can be narrowed down by in one time.
pub(super) struct TimeFilter {
    pub name: &'static str,
    pub label: &'static str,
    pub choices: Vec<Choice>,
    pub from: String,
    pub to: String,
}

/// The panel as it is shown.
pub(super) struct Panel {
    pub search: String,
    pub times: Vec<TimeFilter>,
    /// For sessions.
    pub user_id: Option<String>,
    /// For interactions; empty for the others.
    pub event_types: Vec<Choice>,
    /// The session whose events are shown, where a link says so.
    pub session_id: String,
    /// Anything but the search narrows the list down.
    pub open: bool,
}

/// What the panel says about the rows.
pub(super) struct Narrowed {
    pub panel: Panel,
    pub conditions: Vec<Condition>,
    pub errors: Vec<String>,
}

const PERIODS: [(&str, &str); 5] =
    [("", "Any date"), ("today", "Today"), ("week", "Past 7 days"), ("month", "This month"), ("year", "This year")];

const ENDS: [(&str, &str); 2] = [("empty", "Empty"), ("filled", "Not empty")];

/// Reads what an address says.
pub(super) fn read(kind: Kind, parameters: &Parameters, now: DateTime<Utc>, zone: Tz) -> Narrowed {
    let given = |name: &str| parameters.get(name).map(trimmed).unwrap_or_default();
    // of the filters that the lists for programs have those that the panel shows, so that none works unseen
    let shown: &[&str] = match kind.resource {
        Resource::Sessions => &["search", "user_id"],
        Resource::PageViews => &["search", "session_id"],
        Resource::Interactions => &["search", "session_id", "event_type"],
    };
    let known = shown.iter().fold(Parameters::default(), |known, name| known.with(name, parameters.get(name)));
    let mut found = Narrowing::of(kind.resource, &known, true, &FieldNames::of(kind.searched), zone);
    let mut errors = messages(&found.errors);
    let today = now.with_timezone(&zone).date_naive();
    let times: Vec<TimeFilter> = kind
        .times
        .iter()
        .map(|(name, label)| {
            let (period, from, to) =
                (given(&format!("{name}_in")), given(&format!("{name}_from")), given(&format!("{name}_to")));
            let column = Column::named(name).unwrap_or(Column::Timestamp);
            if let Some((first, last)) = of_period(period, today) {
                found.conditions.extend(days(column, Some(first), Some(last), zone));
            }
            if column == Column::EndTime && matches!(period, "empty" | "filled") {
                found.conditions.push(Condition::Missing { column: "end_time", missing: period == "empty" });
            }
            let mut day = |text: &str, end: &str| {
                let day: Option<NaiveDate> =
                    text.parse().ok().filter(|day: &NaiveDate| (1..=9999).contains(&day.year()));
                if day.is_none() && !text.is_empty() {
                    errors.push(format!("{label}, {end}: enter a date as YYYY-MM-DD."));
                }
                day
            };
            let range = (day(from, "from"), day(to, "to"));
            found.conditions.extend(days(column, range.0, range.1, zone));
            let ends = ENDS.iter().filter(|_| column == Column::EndTime);
            let choices = PERIODS.iter().chain(ends);
            let choices = choices.map(|(value, label)| Choice { value, label, chosen: *value == period }).collect();
            TimeFilter { name, label, choices, from: from.to_owned(), to: to.to_owned() }
        })
        .collect();
    let panel = Panel {
        search: parameters.get("search").unwrap_or_default().to_owned(),
        open: !found.conditions.is_empty() || !errors.is_empty(),
        times,
        user_id: (kind.resource == Resource::Sessions).then(|| given("user_id").to_owned()),
        event_types: if kind.resource == Resource::Interactions {
            event_types(given("event_type"))
        } else {
            Vec::new()
        },
        session_id: if kind.resource == Resource::Sessions { String::new() } else { given("session_id").to_owned() },
    };
    Narrowed { panel, conditions: found.conditions, errors }
}

/// First and last day of a period, both included.
fn of_period(period: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let days = |day: NaiveDate, days| day.checked_sub_days(Days::new(days)).unwrap_or(day);
    let first_of = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(today);
    let (year, month) = (today.year(), today.month());
    Some(match period {
        "today" => (today, today),
        "week" => (days(today, 6), today),
        "month" => {
            let next = if month == 12 { first_of(year + 1, 1) } else { first_of(year, month + 1) };
            (first_of(year, month), days(next, 1))
        }
        "year" => (first_of(year, 1), days(first_of(year + 1, 1), 1)),
        _ => return None,
    })
}

/// The eight types, and none of them.
pub(super) fn event_types(chosen: &str) -> Vec<Choice> {
    let any = Choice { value: "", label: "Any type", chosen: chosen.is_empty() };
    let all = InteractionKind::ALL.iter().map(|kind| {
        let value = kind.as_str();
        Choice { value, label: value, chosen: value == chosen }
    });
    std::iter::once(any).chain(all).collect()
}

/// What the filters say, by the names that people see.
fn messages(errors: &Errors) -> Vec<String> {
    let named = |name: &str| if name == "search" { "Search".to_owned() } else { Kind::label(name).to_owned() };
    errors.iter().flat_map(|(name, found)| found.iter().map(move |text| format!("{}: {text}", named(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("today", Some(("2026-02-03", "2026-02-03")))]
    #[case("week", Some(("2026-01-28", "2026-02-03")))]
    #[case("month", Some(("2026-02-01", "2026-02-28")))]
    #[case("year", Some(("2026-01-01", "2026-12-31")))]
    #[case("", None)]
    #[case("empty", None)]
    fn a_period_is_whole_days(#[case] period: &str, #[case] expected: Option<(&str, &str)>) {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(of_period(period, day("2026-02-03")), expected.map(|(first, last)| (day(first), day(last))));
    }
}
