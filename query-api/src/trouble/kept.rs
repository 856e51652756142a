//! A form that could not be answered, to be sent again.

use crate::admin;

/// No form of ours has more fields.
const FIELDS: usize = 100;

/// What was typed.
pub(crate) struct Kept {
    /// All of the form, as it was sent. Its token goes along: it is the one that says whose form this is, and that it
    /// counts once.
    pub fields: Vec<(String, String)>,
    /// What people typed of it, with the names that they know.
    pub shown: Vec<(&'static str, String)>,
}

impl Kept {
    /// Out of a form's body; nothing when it is none.
    pub fn of(form: &[u8]) -> Option<Self> {
        let fields = || url::form_urlencoded::parse(form);
        let number = fields().take(FIELDS + 1).count();
        if number == 0 || number > FIELDS {
            return None;
        }
        let fields: Vec<(String, String)> = fields().into_owned().collect();
        let shown = fields.iter().filter_map(|(name, value)| admin::typed_as(name, value));
        Some(Self { shown: shown.collect(), fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_kept_as_it_was_sent_and_shows_what_people_typed() {
        let kept = Kept::of(b"token=t&was_url=1&url=http%3A%2F%2Fa.example%2F%3Fa%26b&then=list").unwrap();
        let names: Vec<&str> = kept.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["token", "was_url", "url", "then"]);
        assert_eq!(kept.shown, [("URL", "http://a.example/?a&b".to_owned())]);
        assert!(Kept::of(b"").is_none());
        assert!(Kept::of("a&".repeat(1_000).as_bytes()).is_none(), "it is no form of ours");
    }
}
