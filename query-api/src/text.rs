//! Blanks as the original knows them, and patterns for `LIKE`.

/// What the original trims and splits at: Unicode's blanks, and the four separators of ASCII.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Without blanks around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// Where a text has to stand in another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Anywhere,
    Start,
    End,
}

/// A pattern for `LIKE` that takes every character of the text as itself.
pub(crate) fn pattern(part: Part, text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    if part != Part::Start {
        pattern.push('%');
    }
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    if part != Part::End {
        pattern.push('%');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_pattern_is_itself() {
        assert_eq!(pattern(Part::Anywhere, r"50%_\x"), r"%50\%\_\\x%");
        assert_eq!((pattern(Part::Start, "a").as_str(), pattern(Part::End, "a").as_str()), ("a%", "%a"));
    }

    #[test]
    fn blanks_of_all_kinds_are_trimmed() {
        assert_eq!(trimmed("\u{a0}\x1f a b\u{2003}\n"), "a b");
    }
}
