use super::{body::Body, words::Words};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use uuid::Uuid;

/// Most page views of a session, and most interactions after one of them: so a session is bounded in memory.
const MAX_REPETITIONS: u32 = 500;

/// What an event is sent as: the resource, or the `type` in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) enum Kind {
    /// An announcement; also the end of a session, where it is told by announcing it again with an `end_time`.
    #[serde(rename = "session")]
    Session,
    #[serde(rename = "pageview")]
    PageView,
    #[serde(rename = "interaction")]
    Interaction,
    #[serde(rename = "session_end")]
    SessionEnd,
}

impl Kind {
    /// As the contract (§ 12) writes it in a batch.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::PageView => "pageview",
            Self::Interaction => "interaction",
            Self::SessionEnd => "session_end",
        }
    }
}

/// An event that is ready to be sent, as often as it takes.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "`event_id` is what the contract calls it")]
pub(crate) struct Event {
    pub event_id: Uuid,
    pub session_id: Arc<str>,
    pub kind: Kind,
    /// What the session's browser calls itself.
    pub user_agent: &'static str,
    /// A JSON object.
    pub body: Bytes,
}

/// How long sessions are, and how their events are written.
pub(crate) struct Shape {
    pub page_views_mean: f64,
    pub interactions_mean: f64,
    pub batched: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Announce,
    ViewPage,
    Interact,
    End,
}

/// A session and what is still to happen in it.
pub(crate) struct Session {
    id: Arc<str>,
    user_agent: &'static str,
    address: IpAddr,
    user: Option<u32>,
    random: StdRng,
    steps: std::vec::IntoIter<Step>,
}

impl Session {
    /// The session number `index` of the run with this seed, with `at_most` events.
    pub fn new(seed: u64, index: u64, shape: &Shape, words: &Words, at_most: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut steps = steps(shape, &mut random);
        steps.truncate(usize::try_from(at_most).unwrap_or(usize::MAX));
        Self {
            id: format!("load-{seed:016x}-{index}").into(),
            user_agent: words.user_agent(&mut random),
            address: address(&mut random),
            user: random.random_bool(0.3).then(|| random.random_range(1..100_000)),
            random,
            steps: steps.into_iter(),
        }
    }

    /// How many events it still has.
    pub fn events_left(&self) -> u64 {
        self.steps.len() as u64
    }

    /// What happens next in it, if anything does. `now` is when it ends, should that be what happens.
    pub fn next_event(&mut self, words: &Words, shape: &Shape, now: DateTime<Utc>) -> Option<Event> {
        let step = self.steps.next()?;
        let event_id = uuid::Builder::from_random_bytes(self.random.random()).into_uuid();
        let kind = match step {
            Step::ViewPage => Kind::PageView,
            Step::Interact => Kind::Interaction,
            Step::End if shape.batched => Kind::SessionEnd,
            Step::Announce | Step::End => Kind::Session,
        };
        let mut body = Body::new(shape.batched.then_some(kind), &self.id, event_id);
        match kind {
            Kind::PageView => body.page_view(words.url(&mut self.random)),
            Kind::Interaction => body.interaction(words.element(&mut self.random), &mut self.random),
            Kind::Session => {
                let end = (step == Step::End).then_some(now);
                body.session(self.user_agent, self.address, self.user, end);
            }
            Kind::SessionEnd => {}
        }
        let (session_id, user_agent) = (self.id.clone(), self.user_agent);
        Some(Event { event_id, session_id, kind, user_agent, body: body.finish() })
    }
}

fn steps(shape: &Shape, random: &mut StdRng) -> Vec<Step> {
    let mut steps = Vec::with_capacity(16);
    // a geometric number of at least one, and one of at least none
    let more_pages = 1.0 - 1.0 / shape.page_views_mean;
    let more_interactions = shape.interactions_mean / (1.0 + shape.interactions_mean);
    for page in 0..MAX_REPETITIONS {
        if page > 0 && !random.random_bool(more_pages) {
            break;
        }
        steps.push(Step::ViewPage);
        for _ in 0..MAX_REPETITIONS {
            if !random.random_bool(more_interactions) {
                break;
            }
            steps.push(Step::Interact);
        }
    }
    let announced_at = match random.random_range(0..100) {
        0..80 => Some(0),
        80..90 => Some(random.random_range(1..=steps.len())),
        _ => None,
    };
    if let Some(at) = announced_at {
        steps.insert(at, Step::Announce);
        if random.random_bool(0.4) {
            steps.push(Step::End);
        }
    }
    steps
}

fn address(random: &mut StdRng) -> IpAddr {
    let bits = random.next_u32();
    if random.random_bool(0.7) {
        let [_, b, c, d] = bits.to_be_bytes();
        // the first part of networks that people have at home or in their pocket
        IpAddr::V4(Ipv4Addr::new(random.random_range(77..=95), b, c, d))
    } else {
        let network = 0x2a02_0000_u128 << 96 | u128::from(bits) << 64;
        IpAddr::V6(Ipv6Addr::from_bits(network | u128::from(random.next_u64())))
    }
}
