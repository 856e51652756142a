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

/// The text of a JSON string, or the message about a lone surrogate in it.
pub(crate) fn string(json: &str) -> Result<String, Messages> {
    serde_json::from_str(json).or_else(|_| {
        let surrogate = text::lone_surrogate(json).unwrap_or(0xD800);
        message(format!("Surrogate characters are not allowed: U+{surrogate:X}."))
    })
}
