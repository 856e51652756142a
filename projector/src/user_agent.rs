//! What a user agent says about itself: the coarse browser of the report's contract, and a finer reading.

use std::sync::{Arc, OnceLock};
use uaparser::{Parser, UserAgentParser};

/// Longest part of a user agent that is looked at, in bytes: nothing of use stands beyond, and the parser's time
/// grows with the length.
const MAX_PARSED_BYTES: usize = 2_000;

/// The coarse browser, by the rules of contract § 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Browser {
    /// `Chrome`, on iOS too.
    Chrome,
    /// `Edge`, the one that calls itself `Edg`.
    Edge,
    /// `Firefox`.
    Firefox,
    /// `Opera`, the one that calls itself `OPR`.
    Opera,
    /// `Safari`.
    Safari,
    /// `Internet Explorer`.
    InternetExplorer,
    /// None of them.
    Unknown,
}

impl Browser {
    /// The name that the report shows and the tables keep.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chrome => "Chrome",
            Self::Edge => "Edge",
            Self::Firefox => "Firefox",
            Self::Opera => "Opera",
            Self::Safari => "Safari",
            Self::InternetExplorer => "Internet Explorer",
            Self::Unknown => "Unknown",
        }
    }

    /// Recognises a browser: case-sensitive, first match wins, a digit or dot must follow the mark.
    pub fn of(user_agent: &str) -> Self {
        let text = beginning(user_agent);
        let versioned =
            |mark: &str| text.match_indices(mark).any(|(at, _)| version_at(text, at + mark.len()).is_some());
        if versioned("Edg/") {
            Self::Edge
        } else if versioned("OPR/") {
            Self::Opera
        } else if versioned("CriOS/") || versioned("Chrome/") {
            Self::Chrome
        } else if versioned("Firefox/") {
            Self::Firefox
        } else if has_safari_version(text) {
            Self::Safari
        } else if has_msie(text) || has_trident(text) {
            Self::InternetExplorer
        } else {
            Self::Unknown
        }
    }
}

/// Where the run of digits and dots that starts at `at` ends, if there is one.
fn version_at(text: &str, at: usize) -> Option<usize> {
    let length = text[at..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    (length > 0).then_some(at + length)
}

/// `Version/17.1 … Safari`.
fn has_safari_version(text: &str) -> bool {
    text.match_indices("Version/")
        .any(|(at, mark)| version_at(text, at + mark.len()).is_some_and(|end| text[end..].contains("Safari")))
}

/// `MSIE 10.0;`.
fn has_msie(text: &str) -> bool {
    text.match_indices("MSIE ")
        .any(|(at, mark)| version_at(text, at + mark.len()).is_some_and(|end| text[end..].starts_with(';')))
}

/// `Trident/7.0; … rv:11.0`.
fn has_trident(text: &str) -> bool {
    text.find("Trident/").is_some_and(|at| {
        let rest = &text[at..];
        rest.match_indices("rv:").any(|(at, mark)| version_at(rest, at + mark.len()).is_some())
    })
}

/// What the user-agent parser tells, `Other` where it knows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Browser or program, such as `Samsung Internet`.
    pub family: String,
    /// Operating system, such as `Android`.
    pub os: String,
    /// Device, such as `iPhone`, or `Spider` for robots.
    pub device: String,
}

/// Reads user agents finely. Built once a process, at its first use: about 30 MB.
#[derive(Clone, Debug)]
pub struct Reader(Arc<UserAgentParser>);

impl Reader {
    /// The process's reader. The first call takes a good part of a second: make it where blocking is allowed.
    pub fn shared() -> Self {
        static SHARED: OnceLock<Reader> = OnceLock::new();
        SHARED
            .get_or_init(|| {
                let regexes = include_bytes!(concat!(env!("OUT_DIR"), "/regexes.yaml"));
                let parser = UserAgentParser::builder().with_unicode_support(false).build_from_bytes(regexes);
                Self(Arc::new(parser.expect("the parser's own expressions compile: a test does it")))
            })
            .clone()
    }

    /// Reads one user agent, by its first 2,000 bytes. Takes up to a millisecond or so.
    pub fn read(&self, user_agent: &str) -> Reading {
        let client = self.0.parse(beginning(user_agent));
        Reading {
            family: client.user_agent.family.into_owned(),
            os: client.os.family.into_owned(),
            device: client.device.family.into_owned(),
        }
    }
}

fn beginning(user_agent: &str) -> &str {
    &user_agent[..user_agent.floor_char_boundary(MAX_PARSED_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
    const SAMSUNG: &str = "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36";
    const FIREFOX_IOS: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/120.0 Mobile/15E148 Safari/605.1.15";

    #[rstest]
    #[case(CHROME, Browser::Chrome)]
    #[case(SAMSUNG, Browser::Chrome)]
    #[case(FIREFOX_IOS, Browser::Unknown)]
    #[case("x Chrome/120.0 Safari/537.36 Edg/120.0", Browser::Edge)]
    #[case("x Chrome/18 Edge/18", Browser::Chrome)]
    #[case("x Chrome/120.0 Safari/537.36 OPR/106.0", Browser::Opera)]
    #[case("x CriOS/120.0 Mobile Safari/604.1", Browser::Chrome)]
    #[case("x Gecko/20100101 Firefox/121.0", Browser::Firefox)]
    #[case("x Version/17.1 Safari/605.1.15", Browser::Safari)]
    #[case("x Safari/605.1.15 Version/17.1", Browser::Unknown)]
    #[case("x Version/ Safari/605", Browser::Unknown)]
    #[case("Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2)", Browser::InternetExplorer)]
    #[case("Mozilla/5.0 (compatible; MSIE 10.0)", Browser::Unknown)]
    #[case("Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", Browser::InternetExplorer)]
    #[case("rv:11.0 Trident/7.0", Browser::Unknown)]
    #[case("Chrome/x Chrome/1", Browser::Chrome)]
    #[case("Chrome/x", Browser::Unknown)]
    #[case("chrome/120", Browser::Unknown)]
    #[case("Firefox/.", Browser::Firefox)]
    #[case("", Browser::Unknown)]
    #[case("日本語 Firefox/日", Browser::Unknown)]
    fn browsers_are_told_apart_by_the_contracts_rules(#[case] user_agent: &str, #[case] browser: Browser) {
        assert_eq!(Browser::of(user_agent), browser);
    }

    #[test]
    fn the_finer_reading_tells_apart_what_the_coarse_one_does_not() {
        let reader = Reader::shared();
        assert_eq!(reader.read(SAMSUNG).family, "Samsung Internet");
        assert_eq!(reader.read(FIREFOX_IOS).family, "Firefox iOS");
        assert_eq!(reader.read(FIREFOX_IOS).device, "iPhone");
        assert_eq!(reader.read("Googlebot/2.1 (+http://www.google.com/bot.html)").device, "Spider");
        assert_eq!(reader.read("").family, "Other");
    }

    #[test]
    fn a_very_long_user_agent_is_read_by_its_beginning() {
        let reader = Reader::shared();
        let long = format!("{CHROME}{}", "é".repeat(100_000));
        assert_eq!(reader.read(&long), reader.read(CHROME));
        assert_eq!(Browser::of(&format!("{}Firefox/1", "é".repeat(2_000))), Browser::Unknown);
    }
}
