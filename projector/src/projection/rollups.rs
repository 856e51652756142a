use super::Session;
use crate::user_agent::Browser;
use chrono::NaiveDate;
use chrono_tz::Tz;
use schema::InteractionKind;
use std::collections::BTreeMap;

/// Sums over the sessions of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTotals {
    /// How many.
    pub sessions: i64,
    /// How many with an end.
    pub ended: i64,
    /// Sum of their durations in microseconds; wider than a `bigint` because a few that end in the year 9999
    /// overflow one.
    pub duration_us: i128,
}

/// By how much a batch changes the roll-ups and row counts: folded here, written once, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollUps {
    /// Sessions by day of their start.
    pub sessions: BTreeMap<NaiveDate, SessionTotals>,
    /// Sessions by day of their start and browser.
    pub browsers: BTreeMap<(NaiveDate, Browser), i64>,
    /// Page views by day and URL.
    pub page_views: BTreeMap<(NaiveDate, i64), i64>,
    /// Interactions by day and kind.
    pub interactions: BTreeMap<(NaiveDate, InteractionKind), i64>,
    /// Rows of `session`.
    pub session_rows: i64,
    /// Rows of `page_view`.
    pub page_view_rows: i64,
    /// Rows of `interaction`.
    pub interaction_rows: i64,
}

impl RollUps {
    /// A session changed: the contribution of what it was goes out, that of what it is comes in. `None`: there was
    /// none, or there is none any more.
    pub fn session_changed(&mut self, zone: Tz, old: Option<&Session>, new: Option<&Session>) {
        for (session, sign) in [(old, -1), (new, 1)] {
            let Some(session) = session else { continue };
            let day = super::day_of(zone, session.start_time);
            let totals = self.sessions.entry(day).or_default();
            totals.sessions += sign;
            if let Some(end_time) = session.end_time {
                let duration = end_time.timestamp_micros() - session.start_time.timestamp_micros();
                totals.ended += sign;
                totals.duration_us += i128::from(sign) * i128::from(duration);
            }
            *self.browsers.entry((day, session.agent.browser)).or_default() += sign;
            self.session_rows += sign;
        }
    }

    /// Page views of a URL came (`by` above zero) or went on a day.
    pub fn page_views_changed(&mut self, day: NaiveDate, url_id: i64, by: i64) {
        *self.page_views.entry((day, url_id)).or_default() += by;
        self.page_view_rows += by;
    }

    /// Interactions of a kind came (`by` above zero) or went on a day.
    pub fn interactions_changed(&mut self, day: NaiveDate, kind: InteractionKind, by: i64) {
        *self.interactions.entry((day, kind)).or_default() += by;
        self.interaction_rows += by;
    }

    /// Forgets what cancelled out, so that nothing is written for it.
    pub fn settle(&mut self) {
        self.sessions.retain(|_, totals| *totals != SessionTotals::default());
        self.browsers.retain(|_, by| *by != 0);
        self.page_views.retain(|_, by| *by != 0);
        self.interactions.retain(|_, by| *by != 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::Agent;
    use chrono::{DateTime, Utc};

    fn session(start: &str, end: Option<&str>) -> Session {
        let start: DateTime<Utc> = start.parse().unwrap();
        let agent = Agent { id: 1, browser: Browser::Firefox };
        let mut session = Session::first_seen(1, agent, None, start);
        session.end_time = end.map(|end| end.parse().unwrap());
        session
    }

    #[test]
    fn a_session_that_moves_to_another_day_leaves_nothing_behind() {
        let (late, early) = (session("2026-11-24T00:30:00Z", None), session("2026-11-23T23:30:00Z", None));
        let mut rollups = RollUps::default();
        rollups.session_changed(Tz::UTC, None, Some(&late));
        rollups.session_changed(Tz::UTC, Some(&late), Some(&early));
        rollups.settle();
        let days: Vec<_> = rollups.sessions.keys().map(ToString::to_string).collect();
        assert_eq!((days, rollups.session_rows), (vec!["2026-11-23".to_owned()], 1));
        rollups.session_changed(Tz::UTC, Some(&early), None);
        rollups.settle();
        assert_eq!(rollups, RollUps::default());
    }

    #[test]
    fn many_ends_in_the_year_9999_do_not_overflow() {
        let endless = session("2026-11-24T00:30:00Z", Some("9999-12-31T23:59:59Z"));
        let mut rollups = RollUps::default();
        for _ in 0..100 {
            rollups.session_changed(Tz::UTC, None, Some(&endless));
        }
        let totals = rollups.sessions.values().next().unwrap();
        assert_eq!(totals.ended, 100);
        assert!(totals.duration_us > i128::from(i64::MAX));
    }
}
