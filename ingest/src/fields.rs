//! The values that a body gives for the fields that somebody asked for, whatever the body was written in.

use std::borrow::Cow;

/// The values of known fields, in the order of `names`; of repeated ones the last.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    names: &'static [&'static str],
    values: Vec<Option<Cow<'a, str>>>,
    form: bool,
}

impl<'a> Fields<'a> {
    /// None of them given.
    pub fn none(names: &'static [&'static str]) -> Self {
        Self { names, values: vec![None; names.len()], form: false }
    }

    /// Values in the order of `names`. `form`: they come from one, see [`Fields::is_form`].
    pub fn new(names: &'static [&'static str], values: Vec<Option<Cow<'a, str>>>, form: bool) -> Self {
        Self { names, values, form }
    }

    /// The JSON text of a field, if the body has it.
    ///
    /// # Panics
    /// If the field is none of the names that were asked for: a mistake in the program.
    pub fn get(&self, name: &str) -> Option<&str> {
        let at = self.names.iter().position(|known| *known == name).expect("only declared fields are read");
        self.values[at].as_deref()
    }

    /// Gives a field a text that stands elsewhere in the request.
    pub fn set_text(&mut self, name: &str, text: &str) {
        let at = self.names.iter().position(|known| *known == name).expect("only declared fields are set");
        self.values[at] = Some(serde_json::to_string(text).expect("a text serialises").into());
    }

    /// Whether the body was a form: then `metadata` is whatever text the client sent, and not surely JSON.
    pub fn is_form(&self) -> bool {
        self.form
    }
}
