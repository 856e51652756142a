//! `metadata=key=value` and `metadata__key=value`: contract § 6.

use super::{NUL, Reader};
use crate::condition::Condition;
use serde_json::Value;

/// Digits before and after the point that PostgreSQL's `numeric` holds.
const MAX_INTEGER_DIGITS: i64 = 131_072;
const MAX_FRACTION_DIGITS: i64 = 16_383;

/// Most paths that one request may ask about. Each is a condition of its own: thousands of them would keep the database
/// busy for as long as a statement may take, whatever is in the tables.
const MOST_PATHS: usize = 64;

/// What keys of a path are separated by.
const DESCEND: &str = "__";

impl Reader<'_> {
    pub(super) fn metadata(&mut self) {
        if let Some(value) = self.clean_value("metadata")
            && let Some((key, value)) = value.split_once('=')
        {
            self.add(find(key, value));
        }
        let prefix = format!("metadata{DESCEND}");
        let mut names: Vec<String> =
            self.parameters.names().filter(|name| name.starts_with(&prefix)).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() > MOST_PATHS {
            return self.found.refuse(
                "metadata",
                &format!("Ensure there are no more than {MOST_PATHS} parameters that begin with {prefix}."),
            );
        }
        for name in names {
            let Some(value) = self.clean_value(&name) else { continue };
            if name.contains('\0') {
                self.found.refuse(&name, NUL);
            } else {
                self.add(find(&name[prefix.len()..], &value));
            }
        }
    }
}

fn find(key: &str, value: &str) -> Condition {
    let path = key.split(DESCEND).map(str::to_owned).collect();
    // the text itself, and what it says in JSON when that is a number, true, false or null
    let mut values = vec![Value::from(value).to_string()];
    if is_scalar(value) {
        values.push(value.to_owned());
    } else if let Some(number) = loose_number(value).filter(|number| is_scalar(number)) {
        values.push(number);
    }
    Condition::Metadata { path, values }
}

/// `03`, `.5` and `3.`, which are numbers to the original, as JSON writes them.
fn loose_number(text: &str) -> Option<String> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() + decimals.len() == 0 {
        return None;
    }
    let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
    Some(if decimals.is_empty() { whole.to_owned() } else { format!("{whole}.{decimals}") })
}

/// Whether JSON has this as a value that is no text, and PostgreSQL can hold it.
fn is_scalar(text: &str) -> bool {
    matches!(text, "true" | "false" | "null") || number_digits(text).is_some_and(fits)
}

fn fits((before, after): (i64, i64)) -> bool {
    before <= MAX_INTEGER_DIGITS && after <= MAX_FRACTION_DIGITS
}

/// How many digits a number has before and after the point once it is written without exponent; `None` for what is no
/// number in JSON.
fn number_digits(text: &str) -> Option<(i64, i64)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let rest = text.strip_prefix('-').unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return None;
    }
    let mut rest = &rest[whole..];
    let mut decimals = 0;
    if let Some(behind) = rest.strip_prefix('.') {
        decimals = digits(behind);
        rest = &behind[decimals..];
        if decimals == 0 {
            return None;
        }
    }
    let mut exponent = 0;
    if let Some(behind) = rest.strip_prefix(['e', 'E']) {
        let unsigned = behind.strip_prefix(['+', '-']).unwrap_or(behind);
        if unsigned.is_empty() || digits(unsigned) != unsigned.len() {
            return None;
        }
        let size = unsigned.parse::<i64>().unwrap_or(i64::MAX / 4).min(i64::MAX / 4);
        exponent = if behind.starts_with('-') { -size } else { size };
        rest = "";
    }
    let (whole, decimals) = (i64::try_from(whole).ok()?, i64::try_from(decimals).ok()?);
    rest.is_empty().then(|| ((whole + exponent).max(1), (decimals - exponent).max(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{filters::Narrowing, paging::Parameters, settings::FieldNames};
    use rstest::rstest;

    #[test]
    fn so_many_paths_that_they_would_keep_the_database_busy_are_refused() {
        let errors = |count: usize| {
            let query: Vec<String> = (0..count).map(|number| format!("metadata__{number}=1")).collect();
            let parameters = Parameters::parse(Some(&query.join("&")));
            let resource = service::resource::Resource::Interactions;
            Narrowing::of(resource, &parameters, true, &FieldNames::default(), chrono_tz::Tz::UTC).errors
        };
        assert!(errors(MOST_PATHS).is_empty());
        let errors = errors(MOST_PATHS + 1);
        let told: Vec<_> = errors.iter().collect();
        assert!(matches!(told[..], [("metadata", [message])] if message.contains("no more than 64")), "{told:?}");
    }

    #[rstest]
    #[case("a", "x", &["a"], &[r#""x""#])]
    #[case("a__b", "3", &["a", "b"], &[r#""3""#, "3"])]
    #[case("arr__0", "-1.5e3", &["arr", "0"], &[r#""-1.5e3""#, "-1.5e3"])]
    #[case("a__gt", "null", &["a", "gt"], &[r#""null""#, "null"])]
    #[case("", "True", &[""], &[r#""True""#])]
    #[case("a", "03", &["a"], &[r#""03""#, "3"])]
    #[case("a", "00.50", &["a"], &[r#""00.50""#, "0.50"])]
    #[case("a", ".5", &["a"], &[r#"".5""#, "0.5"])]
    #[case("a", "1.", &["a"], &[r#""1.""#, "1"])]
    #[case("a", ".", &["a"], &[r#"".""#])]
    #[case("a", "", &["a"], &[r#""""#])]
    #[case("a", "1.2.3", &["a"], &[r#""1.2.3""#])]
    #[case("a", "-03", &["a"], &[r#""-03""#])]
    #[case("a", "+3", &["a"], &[r#""+3""#])]
    #[case("a", "1e", &["a"], &[r#""1e""#])]
    #[case("a", "NaN", &["a"], &[r#""NaN""#])]
    #[case("a", "[1]", &["a"], &[r#""[1]""#])]
    #[case("a", "1e400", &["a"], &[r#""1e400""#, "1e400"])]
    #[case("a", "1e131072", &["a"], &[r#""1e131072""#])]
    #[case("a", "1e-16384", &["a"], &[r#""1e-16384""#])]
    #[case("a", "1e99999999999999999999", &["a"], &[r#""1e99999999999999999999""#])]
    #[case("a", "\"q\"", &["a"], &[r#""\"q\"""#])]
    fn a_value_is_looked_for_as_text_and_as_what_it_says(
        #[case] key: &str,
        #[case] value: &str,
        #[case] path: &[&str],
        #[case] values: &[&str],
    ) {
        let Condition::Metadata { path: found_path, values: found } = find(key, value) else { panic!("another") };
        assert_eq!(
            (found_path, found),
            (path.iter().map(ToString::to_string).collect(), values.iter().map(ToString::to_string).collect())
        );
    }
}
