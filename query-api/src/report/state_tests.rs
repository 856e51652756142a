use super::*;
use rstest::rstest;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn parse(query: &str) -> Result<State, Problems> {
    State::parse(&Parameters::parse(Some(query)), day("2026-11-25"))
}

#[rstest]
#[case("", "2026-11-19", "2026-11-25")]
#[case("range=", "2026-11-19", "2026-11-25")]
#[case("range=7&unknown=1", "2026-11-19", "2026-11-25")]
#[case("range=today", "2026-11-25", "2026-11-25")]
#[case("range=yesterday", "2026-11-24", "2026-11-24")]
#[case("range=30", "2026-10-27", "2026-11-25")]
#[case("range=90", "2026-08-28", "2026-11-25")]
#[case("from=2026-11-01", "2026-11-01", "2026-11-25")]
#[case("from=2026-03-29&to=2026-03-29", "2026-03-29", "2026-03-29")]
#[case("range=90&from=2026-03-01&to=2026-03-31", "2026-03-01", "2026-03-31")]
fn days_are_chosen_by_name_or_by_date(#[case] query: &str, #[case] first: &str, #[case] last: &str) {
    let window = parse(query).unwrap().window(day("2026-11-25"));
    assert_eq!((window.first, window.last), (day(first), day(last)));
}

#[rstest]
#[case("range=8", "range")]
#[case("range=week", "range")]
#[case("range=-7", "range")]
#[case("from=yesterday", "from")]
#[case("from=2026-02-30", "from")]
#[case("from=2026-11-01&to=1", "to")]
#[case("to=2026-11-01", "from")]
#[case("from=2026-11-02&to=2026-11-01", "from")]
#[case("from=2026-11-02&to=2026-11-26", "to")]
#[case("from=2025-10-21&to=2026-11-25", "from")]
#[case("from=0001-01-01&to=0001-01-02", "from")]
#[case("from=262000-01-01&to=2026-11-25", "from")]
#[case("url=a%00b", "url")]
#[case("search=%00", "search")]
#[case("element=%00", "element")]
#[case("browser=Chrome&os=Windows", "os")]
#[case("compare=yes", "compare")]
#[case("live=%C2%84", "live")]
fn what_makes_no_sense_is_said_beside_its_name(#[case] query: &str, #[case] name: &str) {
    assert_eq!(parse(query).unwrap_err().into_keys().collect::<Vec<_>>(), [name]);
}

#[rstest]
#[case("compare=1&live=true", true)]
#[case("compare=0&live=false", false)]
#[case("compare=&live=+", false)]
fn a_switch_is_on_off_or_left_out(#[case] query: &str, #[case] on: bool) {
    let state = parse(query).unwrap();
    assert_eq!((state.compare, state.live), (on, on));
}

#[test]
fn four_hundred_days_are_the_most() {
    assert_eq!(parse("from=2025-10-22&to=2026-11-25").unwrap().window(day("2026-11-25")).length(), MOST_DAYS);
    let long = "x".repeat(MOST_CHARACTERS);
    assert!(parse(&format!("url={long}")).is_ok());
    assert!(parse(&format!("url={long}y")).is_err());
}

#[rstest]
#[case("")]
#[case("?range=today")]
#[case("?range=yesterday&compare=1&live=1")]
#[case("?range=90&browser=Internet+Explorer")]
#[case("?from=2026-03-01&to=2026-03-31&url=https%3A%2F%2Fa.example%2F%3Fq%3D1%26x&search=%26+%C3%A4")]
#[case("?os=%3Cb%3E&element=%23buy")]
fn an_address_says_all_of_it_and_is_read_back_alike(#[case] query: &str) {
    let state = parse(query.trim_start_matches('?')).unwrap();
    assert_eq!(state.query(), query);
    assert_eq!(parse(state.query().trim_start_matches('?')).unwrap(), state);
}
