use chrono::{DateTime, Utc};
use schema::{SessionAnnounced, SessionCorrected};
use std::net::IpAddr;

/// A user agent by its row, with what the roll-ups need of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Of the row in `user_agent`.
    pub id: i64,
    /// Of the row in `client`: what the report tells visitors apart by.
    pub client_id: i64,
}

/// Which fields the admin has set for good; as bits in the column `corrected`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Corrected(pub i16);

impl Corrected {
    /// `user_agent`.
    pub const USER_AGENT: Self = Self(1);
    /// `ip_address`.
    pub const IP_ADDRESS: Self = Self(2);
    /// `user_id`.
    pub const USER_ID: Self = Self(4);
    /// `end_time`.
    pub const END_TIME: Self = Self(8);

    /// Whether the field is final.
    pub fn has(self, field: Self) -> bool {
        self.0 & field.0 != 0
    }

    fn add(&mut self, field: Self) {
        self.0 |= field.0;
    }
}

/// A session as its row has it. The methods are the rules of contract § 3 for sessions, applied in log order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Id of the first event that mentioned it.
    pub id: i64,
    /// Id of its first announcement; `None` while it is provisional.
    pub announced_id: Option<i64>,
    /// Its user agent.
    pub agent: Agent,
    /// Its address.
    pub ip_address: Option<IpAddr>,
    /// The client's name for the user.
    pub user_id: Option<String>,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended, if anyone has said so.
    pub end_time: Option<DateTime<Utc>>,
    /// The latest `occurred_at` of its events; a deletion does not lower it.
    pub last_event_at: DateTime<Utc>,
    /// None of its events was recorded before this.
    pub first_recorded_at: DateTime<Utc>,
    /// Its rows in `page_view`.
    pub page_views: i64,
    /// Its rows in `interaction`.
    pub interactions: i64,
    /// What the admin has set for good.
    pub corrected: Corrected,
}

impl Session {
    /// A session that appears with its first event, from what the request itself told. Provisional until announced.
    pub fn first_seen(id: i64, agent: Agent, ip_address: Option<IpAddr>, at: DateTime<Utc>) -> Self {
        Self {
            id,
            announced_id: None,
            agent,
            ip_address,
            user_id: None,
            start_time: at,
            end_time: None,
            last_event_at: at,
            first_recorded_at: DateTime::<Utc>::MAX_UTC,
            page_views: 0,
            interactions: 0,
            corrected: Corrected::default(),
        }
    }

    /// The event `id` announced it, `at` being the announced start. The first announcement says who it is, later
    /// ones only fill in what is missing; the last end wins, and no end erases none.
    pub fn announced(&mut self, id: i64, announced: &SessionAnnounced, agent: Agent, at: DateTime<Utc>) {
        let first = self.announced_id.is_none();
        if first {
            self.announced_id = Some(id);
            self.start_time = self.start_time.min(at);
            if !self.corrected.has(Corrected::USER_AGENT) {
                self.agent = agent;
            }
            if !self.corrected.has(Corrected::IP_ADDRESS) {
                self.ip_address = Some(announced.ip_address);
            }
        }
        if (first || self.user_id.is_none()) && !self.corrected.has(Corrected::USER_ID) {
            self.user_id.clone_from(&announced.user_id);
        }
        if let Some(end_time) = announced.end_time {
            self.set_end(end_time);
        }
        self.saw(at);
    }

    /// It ended.
    pub fn ended(&mut self, at: DateTime<Utc>) {
        self.set_end(at);
        self.saw(at);
    }

    /// One of its events was recorded; not before that, a session can be written.
    pub fn recorded(&mut self, recorded_at: DateTime<Utc>) {
        self.first_recorded_at = self.first_recorded_at.min(recorded_at);
    }

    /// One of its events occurred.
    pub fn saw(&mut self, at: DateTime<Utc>) {
        self.last_event_at = self.last_event_at.max(at);
    }

    /// The admin corrected it; `agent` is that of the new user agent if there is one. What a correction names is
    /// final, but for the next correction.
    pub fn corrected(&mut self, correction: &SessionCorrected, agent: Option<Agent>) {
        if let Some(agent) = agent {
            self.agent = agent;
            self.corrected.add(Corrected::USER_AGENT);
        }
        if let Some(ip_address) = correction.ip_address {
            self.ip_address = Some(ip_address);
            self.corrected.add(Corrected::IP_ADDRESS);
        }
        if let Some(user_id) = &correction.user_id {
            self.user_id.clone_from(user_id);
            self.corrected.add(Corrected::USER_ID);
        }
        if let Some(end_time) = correction.end_time {
            self.end_time = end_time;
            self.corrected.add(Corrected::END_TIME);
        }
    }

    fn set_end(&mut self, end_time: DateTime<Utc>) {
        if !self.corrected.has(Corrected::END_TIME) {
            self.end_time = Some(end_time);
        }
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
