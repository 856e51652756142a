//! What somebody typed into a form, and which of it is new.

use super::{show::normal, write::Author};
use crate::{routes::QueryApi, sign_in::of_form};
use service::access::Identity;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Values by the names of their fields; of repeated ones the last.
#[derive(Default)]
pub(super) struct Typed(HashMap<String, String>);

impl Typed {
    /// Reads a form's body.
    pub fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// A value; empty when it is missing. The ends of lines are as they were before a browser sent them.
    pub fn get(&self, name: &str) -> String {
        self.0.get(name).map(|value| value.replace("\r\n", "\n")).unwrap_or_default()
    }

    /// Whether a field or a button of this name was sent.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), value.to_owned());
    }

    /// Whether a field holds something else than when the form was shown.
    pub fn is_touched(&self, name: &str) -> bool {
        self.has(name) && self.0.get(&was_name(name)).is_none_or(|was| *was != fingerprint(&self.get(name)))
    }

    /// Who sent it: nobody when it is no form that was given to them.
    pub fn author(&self, api: &QueryApi, identity: &Identity) -> Option<Author> {
        let form = of_form(api, identity, &self.get("token"))?;
        Some(Author { name: identity.name.clone()?, form })
    }
}

/// The name of the hidden field that says what a field held.
pub(super) fn was_name(name: &str) -> String {
    format!("was_{name}")
}

/// Tells values apart, but for what a browser does to the ends of lines.
pub(super) fn fingerprint(value: &str) -> String {
    let digest = Sha256::digest(normal(value));
    // 96 bits: two values of one field never share them by chance
    let (bits, _) = digest.split_first_chunk().expect("a SHA-256 has 32 bytes");
    format!("{:024x}", u128::from_be_bytes(*bits) >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_new_when_its_form_showed_another_one() {
        let form = |value: &str| {
            let was = fingerprint("a\nb ");
            let body = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("url", value)
                .append_pair("was_url", &was)
                .finish();
            Typed::read(body.as_bytes())
        };
        assert!(!form("a\r\nb ").is_touched("url"), "a browser sends other ends of lines");
        assert!(!form("ab").is_touched("url"), "a one-line field takes them away");
        assert!(form("a\nc").is_touched("url"));
        assert!(!form("a").is_touched("element"));
        assert_eq!(form("a\r\nb").get("url"), "a\nb");
    }
}
