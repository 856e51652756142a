//! A budget for each client, by GCRA: N at once, then one more whenever its share of the window has passed.

use super::{rate::Rate, store::Store};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
};
use std::time::Duration;

/// One budget a client, all at the same rate.
pub(super) struct Budgets<C: Clock = DefaultClock> {
    limiter: RateLimiter<u64, Store, C, StateInformationMiddleware>,
    store: Store,
    quota: Quota,
    /// The time in which the whole budget is refilled.
    pub window: Duration,
}

/// Whether a request may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It may, and so many more at once.
    Passes { remaining: u32 },
    /// It may not for so long.
    Waits(Duration),
}

impl Budgets {
    /// For so many clients; none when the rate is off.
    pub fn new(rate: Rate, clients: usize) -> Option<Self> {
        Self::with_clock(rate, clients, DefaultClock::default())
    }

    /// Of another shape than a rate: a burst, and the time in which one more comes back.
    pub fn of_quota(quota: Quota, clients: usize) -> Self {
        Self::build(quota, quota.burst_size_replenished_in(), clients, DefaultClock::default())
    }
}

impl<C: Clock> Budgets<C> {
    /// With this clock.
    pub fn with_clock(rate: Rate, clients: usize, clock: C) -> Option<Self> {
        let (quota, window) = rate.quota()?;
        Some(Self::build(quota, window, clients, clock))
    }

    fn build(quota: Quota, window: Duration, clients: usize, clock: C) -> Self {
        let store = Store::new(clients);
        let limiter = RateLimiter::new(quota, store.clone(), clock);
        Self { limiter, store, quota, window }
    }

    /// How many pass at once.
    pub fn burst(&self) -> u32 {
        self.quota.burst_size().get()
    }

    /// How long until one more may pass after one has.
    pub fn refill(&self) -> Duration {
        self.quota.replenish_interval()
    }

    /// A key for a name.
    pub fn key_of(&self, name: &str) -> u64 {
        self.store.key_of(name)
    }

    /// Asks for one client; what passes is spent.
    pub fn spend(&self, key: u64) -> Outcome {
        if self.store.is_due() {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&key) {
            Ok(state) => Outcome::Passes { remaining: state.remaining_burst_capacity() },
            Err(not_until) => Outcome::Waits(not_until.wait_time_from(self.limiter.clock().now())),
        }
    }

    /// Takes back what was spent once.
    pub fn give_back(&self, key: u64) {
        self.store.give_back(key, self.refill().into());
    }

    #[cfg(test)]
    fn clients(&self) -> usize {
        self.limiter.len()
    }
}

/// Whole seconds, rounded up: after so many, and not before, the moment has come.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;
    use rstest::rstest;

    fn budgets(rate: &str, clients: usize) -> (Budgets<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Budgets::with_clock(rate.parse().unwrap(), clients, clock.clone()).unwrap(), clock)
    }

    fn burst(budgets: &Budgets<FakeRelativeClock>, key: u64) -> usize {
        (0..10_000).take_while(|_| matches!(budgets.spend(key), Outcome::Passes { .. })).count()
    }

    #[rstest]
    #[case("1/second", 1, 1)]
    #[case("30/minute", 30, 2)]
    #[case("7/minute", 7, 9)] // 8.57 s
    #[case("100/minute", 100, 1)] // 0.6 s
    #[case("1/day", 1, 86_400)]
    fn a_burst_passes_and_then_one_whenever_its_share_has_passed(
        #[case] rate: &str,
        #[case] number: usize,
        #[case] seconds: u64,
    ) {
        let (budgets, clock) = budgets(rate, 1_000);
        assert_eq!(burst(&budgets, 1), number);
        let Outcome::Waits(wait) = budgets.spend(1) else { panic!("the burst is spent") };
        assert_eq!(whole_seconds(wait), seconds);
        // asking while it waits costs nothing
        clock.advance(wait.saturating_sub(Duration::from_nanos(1)));
        assert_eq!(budgets.spend(1), Outcome::Waits(Duration::from_nanos(1)));
        clock.advance(Duration::from_nanos(1));
        assert_eq!(burst(&budgets, 1), 1);
        assert_eq!(burst(&budgets, 2), number, "another client has a budget of its own");
    }

    #[test]
    fn what_remains_is_told_and_comes_back() {
        let (budgets, clock) = budgets("30/minute", 1_000);
        assert_eq!(budgets.spend(1), Outcome::Passes { remaining: 29 });
        assert_eq!(budgets.spend(1), Outcome::Passes { remaining: 28 });
        budgets.give_back(1);
        assert_eq!(budgets.spend(1), Outcome::Passes { remaining: 28 });
        clock.advance(Duration::from_mins(1));
        assert_eq!(budgets.spend(1), Outcome::Passes { remaining: 29 }, "never more than the burst");
    }

    #[test]
    fn in_any_minute_nobody_gets_more_than_the_burst_and_the_refill() {
        let (budgets, clock) = budgets("30/minute", 1_000);
        let passed: usize = (0..600)
            .map(|_| {
                clock.advance(Duration::from_millis(100));
                burst(&budgets, 1)
            })
            .sum();
        assert!(passed <= 60, "{passed}");
    }

    #[test]
    fn a_client_is_forgotten_once_its_budget_is_full_again_and_not_before() {
        let (budgets, clock) = budgets("30/minute", 100_000);
        for key in 0..50_000 {
            budgets.spend(key);
        }
        burst(&budgets, 7);
        clock.advance(Duration::from_secs(10));
        for key in 100_000..150_000 {
            budgets.spend(key);
        }
        assert!(budgets.clients() < 70_000, "{}", budgets.clients());
        assert_eq!(burst(&budgets, 7), 5, "five came back in ten seconds; forgetting would have given thirty");
    }

    #[test]
    fn who_comes_when_the_table_is_full_shares_and_gets_no_more_than_the_rate() {
        let (budgets, clock) = budgets("10/hour", 1_000);
        for key in 0..100_000 {
            budgets.spend(key);
        }
        let known = budgets.clients();
        assert!(known <= 1_000, "{known}");
        // a flood of further addresses does not make anybody's budget new
        let attacker = 1_000_000;
        let before = burst(&budgets, attacker);
        assert!(before <= 10, "{before}");
        for key in 200_000..300_000 {
            budgets.spend(key);
        }
        assert_eq!(burst(&budgets, attacker), 0);
        assert_eq!(budgets.clients(), known);
        // all shared budgets together let no more pass than there are of them
        clock.advance(Duration::from_mins(6));
        let passed = (300_000..400_000).filter(|key| matches!(budgets.spend(*key), Outcome::Passes { .. })).count();
        assert!(passed <= 64 * 64 + 1_000, "{passed}");
    }
}
