//! JSON as people read it.

/// A text that grows beyond this is better read as it is.
const MOST: usize = 256 * 1024;

/// The same JSON with a line for each value and two blanks a level. Numbers and texts stay to the letter, which a parser
/// would not promise. What is no JSON, or would become too long, comes back as it is.
pub(super) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut characters = json.chars().peekable();
    while let Some(character) = characters.next() {
        if out.len() > MOST {
            return json.to_owned();
        }
        match character {
            '"' => {
                out.push('"');
                while let Some(inside) = characters.next() {
                    out.push(inside);
                    match inside {
                        '\\' => out.extend(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(character);
                while characters.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = characters.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(character);
            }
            ',' => {
                out.push(',');
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("{}", "{}")]
    #[case("[ ]", "[]")]
    #[case("null", "null")]
    #[case(
        r#"{"a":1,"b":[true,{"c":"d, {e}: \"f\\"}]}"#,
        "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    {\n      \"c\": \"d, {e}: \\\"f\\\\\"\n    }\n  ]\n}"
    )]
    #[case("[123456789012345678901234567890, 1e-16]", "[\n  123456789012345678901234567890,\n  1e-16\n]")]
    fn values_stand_in_lines_of_their_own(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty(expected), expected, "it is stable");
    }

    #[test]
    fn what_would_grow_too_long_stays_as_it_is() {
        let deep = format!("{}{}{}", "[".repeat(120), vec!["1"; 3_000].join(","), "]".repeat(120));
        assert_eq!(pretty(&deep), deep);
    }

    #[test]
    fn what_is_no_json_does_no_harm() {
        for text in ["", "\"", "\"\\", "]]}}", "{", "ä"] {
            pretty(text);
        }
    }
}
