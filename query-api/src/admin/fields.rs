//! The fields of an object's page, by kind, in their sections: contract § 10.

use super::{
    kinds::Kind,
    panel::{Choice, event_types},
    pretty::pretty,
    show,
    typed::{Typed, fingerprint, was_name},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use service::resource::Resource;
use sqlx::{Row, postgres::PgRow};
use std::collections::HashMap;

/// How a field is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    Line,
    Area,
    /// One of the types of interactions.
    Type,
    /// The ID of a session, which can be looked up.
    Session,
    /// Not at all.
    Fixed,
}

/// A field as it is shown.
pub(super) struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub input: Input,
    pub value: String,
    pub hint: String,
    pub required: bool,
    pub errors: Vec<String>,
    pub choices: Vec<Choice>,
    /// Name and value of the hidden field that says what it held.
    pub was: Option<(String, String)>,
}

impl Field {
    /// The ids of what is said about it, for `aria-describedby`.
    pub fn described_by(&self) -> String {
        let errors = (1..=self.errors.len()).map(|number| format!("{}-error-{number}", self.name));
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.name));
        errors.chain(hint).collect::<Vec<_>>().join(" ")
    }
}

/// Fields under a heading; all but the first can be folded away.
pub(super) struct Section {
    pub title: &'static str,
    pub folded: bool,
    pub open: bool,
    pub fields: Vec<Field>,
}

/// An object as its row has it, as texts.
pub(super) struct Object {
    pub id: i64,
    /// The primary key of its session, or its own.
    pub session: i64,
    pub session_id: String,
    /// When it happened or began.
    pub at: DateTime<Utc>,
    pub values: HashMap<&'static str, String>,
}

impl Object {
    pub fn of(kind: Kind, row: &PgRow, zone: Tz) -> sqlx::Result<Self> {
        let text = |name: &str| row.try_get::<Option<String>, _>(name).map(Option::unwrap_or_default);
        let session_id = text("session_id")?;
        let mut values = HashMap::new();
        let at = match kind.resource {
            Resource::Sessions => {
                for name in ["session_id", "user_agent", "ip_address", "user_id"] {
                    values.insert(name, text(name)?);
                }
                let end: Option<DateTime<Utc>> = row.try_get("end_time")?;
                values.insert("end_time", end.map(|at| show::editable(at, zone)).unwrap_or_default());
                row.try_get("start_time")?
            }
            Resource::PageViews => {
                values.insert("url", text("url")?);
                values.insert("session", session_id.clone());
                row.try_get("timestamp")?
            }
            Resource::Interactions => {
                for name in ["event_type", "element", "metadata"] {
                    values.insert(name, text(name)?);
                }
                values.insert("session", session_id.clone());
                row.try_get("timestamp")?
            }
        };
        let time = if kind.resource == Resource::Sessions { "start_time" } else { "timestamp" };
        values.insert(time, show::time(at, zone));
        Ok(Self { id: row.try_get("row_id")?, session: row.try_get("s_id")?, session_id, at, values })
    }
}

/// What the fields of a page hold.
pub(super) struct Filling<'a> {
    pub kind: Kind,
    pub zone: Tz,
    /// The object; `None` for one that is to be added.
    pub object: Option<&'a Object>,
    /// What was typed, where a form comes back.
    pub typed: Option<&'a Typed>,
    pub errors: &'a [(&'static str, Vec<String>)],
    /// Whether anything may be changed.
    pub editable: bool,
}

impl Filling<'_> {
    /// The sections of the page.
    pub fn sections(&self) -> Vec<Section> {
        let adding = self.object.is_none();
        let times = format!("YYYY-MM-DD hh:mm:ss in {}. Empty: not ended.", self.zone);
        let session = "The ID of a session that is there.";
        let main = match self.kind.resource {
            Resource::Sessions => vec![
                self.field(
                    "session_id",
                    if adding { Input::Line } else { Input::Fixed },
                    true,
                    if adding {
                        "Cannot be changed later."
                    } else {
                        "It is the key by which the log places the session, and stays."
                    },
                ),
                self.field("user_agent", Input::Area, true, ""),
                self.field("ip_address", Input::Line, true, "IPv4 or IPv6."),
                self.field("user_id", Input::Line, false, "Empty: nobody."),
            ],
            Resource::PageViews => {
                vec![
                    self.field("session", Input::Session, true, session),
                    self.field("url", Input::Area, true, "With its scheme, at most 2,000 characters."),
                ]
            }
            Resource::Interactions => vec![
                self.field("session", Input::Session, true, session),
                self.field("event_type", Input::Type, true, ""),
                self.field("element", Input::Area, true, "At most 2,000 characters."),
            ],
        };
        let mut sections = vec![Section { title: "Main", folded: false, open: true, fields: main }];
        if self.kind.resource == Resource::Interactions {
            let metadata = self.field("metadata", Input::Area, false, "Any JSON but null. Empty: {}.");
            sections.push(folded("Metadata", vec![metadata]));
        }
        let fixed = |name| self.field(name, Input::Fixed, false, "");
        match (self.kind.resource, adding) {
            (Resource::Sessions, _) => {
                let mut fields = Vec::new();
                if !adding {
                    fields.push(fixed("start_time"));
                }
                fields.push(self.field("end_time", Input::Line, false, &times));
                sections.push(folded("Timestamps", fields));
            }
            (_, false) => sections.push(folded("Timestamp", vec![fixed("timestamp")])),
            (_, true) => {}
        }
        sections
    }

    fn field(&self, name: &'static str, input: Input, required: bool, hint: &str) -> Field {
        let held = self.object.and_then(|object| object.values.get(name)).cloned();
        // what is shown is what tells later whether somebody has touched it
        let held = if name == "metadata" { held.map(|json| pretty(&json)) } else { held };
        let typed = self.typed.filter(|typed| typed.has(name)).map(|typed| typed.get(name));
        let value = typed.or_else(|| held.clone()).unwrap_or_default();
        let input = if self.editable { input } else { Input::Fixed };
        let errors = self.errors.iter().filter(|(of, _)| *of == name).flat_map(|(_, messages)| messages.clone());
        Field {
            name,
            label: Kind::label(name),
            input,
            hint: match name {
                "start_time" | "timestamp" => format!("In {}.", self.zone),
                "end_time" if !self.editable => format!("In {}.", self.zone),
                _ if self.editable => hint.to_owned(),
                _ => String::new(),
            },
            required: required && self.editable,
            errors: errors.collect(),
            choices: if input == Input::Type { event_types(&value) } else { Vec::new() },
            was: held.filter(|_| input != Input::Fixed).map(|held| (was_name(name), fingerprint(&held))),
            value,
        }
    }
}

fn folded(title: &'static str, fields: Vec<Field>) -> Section {
    // what is wrong has to be seen
    let open = fields.iter().any(|field| !field.errors.is_empty());
    Section { title, folded: true, open, fields }
}
