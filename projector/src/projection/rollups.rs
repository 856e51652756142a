use super::{Session, When};
use chrono::NaiveDate;
use chrono_tz::Tz;
use schema::{InteractionKind, durations};
use std::collections::{BTreeMap, BTreeSet};

/// Sums over the sessions of a day and client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTotals {
    /// How many.
    pub sessions: i64,
    /// How many with an end.
    pub ended: i64,
    /// Sum of their durations in microseconds; wider than a `bigint` because a few that end in the year 9999
    /// overflow one.
    pub duration_us: i128,
    /// Their page views, on whatever day.
    pub page_views: i64,
    /// How many have one page view.
    pub single_page: i64,
}

/// What happened in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourTotals {
    /// Sessions that began in it.
    pub sessions: i64,
    /// Page views.
    pub page_views: i64,
    /// Interactions.
    pub interactions: i64,
}

/// Facts of a session on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactCount {
    /// The day of the facts.
    pub day: NaiveDate,
    /// Page views for `None`, else interactions of this kind.
    pub kind: Option<InteractionKind>,
    /// How many.
    pub count: i64,
}

/// By how much a batch changes the roll-ups and row counts: folded here, written once, in the order of their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RollUps {
    /// Sessions by day of their start and client.
    pub sessions: BTreeMap<(NaiveDate, i64), SessionTotals>,
    /// Sessions with an end by day of their start and class of their duration.
    pub durations: BTreeMap<(NaiveDate, i16), i64>,
    /// Page views by day and URL.
    pub page_views: BTreeMap<(NaiveDate, i64), i64>,
    /// Page views by day and client.
    pub client_page_views: BTreeMap<(NaiveDate, i64), i64>,
    /// Interactions by day and kind.
    pub interactions: BTreeMap<(NaiveDate, InteractionKind), i64>,
    /// Interactions by day, client and kind.
    pub client_interactions: BTreeMap<(NaiveDate, i64, InteractionKind), i64>,
    /// Interactions by day, element and kind.
    pub elements: BTreeMap<(NaiveDate, i64, InteractionKind), i64>,
    /// All of it by hour.
    pub hours: BTreeMap<When, HourTotals>,
    /// Rows of `session`.
    pub session_rows: i64,
    /// Rows of `page_view`.
    pub page_view_rows: i64,
    /// Rows of `interaction`.
    pub interaction_rows: i64,
}

impl RollUps {
    /// A session changed: the contribution of what it was goes out, that of what it is comes in. `None`: there was
    /// none, or there is none any more. Its facts are told by [`RollUps::facts_changed`].
    pub fn session_changed(&mut self, zone: Tz, old: Option<&Session>, new: Option<&Session>) {
        for (session, sign) in [(old, -1), (new, 1)] {
            let Some(session) = session else { continue };
            let when = When::of(zone, session.start_time);
            let day = when.day;
            self.hours.entry(when).or_default().sessions += sign;
            let totals = self.sessions.entry((day, session.agent.client_id)).or_default();
            totals.sessions += sign;
            totals.page_views += sign * session.page_views;
            totals.single_page += sign * i64::from(session.page_views == 1);
            if let Some(end_time) = session.end_time {
                let duration = end_time.timestamp_micros() - session.start_time.timestamp_micros();
                totals.ended += sign;
                totals.duration_us += i128::from(sign) * i128::from(duration);
                let class = durations::class_of(session.start_time, end_time);
                *self.durations.entry((day, class)).or_default() += sign;
            }
            self.session_rows += sign;
        }
    }

    /// A client's sessions have more of these facts (`sign` is 1) or fewer (−1).
    pub fn facts_changed(&mut self, client_id: i64, facts: &[FactCount], sign: i64) {
        for FactCount { day, kind, count } in facts {
            let place = match kind {
                None => self.client_page_views.entry((*day, client_id)).or_default(),
                Some(kind) => self.client_interactions.entry((*day, client_id, *kind)).or_default(),
            };
            *place += sign * count;
        }
    }

    /// Page views of a URL came (`by` above zero) or went; whose they are is told by [`RollUps::facts_changed`].
    pub fn page_views_changed(&mut self, when: When, url_id: i64, by: i64) {
        *self.page_views.entry((when.day, url_id)).or_default() += by;
        self.hours.entry(when).or_default().page_views += by;
        self.page_view_rows += by;
    }

    /// Interactions of a kind with an element came (`by` above zero) or went; whose they are is told by
    /// [`RollUps::facts_changed`].
    pub fn interactions_changed(&mut self, when: When, element_id: i64, kind: InteractionKind, by: i64) {
        *self.interactions.entry((when.day, kind)).or_default() += by;
        *self.elements.entry((when.day, element_id, kind)).or_default() += by;
        self.hours.entry(when).or_default().interactions += by;
        self.interaction_rows += by;
    }

    /// Forgets what cancelled out, so that nothing is written for it.
    pub fn settle(&mut self) {
        self.sessions.retain(|_, totals| *totals != SessionTotals::default());
        self.durations.retain(|_, by| *by != 0);
        self.page_views.retain(|_, by| *by != 0);
        self.client_page_views.retain(|_, by| *by != 0);
        self.interactions.retain(|_, by| *by != 0);
        self.client_interactions.retain(|_, by| *by != 0);
        self.elements.retain(|_, by| *by != 0);
        self.hours.retain(|_, totals| *totals != HourTotals::default());
    }

    /// The days of which anything changes.
    pub fn days(&self) -> BTreeSet<NaiveDate> {
        let sessions = self.sessions.keys().map(|key| key.0).chain(self.durations.keys().map(|key| key.0));
        let page_views = self.page_views.keys().map(|key| key.0).chain(self.client_page_views.keys().map(|key| key.0));
        let interactions =
            self.interactions.keys().map(|key| key.0).chain(self.client_interactions.keys().map(|key| key.0));
        let elements = self.elements.keys().map(|key| key.0);
        let hours = self.hours.keys().map(|key| key.day);
        sessions.chain(page_views).chain(interactions).chain(elements).chain(hours).collect()
    }
}

/// Counts one more fact of a session.
pub fn count_fact(facts: &mut Vec<FactCount>, day: NaiveDate, kind: Option<InteractionKind>) {
    match facts.iter_mut().find(|fact| fact.day == day && fact.kind == kind) {
        Some(fact) => fact.count += 1,
        None => facts.push(FactCount { day, kind, count: 1 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projection::Agent;
    use chrono::{DateTime, Utc};

    fn session(start: &str, end: Option<&str>) -> Session {
        let start: DateTime<Utc> = start.parse().unwrap();
        let agent = Agent { id: 1, client_id: 1 };
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
        let days: Vec<_> = rollups.sessions.keys().map(|key| key.0.to_string()).collect();
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

    #[test]
    fn facts_of_a_session_that_is_another_client_now_leave_nothing_behind() {
        let day: NaiveDate = "2026-11-24".parse().unwrap();
        let mut facts = Vec::new();
        for kind in [None, None, Some(InteractionKind::Click)] {
            count_fact(&mut facts, day, kind);
        }
        let mut rollups = RollUps::default();
        rollups.facts_changed(1, &facts, 1);
        rollups.facts_changed(1, &facts, -1);
        rollups.facts_changed(2, &facts, 1);
        rollups.settle();
        assert_eq!(rollups.client_page_views, BTreeMap::from([((day, 2), 2)]));
        assert_eq!(rollups.client_interactions, BTreeMap::from([((day, 2, InteractionKind::Click), 1)]));
    }
}
