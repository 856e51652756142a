//! What a value has to be, one file a kind: raw JSON in, a value or the contract's messages out. Pure functions.

pub(crate) mod address;
pub(crate) mod metadata;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod url;

pub(crate) const REQUIRED: &str = "This field is required.";
pub(crate) const NULL: &str = "This field may not be null.";
pub(crate) const BLANK: &str = "This field may not be blank.";
pub(crate) const NUL: &str = "Null characters are not allowed.";

/// Messages about one field, in the order in which they are shown.
pub(crate) type Messages = Vec<String>;

/// One message.
pub(crate) fn message<T>(text: impl Into<String>) -> Result<T, Messages> {
    Err(vec![text.into()])
}

/// The text of a JSON string, and the first lone surrogate in it; the text has U+FFFD in the place of each.
pub(crate) fn string(json: &str) -> (String, Option<u32>) {
    if let Ok(text) = serde_json::from_str(json) {
        return (text, None);
    }
    let (mended, surrogate) = text::without_lone_surrogates(json);
    (serde_json::from_str(&mended).unwrap_or_default(), surrogate)
}

/// What the contract says to a lone surrogate.
pub(crate) fn surrogate_message(code: u32) -> String {
    format!("Surrogate characters are not allowed: U+{code:X}.")
}
