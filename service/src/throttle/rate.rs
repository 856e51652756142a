//! How much one client may ask: `number/unit`, or `off`.

use governor::Quota;
use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

/// Largest number of a rate: its refill is still told apart by the clock.
const MAX_NUMBER: u32 = 1_000_000;

/// A rate of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// No limit.
    Off,
    /// So many in a unit of time.
    Of(NonZeroU32, Unit),
}

/// A unit of time in a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day.
    Day,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Second, Self::Minute, Self::Hour, Self::Day];

    /// Its length.
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }

    /// What it is called, the name it is shown by first; the shorter ones are those of the original's rates.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Second => &["second", "seconds", "sec", "s"],
            Self::Minute => &["minute", "minutes", "min", "m"],
            Self::Hour => &["hour", "hours", "h"],
            Self::Day => &["day", "days", "d"],
        }
    }

    fn name(self) -> &'static str {
        self.words()[0]
    }
}

impl Rate {
    /// The number in a burst, and the time in which as many are refilled, one after the other.
    pub(super) fn quota(self) -> Option<(Quota, Duration)> {
        let Self::Of(number, unit) = self else { return None };
        let window = unit.duration();
        // rounded up, so that the refill is never faster than the rate
        let nanos = window.as_nanos().div_ceil(u128::from(number.get()));
        let each = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Some((Quota::with_period(each)?.allow_burst(number), window))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let parse = || {
            let (number, unit) = text.split_once('/')?;
            let number: NonZeroU32 = number.parse().ok().filter(|number: &NonZeroU32| number.get() <= MAX_NUMBER)?;
            Some(Self::Of(number, Unit::ALL.into_iter().find(|known| known.words().contains(&unit))?))
        };
        parse().ok_or_else(|| {
            format!(
                "{text:?} is no rate; for example 30/minute (1 to {MAX_NUMBER} a second, minute, hour or day), or off"
            )
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Of(number, unit) => write!(f, "{number}/{}", unit.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("off")]
    #[case("1/second")]
    #[case("30/minute")]
    #[case("100/hour")]
    #[case("1000000/day")]
    fn a_rate_is_read_as_it_is_shown(#[case] text: &str) {
        assert_eq!(text.parse::<Rate>().unwrap().to_string(), text);
    }

    #[rstest]
    #[case("3/min", "3/minute")]
    #[case("3/s", "3/second")]
    #[case("3/hours", "3/hour")]
    #[case("3/d", "3/day")]
    fn the_units_of_the_original_have_shorter_names(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(text.parse::<Rate>().unwrap().to_string(), shown);
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["", "30", "0/minute", "-1/minute", "30/fortnight", "30/month", "1.5/second", "1000001/day", "Off"]
        {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_refill_is_never_faster_than_the_rate() {
        let (quota, window) = "7/second".parse::<Rate>().unwrap().quota().unwrap();
        assert_eq!((quota.burst_size().get(), window), (7, Duration::from_secs(1)));
        assert!(quota.replenish_interval() * 7 >= window);
    }
}
