//! The `charset` of a body. UTF-8 unless a known one is named, as in the original.

use encoding_rs::Encoding;
use std::borrow::Cow;

/// How text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// The first 128 characters alone, and not what browsers take the name for (windows-1252).
    Ascii,
    /// The first 256 characters of Unicode, and not what browsers take the name for (windows-1252 again).
    Latin1,
    Other(&'static Encoding),
}

impl Charset {
    /// By its name; an unknown one is UTF-8.
    pub fn named(label: &str) -> Self {
        let name = label.trim().to_ascii_lowercase().replace('_', "-");
        if ["latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1"].contains(&name.as_str()) {
            return Self::Latin1;
        }
        if ["ascii", "us-ascii", "646"].contains(&name.as_str()) {
            return Self::Ascii;
        }
        match Encoding::for_label_no_replacement(name.as_bytes()) {
            Some(encoding) if encoding != encoding_rs::UTF_8 => Self::Other(encoding),
            _ => Self::Utf8,
        }
    }

    /// The text, or why it is none.
    pub fn strict(self, bytes: &[u8]) -> Result<Cow<'_, str>, String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|error| error.to_string()),
            Self::Ascii if !bytes.is_ascii() => Err("the body is no ASCII".to_owned()),
            Self::Ascii | Self::Latin1 => Ok(encoding_rs::mem::decode_latin1(bytes)),
            Self::Other(encoding) => {
                let (text, broken) = encoding.decode_with_bom_removal(bytes);
                if broken { Err(format!("the body is no {}", encoding.name())) } else { Ok(text) }
            }
        }
    }

    /// The text, with U+FFFD for what is none.
    pub fn lossy(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes),
            Self::Ascii => {
                bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' }).collect()
            }
            Self::Latin1 => encoding_rs::mem::decode_latin1(bytes),
            Self::Other(encoding) => encoding.decode_without_bom_handling(bytes).0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("", b"\xc3\xa9", Some("é"))]
    #[case("UTF-8", b"\xe9", None)]
    #[case("no-such-charset", b"\xe9", None)]
    #[case("latin-1", b"\xe9\x80", Some("é\u{80}"))]
    #[case("ISO_8859-1", b"\xe9", Some("é"))]
    #[case("us-ascii", b"\xe9", None)]
    #[case("ascii", b"e", Some("e"))]
    #[case("utf-16", b"\xff\xfe{\0}\0", Some("{}"))]
    #[case("shift_jis", b"\x83A", Some("ア"))]
    #[case("shift_jis", b"\x83", None)]
    fn a_charset_is_known_by_its_name(#[case] label: &str, #[case] bytes: &[u8], #[case] text: Option<&str>) {
        assert_eq!(Charset::named(label).strict(bytes).ok().as_deref(), text);
    }
}
