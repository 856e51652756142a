//! What a value has to be, one file a kind: raw JSON in, a value or the contract's messages out. Pure functions, for
//! whoever makes events: ingest out of requests, the admin out of its forms.

pub mod address;
pub mod metadata;
pub mod python;
pub mod text;
pub mod url;

/// What is said where nothing was given.
pub const REQUIRED: &str = "This field is required.";
/// What is said to null.
pub const NULL: &str = "This field may not be null.";
/// What is said to an empty text.
pub const BLANK: &str = "This field may not be blank.";
/// What is said to a NUL.
pub const NUL: &str = "Null characters are not allowed.";

/// Messages about one field, in the order in which they are shown.
pub type Messages = Vec<String>;

/// One message.
///
/// # Errors
/// Always: it is what a rule gives back.
pub fn message<T>(text: impl Into<String>) -> Result<T, Messages> {
    Err(vec![text.into()])
}

/// The text of a JSON string, and the first lone surrogate in it; the text has U+FFFD in the place of each.
pub fn string(json: &str) -> (String, Option<u32>) {
    if let Ok(text) = serde_json::from_str(json) {
        return (text, None);
    }
    let (mended, surrogate) = text::without_lone_surrogates(json);
    (serde_json::from_str(&mended).unwrap_or_default(), surrogate)
}

/// What the contract says to a lone surrogate.
pub fn surrogate_message(code: u32) -> String {
    format!("Surrogate characters are not allowed: U+{code:X}.")
}
