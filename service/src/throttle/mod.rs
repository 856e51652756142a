//! Throttling: one budget a client over the resources and `/batch/` (contract § 7), and one for attempts to sign in.
//!
//! Budgets are kept in this process: services that run apart, or several of one kind, keep one each.

mod attempts;
mod budgets;
mod rate;
mod store;

pub use attempts::Attempts;
pub use rate::{Rate, Unit};

use crate::{
    access::{Identity, Role},
    http::Problem,
    resource::Resource,
    target::Target,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use budgets::{Budgets, Outcome, whole_seconds};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Addresses with a budget of their own at most (rounded down to 917,504): 19 MB when all are taken.
const ADDRESSES: usize = 1_000_000;

/// Names with a budget of their own at most; only the operator makes them.
const NAMES: usize = 16_384;

/// What is left to spend, and when there will be more.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// The rate that holds for the client.
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

crate::per_resource! {
    /// Whether requests are throttled
    pub struct ThrottleSwitch("throttle", "THROTTLE"): bool = "true";
}

/// How often one client may ask.
#[derive(Clone, Debug, clap::Args)]
pub struct ThrottleSettings {
    /// Requests of one client to the resources: a number a second, minute, hour or day, or off
    #[arg(long, env = "FOOTFALL_THROTTLE_BASE", default_value = "30/minute")]
    pub throttle_base: Rate,
    /// The same for staff
    #[arg(long, env = "FOOTFALL_THROTTLE_STAFF", default_value = "100/minute")]
    pub throttle_staff: Rate,
    /// Which resources are throttled.
    #[command(flatten)]
    pub throttle: ThrottleSwitch,
}

/// The budgets of all clients of a process. Clones are the same ones.
#[derive(Clone)]
pub struct Throttle(Arc<Inner>);

struct Inner {
    on: [bool; 3],
    addresses: Option<Budgets>,
    names: Option<Budgets>,
    staff: Option<Budgets>,
}

impl Throttle {
    /// Nobody has asked yet.
    pub fn new(settings: &ThrottleSettings) -> Self {
        Self(Arc::new(Inner {
            on: Resource::ALL.map(|resource| settings.throttle.get(resource)),
            addresses: Budgets::new(settings.throttle_base, ADDRESSES),
            names: Budgets::new(settings.throttle_base, NAMES),
            staff: Budgets::new(settings.throttle_staff, NAMES),
        }))
    }

    /// Spends one request of this client's budget. The headers that its answer is to have, or 429.
    pub fn spend(&self, target: Target, identity: &Identity, address: IpAddr) -> Result<HeaderMap, Problem> {
        if !self.is_on(target) {
            return Ok(HeaderMap::new());
        }
        let (budgets, policy) = match (&identity.name, identity.role) {
            (Some(_), Role::Staff) => (&self.0.staff, "staff"),
            (Some(_), _) => (&self.0.names, "base"),
            (None, _) => (&self.0.addresses, "base"),
        };
        let Some(budgets) = budgets else { return Ok(HeaderMap::new()) };
        let key = identity.name.as_ref().map_or_else(|| key_of_address(address), |name| budgets.key_of(name));
        let mut headers = HeaderMap::new();
        let quota = format!("\"{policy}\";q={};w={}", budgets.burst(), budgets.window.as_secs());
        put(&mut headers, RATE_LIMIT_POLICY, &quota);
        match budgets.spend(key) {
            Outcome::Passes { remaining } => {
                let more_in = whole_seconds(budgets.refill());
                put(&mut headers, RATE_LIMIT, &format!("\"{policy}\";r={remaining};t={more_in}"));
                Ok(headers)
            }
            Outcome::Waits(wait) => {
                let seconds = whole_seconds(wait).max(1);
                put(&mut headers, RATE_LIMIT, &format!("\"{policy}\";r=0;t={seconds}"));
                let mut problem = throttled(seconds);
                problem.headers.extend(headers.into_iter().filter_map(|(name, value)| Some((name?, value))));
                Err(problem)
            }
        }
    }

    fn is_on(&self, target: Target) -> bool {
        match target.resource() {
            Some(resource) => self.0.on[resource as usize],
            // a batch may be for any of them
            None => self.0.on.contains(&true),
        }
    }
}

/// 429 in the words of the original.
fn throttled(seconds: u64) -> Problem {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let detail = format!("Request was throttled. Expected available in {seconds} {unit}.");
    Problem::detail(StatusCode::TOO_MANY_REQUESTS, detail).with(header::RETRY_AFTER, seconds.into())
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// IPv4 as it is, IPv6 by its /64: whoever has one address of a /64 has all of them. No IPv6 network that is given to
/// anybody begins with 32 zero bits, so the two never meet.
fn key_of_address(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or_default(),
    }
}

/// How long to wait, for a `Retry-After`: whole seconds, at least one.
fn retry_after(wait: Duration) -> u64 {
    whole_seconds(wait).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        throttle: ThrottleSettings,
    }

    fn throttle(arguments: &[&str]) -> Throttle {
        Throttle::new(&Command::try_parse_from([&["x"], arguments].concat()).unwrap().throttle)
    }

    fn somebody(name: &str, role: Role) -> Identity {
        Identity { role, name: Some(name.into()), ..Identity::default() }
    }

    const SESSIONS: Target = Target::List(Resource::Sessions);
    const VIEWS: Target = Target::List(Resource::PageViews);

    fn passed(throttle: &Throttle, target: Target, identity: &Identity, address: &str) -> usize {
        let address = address.parse().unwrap();
        (0..1_000).take_while(|_| throttle.spend(target, identity, address).is_ok()).count()
    }

    #[test]
    fn one_budget_for_all_resources_and_the_batch() {
        let (throttle, nobody) = (throttle(&["--throttle-base", "4/hour"]), Identity::default());
        let address = [192, 0, 2, 1].into();
        for target in [SESSIONS, VIEWS, Target::Detail(Resource::Interactions), Target::Batch] {
            assert!(throttle.spend(target, &nobody, address).is_ok());
        }
        let problem = throttle.spend(SESSIONS, &nobody, address).unwrap_err();
        assert_eq!(problem.status, 429);
        let header = |name: &str| problem.headers.iter().find(|(found, _)| found == name).unwrap().1.clone();
        assert_eq!(header("retry-after"), "900");
        assert_eq!(header("ratelimit"), r#""base";r=0;t=900"#);
        assert_eq!(header("ratelimit-policy"), r#""base";q=4;w=3600"#);
        let detail = "Request was throttled. Expected available in 900 seconds.";
        assert_eq!(problem.body, serde_json::json!({ "detail": detail }));
        assert_eq!(throttled(1).body["detail"], "Request was throttled. Expected available in 1 second.");
    }

    #[test]
    fn the_headers_tell_what_is_left() {
        let headers = throttle(&[]).spend(SESSIONS, &Identity::default(), [192, 0, 2, 1].into()).unwrap();
        assert_eq!(headers["ratelimit-policy"], r#""base";q=30;w=60"#);
        assert_eq!(headers["ratelimit"], r#""base";r=29;t=2"#);
    }

    #[test]
    fn a_client_is_its_name_else_its_address_and_a_whole_ipv6_network_is_one() {
        let throttle = throttle(&["--throttle-base", "3/hour", "--throttle-staff", "5/hour"]);
        let (nobody, ann) = (Identity::default(), somebody("ann", Role::User));
        assert_eq!(passed(&throttle, SESSIONS, &nobody, "2001:db8::1"), 3);
        assert_eq!(passed(&throttle, SESSIONS, &nobody, "2001:db8::ffff:2"), 0);
        assert_eq!(passed(&throttle, SESSIONS, &nobody, "2001:db8:0:1::1"), 3);
        assert_eq!(passed(&throttle, SESSIONS, &nobody, "192.0.2.1"), 3);
        assert_eq!(passed(&throttle, SESSIONS, &nobody, "::ffff:192.0.2.1"), 0);
        assert_eq!(passed(&throttle, SESSIONS, &ann, "192.0.2.1"), 3);
        assert_eq!(passed(&throttle, SESSIONS, &ann, "198.51.100.1"), 0);
        assert_eq!(passed(&throttle, SESSIONS, &somebody("bob", Role::Staff), "192.0.2.1"), 5);
    }

    #[test]
    fn it_can_be_off_for_everybody_for_staff_or_for_a_resource() {
        let nobody = Identity::default();
        assert_eq!(passed(&throttle(&["--throttle-base", "off"]), SESSIONS, &nobody, "192.0.2.1"), 1_000);
        let staff_free = throttle(&["--throttle-staff", "off"]);
        assert_eq!(passed(&staff_free, SESSIONS, &somebody("bob", Role::Staff), "192.0.2.1"), 1_000);
        assert_eq!(passed(&staff_free, SESSIONS, &nobody, "192.0.2.1"), 30);
        let sessions_free = throttle(&["--sessions-throttle", "false"]);
        assert_eq!(passed(&sessions_free, SESSIONS, &nobody, "192.0.2.1"), 1_000);
        assert_eq!(passed(&sessions_free, VIEWS, &nobody, "192.0.2.1"), 30, "what is free costs nothing");
        let views_alone = throttle(&["--throttle", "false", "--pageviews-throttle", "true"]);
        assert_eq!(passed(&views_alone, Target::Batch, &nobody, "192.0.2.1"), 30);
        assert_eq!(passed(&throttle(&["--throttle", "false"]), Target::Batch, &nobody, "192.0.2.1"), 1_000);
    }
}
