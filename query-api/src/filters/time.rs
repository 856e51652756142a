//! Filters by time: every form that the original takes (contract § 6).

mod day;
mod formats;
pub(crate) mod moment;

use super::Reader;
use crate::{
    columns::Column,
    condition::{Comparison, Condition},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

impl Reader<'_> {
    /// The parameter that is called as the column.
    pub(super) fn moment(&mut self, name: &str, column: Column) {
        self.time(name, column, Comparison::Equal);
    }

    /// The other five.
    pub(super) fn times(&mut self, name: &str, column: Column) {
        self.time(&format!("{name}_after"), column, Comparison::AtLeast);
        self.time(&format!("{name}_before"), column, Comparison::AtMost);
        self.range(&format!("{name}_range"), column);
        self.date(&format!("{name}_date"), column);
    }

    fn time(&mut self, name: &str, column: Column, is: Comparison) {
        let Some(value) = self.value(name) else { return };
        match moment::read(&value, self.zone) {
            Ok(at) => self.add(Condition::Time { column, is, at }),
            Err(message) => self.found.refuse(name, &message),
        }
    }

    /// Both ends are one parameter to the original, so their errors stand under one name, each but once.
    fn range(&mut self, name: &str, column: Column) {
        let mut messages: Vec<String> = Vec::new();
        for (end, is) in [("after", Comparison::AtLeast), ("before", Comparison::AtMost)] {
            let Some(value) = self.value(&format!("{name}_{end}")) else { continue };
            match moment::read(&value, self.zone) {
                Ok(at) => self.add(Condition::Time { column, is, at }),
                Err(message) if messages.contains(&message) => {}
                Err(message) => messages.push(message),
            }
        }
        if !messages.is_empty() {
            self.found.errors.add(name, messages);
        }
    }

    fn date(&mut self, name: &str, column: Column) {
        let Some(value) = self.value(name) else { return };
        match formats::date(&value) {
            Some(date) => {
                let (from, to): (DateTime<Utc>, DateTime<Utc>) = day::bounds(date, self.zone);
                self.add(Condition::Time { column, is: Comparison::AtLeast, at: from });
                self.add(Condition::Time { column, is: Comparison::Below, at: to });
            }
            None => self.found.refuse(name, "Enter a valid date."),
        }
    }
}

/// That a time is within whole days of the zone, both included.
pub(crate) fn days(column: Column, from: Option<NaiveDate>, to: Option<NaiveDate>, zone: Tz) -> Vec<Condition> {
    let time = |is, at| Condition::Time { column, is, at };
    let from = from.map(|day| time(Comparison::AtLeast, day::bounds(day, zone).0));
    let to = to.map(|day| time(Comparison::Below, day::bounds(day, zone).1));
    from.into_iter().chain(to).collect()
}
