//! Which sessions there are and what happens in them: a function of the seed. Connections, speed and trouble decide
//! when an event is sent, never which.

mod body;
mod session;
mod words;

pub(crate) use session::{Event, Kind, Session};

use crate::settings::LoadSettings;
use session::Shape;
use std::sync::{Mutex, PoisonError};
use words::Words;

/// All sessions of a run, handed out one after the other.
pub(crate) struct Traffic {
    seed: u64,
    words: Words,
    shape: Shape,
    left: Mutex<Left>,
}

struct Left {
    next_session: u64,
    events: u64,
}

impl Traffic {
    /// `settings.events` events out of `seed`.
    pub fn new(settings: &LoadSettings, seed: u64) -> Self {
        Self {
            seed,
            words: Words::new(),
            shape: Shape {
                page_views_mean: settings.page_views_mean,
                interactions_mean: settings.interactions_mean,
                batched: settings.batch > 1,
            },
            left: Mutex::new(Left { next_session: 0, events: settings.events }),
        }
    }

    /// The next session that nobody has yet; the last one is cut so that the number of events is met.
    pub fn next_session(&self) -> Option<Session> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.events == 0 {
            return None;
        }
        let session = Session::new(self.seed, left.next_session, &self.shape, &self.words, left.events);
        left.next_session += 1;
        left.events -= session.events_left();
        Some(session)
    }

    /// The next event of a session.
    pub fn next_event(&self, session: &mut Session) -> Option<Event> {
        session.next_event(&self.words, &self.shape, chrono::Utc::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::collections::{HashMap, HashSet};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        load: LoadSettings,
    }

    fn events(arguments: &[&str], seed: u64) -> Vec<(String, serde_json::Value, Event)> {
        let settings = Command::parse_from(["load"].iter().chain(arguments)).load;
        let traffic = Traffic::new(&settings, seed);
        let mut events = Vec::new();
        while let Some(mut session) = traffic.next_session() {
            while let Some(event) = traffic.next_event(&mut session) {
                let mut body: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
                // the only thing that comes from a clock
                if let Some(end) = body.get_mut("end_time") {
                    assert!(end.take().is_string());
                }
                events.push((event.session_id.to_string(), body, event));
            }
        }
        events
    }

    #[test]
    fn the_same_seed_gives_the_same_events_and_another_seed_gives_others() {
        let bodies =
            |seed| events(&["--events", "2000"], seed).into_iter().map(|(_, body, _)| body).collect::<Vec<_>>();
        assert_eq!(bodies(7), bodies(7));
        let (one, other) = (bodies(7), bodies(8));
        let ids = |bodies: &[serde_json::Value]| bodies.iter().map(|body| body["event_id"].to_string()).collect();
        let (one, other): (HashSet<String>, HashSet<String>) = (ids(&one), ids(&other));
        assert!(one.is_disjoint(&other));
    }

    #[test]
    fn there_are_exactly_as_many_events_as_asked_for_each_with_an_id_of_its_own() {
        for count in [0_usize, 1, 2, 7, 5_000] {
            let events = events(&["--events", &count.to_string()], 3);
            assert_eq!(events.len(), count);
            let ids: HashSet<_> = events.iter().map(|(_, _, event)| event.event_id).collect();
            assert_eq!(ids.len(), count);
        }
    }

    #[test]
    fn sessions_look_like_those_of_a_real_site() {
        let events = events(&["--events", "50000"], 11);
        let mut sessions: HashMap<&str, Vec<&Event>> = HashMap::new();
        for (session, _, event) in &events {
            sessions.entry(session).or_default().push(event);
        }
        let share = |holds: &dyn Fn(&[&Event]) -> bool| {
            let held = sessions.values().filter(|events| holds(events)).count();
            held * 100 / sessions.len()
        };
        let first = share(&|events| events[0].kind == Kind::Session);
        let never = share(&|events| events.iter().all(|event| event.kind != Kind::Session));
        let ended = share(&|events| events.iter().any(|event| event.body.windows(8).any(|word| word == b"end_time")));
        assert!((70..90).contains(&first) && (3..20).contains(&never) && (20..60).contains(&ended));
        let page_views = events.iter().filter(|(_, _, event)| event.kind == Kind::PageView).count();
        let per_session = page_views * 10 / sessions.len();
        assert!((35..45).contains(&per_session), "{per_session} page views in ten sessions");

        let values = |key: &str| events.iter().filter_map(|(_, body, _)| body[key].as_str()).collect::<HashSet<_>>();
        let kinds: HashSet<_> = schema::InteractionKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(values("event_type"), kinds);
        assert!(values("user_agent").len() > 25);
        assert!(values("ip_address").iter().any(|address| address.contains(':')));
        assert!(values("ip_address").iter().all(|address| address.parse::<std::net::IpAddr>().is_ok()));
        assert!(values("url").iter().all(|url| url::Url::parse(url).is_ok()));
        let mut views: HashMap<&str, usize> = HashMap::new();
        for url in events.iter().filter_map(|(_, body, _)| body["url"].as_str()) {
            *views.entry(url).or_default() += 1;
        }
        let most = views.into_values().max().unwrap_or_default();
        assert!(most > page_views / 20, "a few pages are viewed often, most are viewed rarely");
    }

    #[test]
    fn in_a_batch_every_event_names_its_type() {
        let events = events(&["--events", "5000", "--batch", "100"], 5);
        for (_, body, event) in &events {
            assert_eq!(body["type"], event.kind.as_str());
        }
        assert!(events.iter().any(|(_, _, event)| event.kind == Kind::SessionEnd));
    }
}
