//! `search=` into terms: contract § 5, as the original splits them.

use crate::text::is_blank;

/// The terms of a search, all of which must match; quotes hold blanks and commas together.
pub(crate) fn terms(search: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut rest = search;
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            return terms;
        }
        let (word, after) = rest.split_at(end_of_word(rest));
        rest = after;
        let word = word.trim_matches(',');
        match quoted(word) {
            Some(phrase) => terms.push(phrase),
            None => terms.extend(word.split(',').map(str::to_owned)),
        }
        // what is empty is everywhere
        terms.retain(|term| !term.is_empty());
    }
}

/// Where the word ends that the text begins with: at a blank outside of quotes. A quote that nothing closes is a letter
/// like any other, and so are all from there to the next blank.
fn end_of_word(text: &str) -> usize {
    let (mut end, mut closed) = (0, false);
    while let Some(character) = text[end..].chars().next() {
        if is_blank(character) {
            return end;
        }
        if matches!(character, '"' | '\'') {
            match closing(&text[end..], character) {
                Some(length) => {
                    end += length;
                    closed = true;
                    continue;
                }
                // words with a quoted part end before the open quote, others at the next blank
                None if closed => return end,
                None => return text.find(is_blank).unwrap_or(text.len()),
            }
        }
        end += character.len_utf8();
    }
    end
}

/// The length of the quoted part at the start, quotes included.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a quoted phrase holds, its quotes and backslashes unescaped.
fn quoted(word: &str) -> Option<String> {
    let quote = word.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    if !word.ends_with(quote) {
        return None;
    }
    let inner = word.get(1..word.len() - 1).unwrap_or_default();
    Some(inner.replace(&format!("\\{quote}"), &quote.to_string()).replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", &[])]
    #[case("  , ,, ", &[])]
    #[case("one two", &["one", "two"])]
    #[case("one,two,,three", &["one", "two", "three"])]
    #[case("\"one two\" three", &["one two", "three"])]
    #[case("'one, two'", &["one, two"])]
    #[case(",\"one two\",", &["one two"])]
    #[case("a\"b c\"d e", &["a\"b c\"d", "e"])]
    #[case("it's", &["it's"])]
    #[case("it's bob's", &["it's bob's"])]
    #[case("\"open phrase", &["\"open", "phrase"])]
    #[case("\"a\"b\" c", &["\"a\"b", "c"])]
    #[case("a\"b\"c'd e", &["a\"b\"c", "'d", "e"])]
    #[case("x'y \"p q\" z'", &["x'y \"p q\" z'"])]
    #[case("\"\"", &[])]
    #[case("\"", &[])]
    #[case(r#""a\"b""#, &["a\"b"])]
    #[case(r#""a\\b""#, &[r"a\b"])]
    #[case(r"a\b %_", &[r"a\b", "%_"])]
    #[case("\u{a0}é\u{3000}ü", &["é", "ü"])]
    fn a_search_is_split_as_the_original_splits_it(#[case] search: &str, #[case] expected: &[&str]) {
        assert_eq!(terms(search), expected);
    }
}
