//! Bytes that may be no text, for the eye.

use std::fmt::Write;

/// Bytes that a page shows.
const MOST: usize = 64 * 1024;

/// Bytes of a line of the dump.
const LINE: usize = 16;

/// Bytes as they are shown.
pub(super) struct Raw {
    pub text: String,
    /// They are no UTF-8, and shown in hexadecimal.
    pub hex: bool,
    /// How many are not shown.
    pub left_out: usize,
}

impl Raw {
    pub fn of(bytes: &[u8]) -> Self {
        let shown = &bytes[..bytes.len().min(MOST)];
        let left_out = bytes.len() - shown.len();
        match std::str::from_utf8(shown) {
            Ok(text) => Self { text: visible(text), hex: false, left_out },
            // cut within a character, and text before it
            Err(error) if left_out > 0 && error.error_len().is_none() => {
                let text = String::from_utf8_lossy(&shown[..error.valid_up_to()]);
                Self { text: visible(&text), hex: false, left_out: bytes.len() - error.valid_up_to() }
            }
            Err(_) => Self { text: dump(shown), hex: true, left_out },
        }
    }
}

/// Text with what cannot be seen written out.
fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        let hidden = character.is_control() && character != '\n' && character != '\t';
        let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden || turns {
            let _infallible = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    out
}

fn dump(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 5);
    for (line, chunk) in bytes.chunks(LINE).enumerate() {
        let _infallible = write!(out, "{:08x} ", line * LINE);
        for byte in chunk {
            let _infallible = write!(out, " {byte:02x}");
        }
        out.push_str(&"   ".repeat(LINE - chunk.len()));
        out.push_str("  ");
        out.extend(
            chunk.iter().map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' }),
        );
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_text_and_other_bytes_are_a_dump() {
        let raw = Raw::of("{\"a\": \"é\u{202e}\u{7}\"}\n".as_bytes());
        assert_eq!((raw.text.as_str(), raw.hex), ("{\"a\": \"é\\u{202e}\\u{7}\"}\n", false));
        let raw = Raw::of(b"\xff<b>");
        assert!(
            raw.hex && raw.text.starts_with("00000000  ff 3c 62 3e") && raw.text.ends_with(".<b>\n"),
            "{}",
            raw.text
        );
    }

    #[test]
    fn a_large_record_is_shown_in_part() {
        let raw = Raw::of("é".repeat(MOST).as_bytes());
        assert_eq!((raw.hex, raw.left_out), (false, MOST));
        let odd = Raw::of(format!("a{}", "é".repeat(MOST)).as_bytes());
        assert_eq!((odd.hex, odd.left_out), (false, MOST + 2));
    }
}
