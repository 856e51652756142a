//! Attempts to sign in: those that fail are counted, for the account and for the address.

use super::{
    budgets::{Budgets, Outcome},
    key_of_address, retry_after,
};
use governor::Quota;
use std::{net::IpAddr, num::NonZeroU32, time::Duration};

/// Failed attempts for one account at once; one more each minute. Enough for a person, 1,450 guesses a day for others.
const PER_ACCOUNT: (u32, Duration) = (10, Duration::from_mins(1));

/// Failed attempts from one address at once; one more each ten seconds.
const PER_ADDRESS: (u32, Duration) = (20, Duration::from_secs(10));

/// Accounts and addresses that are counted one by one at most; 1.2 MB for each of the two.
const KNOWN: usize = 65_536;

/// The failed attempts of this process.
pub struct Attempts {
    accounts: Budgets,
    addresses: Budgets,
}

impl Default for Attempts {
    fn default() -> Self {
        let budgets = |(burst, each): (u32, Duration)| {
            let quota = Quota::with_period(each).expect("the period is not zero");
            let burst = NonZeroU32::new(burst).expect("the burst is not zero");
            Budgets::of_quota(quota.allow_burst(burst), KNOWN)
        };
        Self { accounts: budgets(PER_ACCOUNT), addresses: budgets(PER_ADDRESS) }
    }
}

impl Attempts {
    /// Before the password is looked at: counts as failed until [`did_not_fail`](Self::did_not_fail) says otherwise, so that
    /// many attempts at the same moment are not more than one after the other. Whether there is such an account makes
    /// no difference.
    ///
    /// # Errors
    /// Seconds to wait, for `Retry-After`.
    pub fn begin(&self, account: &str, address: IpAddr) -> Result<(), u64> {
        let from = key_of_address(address);
        if let Outcome::Waits(wait) = self.addresses.spend(from) {
            return Err(retry_after(wait));
        }
        if let Outcome::Waits(wait) = self.accounts.spend(self.accounts.key_of(account)) {
            return Err(retry_after(wait));
        }
        Ok(())
    }

    /// The attempt did not fail: the password was right, or nobody could look. What failed before still counts: whoever guesses gains nothing when the owner comes.
    pub fn did_not_fail(&self, account: &str, address: IpAddr) {
        self.addresses.give_back(key_of_address(address));
        self.accounts.give_back(self.accounts.key_of(account));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    #[test]
    fn failures_are_counted_by_account_from_wherever_they_come() {
        let attempts = Attempts::default();
        assert!((0..10).all(|n| attempts.begin("ann", address(n)).is_ok()));
        let wait = attempts.begin("ann", address(99)).unwrap_err();
        assert!((1..=60).contains(&wait), "{wait}");
        assert!(attempts.begin("bob", address(99)).is_ok());
    }

    #[test]
    fn failures_are_counted_by_address_whatever_the_account() {
        let attempts = Attempts::default();
        assert!((0..20).all(|n| attempts.begin(&format!("account {n}"), address(1)).is_ok()));
        assert!((1..=10).contains(&attempts.begin("another", address(1)).unwrap_err()));
        assert!(attempts.begin("another", address(2)).is_ok());
    }

    #[test]
    fn success_costs_nothing() {
        let attempts = Attempts::default();
        for _ in 0..100 {
            attempts.begin("ann", address(1)).unwrap();
            attempts.did_not_fail("ann", address(1));
        }
    }
}
