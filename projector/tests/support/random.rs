//! Random events of all types.

use super::*;
use rand::{RngExt, rngs::StdRng};
use schema::{InteractionCorrected, PageViewCorrected, SessionCorrected};

/// So few that they meet in every way.
const SESSIONS: u32 = 12;

/// Around the ends of summer time of Europe, America and Australia.
fn moment(random: &mut StdRng) -> i64 {
    let changes = ["2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-11-01T06:00:00Z", "2026-10-03T16:00:00Z"];
    let change: chrono::DateTime<chrono::Utc> = changes[random.random_range(0..changes.len())].parse().unwrap();
    (change - at(0)).num_seconds() + random.random_range(-100_000..100_000)
}

fn event(random: &mut StdRng, made: &[i64]) -> Event {
    let user_agents = [FIREFOX, CHROME, "curl/8.5.0", ""];
    let end = |random: &mut StdRng| Some(at(moment(random))).filter(|_| random.random_bool(0.7));
    let any = |random: &mut StdRng| made.get(random.random_range(0..made.len().max(1))).copied().unwrap_or(77);
    let kind = InteractionKind::ALL[random.random_range(0..InteractionKind::ALL.len())];
    let url = format!("http://a.example/{}", random.random_range(0..6));
    match random.random_range(0..40) {
        0..6 => Event::SessionAnnounced(SessionAnnounced {
            user_agent: user_agents[random.random_range(0..3)].into(),
            ip_address: [10, 0, 0, 1].into(),
            user_id: Some("ann".into()).filter(|_| random.random()),
            end_time: end(random),
        }),
        6..9 => Event::SessionEnded,
        9..11 => Event::SessionCorrected(SessionCorrected {
            user_agent: Some(user_agents[random.random_range(0..4)].into()).filter(|_| random.random()),
            end_time: Some(end(random)).filter(|_| random.random()),
            user_id: Some(Some("eve".into()).filter(|_| random.random())).filter(|_| random.random()),
            ip_address: Some([10, 0, 0, 2].into()).filter(|_| random.random()),
        }),
        11 => Event::SessionDeleted,
        12..14 => Event::PageViewCorrected(PageViewCorrected { id: any(random), url }),
        14..16 => Event::InteractionCorrected(InteractionCorrected {
            id: any(random),
            kind: Some(kind).filter(|_| random.random()),
            element: Some(url).filter(|_| random.random()),
            metadata: Some(metadata(random)).filter(|_| random.random()),
        }),
        16..18 => Event::PageViewDeleted { id: any(random) },
        18..20 => Event::InteractionDeleted { id: any(random) },
        20..30 => page_view("s", 0, &url).event,
        _ => interaction("s", 0, kind, metadata(random).get()).event,
    }
}

/// The same values in other words, and others.
fn metadata(random: &mut StdRng) -> Box<RawValue> {
    let texts =
        ["{}", r#"{"a":1,"b":[1.50,null]}"#, r#"{ "b": [1.5, null], "a": 1e0, "a": 1 }"#, r#""\u00e4""#, "-0.0"];
    RawValue::from_string(texts[random.random_range(0..texts.len())].to_owned()).unwrap()
}

/// Any event, at a time near a change of the clocks. `made` are the ids of the events before.
pub fn any_envelope(random: &mut StdRng, made: &[i64]) -> Envelope {
    let session = format!("s{}", random.random_range(0..SESSIONS));
    let mut envelope = envelope(&session, moment(random), event(random, made));
    // time goes on, with less than a day of disorder: what is further out of order may be forgotten already
    let hours = i64::try_from(made.len() / 5).unwrap() + random.random_range(0..20);
    envelope.recorded_at = at(0) + TimeDelta::hours(hours);
    if random.random_bool(0.3) {
        envelope = given(envelope, random.random_range(0..40));
    }
    envelope
}
