//! What the report is as an object. Contract § 9: the keys and items of the original, then what Footfall adds.

use super::totals::{DayNumbers, Totals};
use chrono::NaiveDate;
use serde::Serialize;
use utoipa::ToSchema;

/// What `/report/data/` answers: the keys and items of the original, then what Footfall adds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Report {
    /// The original's keys up to the one that can be long.
    #[serde(flatten)]
    pub head: Head,
    /// Page views a day, with their URLs.
    pub page_views: Vec<PageViewsOfDay>,
    /// Everything after it.
    #[serde(flatten)]
    pub tail: Tail,
}

/// The keys before `page_views`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Head {
    /// Interactions by type, by type name.
    pub interaction_data: Vec<OfType>,
    /// Interactions a day, newest first, days without any missing.
    pub timestamps_data: Vec<OfDay>,
}

/// The keys after `page_views`: two of the original's, then ours.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Tail {
    /// Mean durations of the sessions that have an end.
    pub start_end_times_data: Vec<DurationOfDay>,
    /// All sessions by browser, most used first.
    pub browser_data: Vec<OfBrowser>,
    /// Sessions a day.
    pub sessions_data: Vec<OfDay>,
    /// How many URLs of a day are not listed above.
    pub urls_left_out: Vec<OfDay>,
    /// When this was read.
    pub as_of: String,
    /// When the newest event in it was taken; null before the first one.
    pub newest_event_at: Option<String>,
    /// Which days, and by what they are narrowed.
    pub period: Period,
    /// Over all days.
    pub totals: Totals,
    /// Every day, oldest first.
    pub days: Vec<DayNumbers>,
    /// Of a single day every hour that has begun, in its order and whatever the filter; none of several days.
    pub hours: Vec<HourNumbers>,
    /// The period before, when it was asked for.
    pub before: Option<Before>,
    /// Most viewed pages of all days.
    pub pages: Ranking,
    /// Elements and what was done with them.
    pub elements: Ranking,
    /// Sessions of people by family of browser, system and device, as the user-agent parser reads them.
    pub families: Ranking,
    /// By operating system.
    pub systems: Ranking,
    /// By class of device.
    pub devices: Ranking,
    /// Sessions of bots. They count in all other numbers.
    pub bots: Ranking,
}

/// Which days a report is of.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Period {
    #[schema(value_type = String, format = Date)]
    pub first: NaiveDate,
    #[schema(value_type = String, format = Date)]
    pub last: NaiveDate,
    pub time_zone: String,
    pub filter: Option<Filtered>,
}

/// A filter, and what it cannot touch: that is of the whole site.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Filtered {
    #[schema(value_type = String)]
    pub by: &'static str,
    pub value: String,
    #[schema(value_type = Vec<String>)]
    pub not_narrowed: &'static [&'static str],
    /// The same of the members of `totals`, `days` and `before`.
    #[schema(value_type = Vec<String>)]
    pub members_not_narrowed: Vec<&'static str>,
}

/// The period before.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Before {
    #[schema(value_type = String, format = Date)]
    pub first: NaiveDate,
    #[schema(value_type = String, format = Date)]
    pub last: NaiveDate,
    pub totals: Totals,
    pub days: Vec<DayNumbers>,
    /// The hours of a single day.
    pub hours: Vec<HourNumbers>,
}

/// An hour of the zone's clocks. One that comes twice is two of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HourNumbers {
    /// When it began, with the zone's offset.
    pub timestamp: String,
    pub page_views: i64,
    /// Sessions that began in it.
    pub sessions: i64,
    pub interactions: i64,
}

/// The first rows of a list, most first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ranking {
    pub rows: Vec<RankedRow>,
    /// How many more there are.
    pub more: i64,
    /// The sum of all counts, those of the rows that are not listed too; shares are of it or of what contains it.
    pub total: i64,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RankedRow {
    pub name: String,
    /// The type of interaction, of an element.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub interaction: String,
    pub count: i64,
    pub percentage: f64,
}

/// A count of a type of interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfType {
    pub interaction: String,
    pub count: i64,
}

/// A count of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfDay {
    pub day: String,
    pub count: i64,
    pub timestamp: String,
}

/// Page views of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PageViewsOfDay {
    pub day: String,
    pub count: i64,
    pub timestamp: String,
    pub urls: Vec<OfUrl>,
}

/// Page views of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfUrl {
    pub url: String,
    pub count: i64,
}

/// Mean duration of a day's sessions, in whole minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DurationOfDay {
    pub day: String,
    pub duration: String,
    pub count: i64,
    pub timestamp: String,
}

/// Sessions of a browser.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfBrowser {
    pub browser: String,
    pub count: i64,
    pub percentage: f64,
}
