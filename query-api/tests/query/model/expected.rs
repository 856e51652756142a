//! The numbers of a report, counted one by one over the facts.

use super::facts::{Facts, Session, day};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap};

/// A question to the report.
pub struct Question<'a> {
    pub facts: &'a Facts,
    pub zone: Tz,
    pub first: NaiveDate,
    pub last: NaiveDate,
    /// `url`, or the place of browser, family, system or device among what is told of a visitor; and the value.
    pub url: Option<&'a str>,
    pub visitor: Option<(usize, &'a str)>,
}

/// What a number of days come to: page views, sessions, interactions, ended, and what is made of them.
#[derive(Debug, Default)]
pub struct Sums {
    pub page_views: i64,
    pub interactions: i64,
    pub sessions: i64,
    pub lengths: Vec<f64>,
    pub viewed: i64,
    pub single_page: i64,
}

impl Question<'_> {
    fn is_of(&self, session: &str) -> bool {
        self.visitor.is_none_or(|(place, value)| self.facts.visitor(session)[place] == value)
    }

    pub fn sums(&self, first: NaiveDate, last: NaiveDate) -> Sums {
        let inside = |at| (first..=last).contains(&day(at, self.zone));
        let mut sums = Sums::default();
        for view in self.facts.page_views.values().filter(|view| inside(view.at) && self.is_of(&view.session)) {
            sums.page_views += i64::from(self.url.is_none_or(|url| view.url.starts_with(url)));
        }
        for fact in self.facts.interactions.values().filter(|fact| inside(fact.at) && self.is_of(&fact.session)) {
            assert!(!fact.kind.is_empty());
            sums.interactions += 1;
        }
        for (name, Session { start, end, .. }) in &self.facts.sessions {
            if !inside(*start) || !self.is_of(name) {
                continue;
            }
            let views = self.facts.page_views.values().filter(|view| view.session == *name).count();
            sums.sessions += 1;
            sums.viewed += i64::try_from(views).unwrap();
            sums.single_page += i64::from(views == 1);
            #[expect(clippy::cast_precision_loss, reason = "a few days in microseconds")]
            sums.lengths.extend(end.map(|end| (end - *start).num_microseconds().unwrap() as f64 / 1e6));
        }
        sums.lengths.sort_by(f64::total_cmp);
        sums
    }

    /// Page views, sessions and interactions of everybody by the hour that the clocks show.
    pub fn hours(&self) -> BTreeMap<DateTime<Utc>, [i64; 3]> {
        let mut hours: BTreeMap<DateTime<Utc>, [i64; 3]> = BTreeMap::new();
        let views = self.facts.page_views.values().map(|view| (view.at, 0));
        let sessions = self.facts.sessions.values().map(|session| (session.start, 1));
        let interactions = self.facts.interactions.values().map(|fact| (fact.at, 2));
        for (at, what) in views.chain(sessions).chain(interactions) {
            if (self.first..=self.last).contains(&day(at, self.zone)) {
                let full = at.with_timezone(&self.zone).format("%Y-%m-%dT%H:00:00%:z").to_string();
                hours.entry(full.parse().unwrap()).or_default()[what] += 1;
            }
        }
        hours
    }

    /// Names with their counts, the most first.
    fn ranked(counts: BTreeMap<Vec<String>, i64>) -> Vec<(Vec<String>, i64)> {
        let mut ranked: Vec<_> = counts.into_iter().collect();
        ranked.sort_by_key(|(name, count)| (Reverse(*count), name.clone()));
        ranked
    }

    /// Page views by URL; of all visitors.
    pub fn pages(&self) -> Vec<(Vec<String>, i64)> {
        let mut counts = BTreeMap::new();
        for view in self.facts.page_views.values() {
            let inside = (self.first..=self.last).contains(&day(view.at, self.zone));
            if inside && self.url.is_none_or(|url| view.url.starts_with(url)) {
                *counts.entry(vec![view.url.clone()]).or_default() += 1;
            }
        }
        Self::ranked(counts)
    }

    /// Interactions by element and type; of all visitors.
    pub fn elements(&self) -> Vec<(Vec<String>, i64)> {
        let mut counts = BTreeMap::new();
        for fact in self.facts.interactions.values() {
            if (self.first..=self.last).contains(&day(fact.at, self.zone)) {
                *counts.entry(vec![fact.element.clone(), fact.kind.to_owned()]).or_default() += 1;
            }
        }
        Self::ranked(counts)
    }

    /// Sessions by something that is told of a visitor.
    pub fn visitors(&self, place: usize, bots: Option<bool>) -> Vec<(Vec<String>, i64)> {
        let mut counts = BTreeMap::new();
        for (name, session) in &self.facts.sessions {
            let visitor = self.facts.visitor(name);
            let inside = (self.first..=self.last).contains(&day(session.start, self.zone)) && self.is_of(name);
            if inside && bots.is_none_or(|bots| (visitor[4] == "bot") == bots) {
                *counts.entry(vec![visitor[place].to_owned()]).or_default() += 1;
            }
        }
        Self::ranked(counts)
    }

    /// Interactions by type.
    pub fn types(&self) -> Value {
        let mut counts = BTreeMap::<&str, i64>::new();
        for fact in self.facts.interactions.values().filter(|fact| self.is_of(&fact.session)) {
            if (self.first..=self.last).contains(&day(fact.at, self.zone)) {
                *counts.entry(fact.kind).or_default() += 1;
            }
        }
        counts.into_iter().map(|(kind, count)| json!({"interaction": kind, "count": count})).collect()
    }
}

impl Sums {
    /// Compares with what the report says.
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    pub fn assert_are(&self, found: &Value, follows_median: bool, what: &str) {
        let number = |key: &str| found[key].as_f64();
        let of = |sum: f64, count: usize| (count > 0).then(|| sum / count as f64);
        let ended = self.lengths.len();
        let counts = [self.page_views, self.sessions, self.interactions, i64::try_from(ended).unwrap()];
        let keys = ["page_views", "sessions", "interactions", "ended"];
        assert_eq!(keys.map(|key| found[key].as_i64().unwrap()), counts, "{what}: {found}");
        let sessions = usize::try_from(self.sessions).unwrap();
        let near = |key: &str, exact: Option<f64>, within: f64| {
            let fits = match (number(key), exact) {
                (Some(found), Some(exact)) => (found - exact).abs() <= within + 1e-9,
                (found, exact) => found == exact,
            };
            assert!(fits, "{what}, {key}: {exact:?} in {found}");
        };
        near("mean_seconds", of(self.lengths.iter().sum(), ended).map(|mean| mean.max(0.0)), 0.05);
        near("pages_per_session", of(self.viewed as f64, sessions), 0.005);
        near("single_page_percentage", of(self.single_page as f64 * 100.0, sessions), 0.005);
        if follows_median {
            let median = self.lengths.get(ended.saturating_sub(1) / 2).map(|median| median.clamp(0.0, 172_800.0));
            near("median_seconds", median, median.map_or(0.0, |median| 0.5_f64.max(median * 0.05)));
        } else {
            assert_eq!(found["median_seconds"], Value::Null, "{what}");
        }
    }
}
