//! Blanks as the original knows them, and patterns for `LIKE`.

/// What the original trims and splits at: Unicode's blanks, and the four separators of ASCII.
pub(crate) fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// Without blanks around it.
pub(crate) fn trimmed(text: &str) -> &str {
    text.trim_matches(is_blank)
}

/// The zeros of the scripts beside ASCII that have decimal digits; the other nine follow each.
#[rustfmt::skip]
const ZEROS: [u32; 65] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
    0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
    0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066,
    0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50,
    0x11DA0, 0x16A60, 0x16AC0, 0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0,
];

/// The value of a decimal digit of any script.
pub(crate) fn digit(character: char) -> Option<i64> {
    if character.is_ascii() {
        return character.to_digit(10).map(i64::from);
    }
    let code = u32::from(character);
    let zero = ZEROS.iter().rev().find(|zero| **zero <= code)?;
    Some(i64::from(code - zero)).filter(|value| *value < 10)
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
    fn digits_are_those_of_every_script() {
        for (of_a_script, value) in [('7', 7), ('٥', 5), ('９', 9), ('\u{1d7d7}', 9), ('\u{1fbf0}', 0)] {
            assert_eq!(digit(of_a_script), Some(value));
        }
        assert!(['a', '²', '½', '五', '\u{66a}'].into_iter().all(|none| digit(none).is_none()));
    }

    #[test]
    fn blanks_of_all_kinds_are_trimmed() {
        assert_eq!(trimmed("\u{a0}\x1f a b\u{2003}\n"), "a b");
    }
}
