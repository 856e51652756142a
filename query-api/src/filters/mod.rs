//! Filters and search, from the parameters of an address to conditions: contract § 5, 6. Pure functions.

mod choice;
mod described;
mod metadata;
mod number;
mod time;

use crate::{
    columns::Column,
    condition::{Condition, Text},
    paging::Parameters,
    search,
    settings::FieldNames,
    text::{Part, pattern, trimmed},
};
pub(crate) use choice::NO_SUCH_CHOICE;
use chrono_tz::Tz;
pub(crate) use described::parameters;
use serde_json::{Map, Value, json};
use service::resource::Resource;
pub(crate) use time::{days, moment};

/// Different terms of one search. Each costs a question to the database, and all have to match: nobody needs more.
const MOST_TERMS: usize = 64;

/// The parameter of the search, and what its errors are found under.
pub(crate) const SEARCH: &str = "search";

const NUL: &str = "Null characters are not allowed.";

/// Messages by parameter: the body of a 400.
pub(crate) type Errors = Map<String, Value>;

/// What a request narrows a list down to.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    /// All of them have to hold.
    pub conditions: Vec<Condition>,
    /// What is wrong with the parameters.
    pub errors: Errors,
    /// The session that has to be there, and the parameter that named it.
    pub session: Option<(String, i64)>,
    /// The parameters that took part, in an order of their own: what a cursor is bound to.
    pub used: Vec<(String, String)>,
}

impl Narrowing {
    /// Of a resource: by the filters, if they are on, and by the search.
    pub fn of(resource: Resource, parameters: &Parameters, filters: bool, searched: &FieldNames, zone: Tz) -> Self {
        let mut found = Self::default();
        if filters {
            Reader { found: &mut found, parameters, zone }.filters(resource);
        }
        // in the original's order: wrong filters are told alone
        if let Some(search) = parameters.get(SEARCH).filter(|search| !search.is_empty() && found.errors.is_empty()) {
            found.search(resource, search, searched);
        }
        found
    }

    /// An error under a parameter.
    pub fn refuse(&mut self, parameter: &str, message: &str) {
        self.errors.insert(parameter.to_owned(), json!([message]));
    }

    fn search(&mut self, resource: Resource, search: &str, searched: &FieldNames) {
        if search.contains('\0') {
            return self.refuse(SEARCH, NUL);
        }
        let fields: Vec<Text> = searched.iter().filter_map(|name| Text::searchable(resource, name)).collect();
        if fields.is_empty() {
            return;
        }
        let mut terms = search::terms(search);
        terms.sort_unstable();
        terms.dedup();
        if terms.len() > MOST_TERMS {
            return self.refuse(SEARCH, &format!("Ensure this search has no more than {MOST_TERMS} different terms."));
        }
        for term in terms {
            let pattern = pattern(Part::Anywhere, &term);
            let somewhere = fields.iter().map(|field| Condition::Like(*field, pattern.clone()));
            self.conditions.push(Condition::AnyOf(somewhere.collect()));
            self.used.push(("search".to_owned(), term));
        }
    }
}

/// What a filter does. Most are one parameter, by the name in the table; [`described`] names those of the others.
#[derive(Clone, Copy, Debug)]
enum Filter {
    Id,
    Equal(Text),
    Part(Text, Part),
    Address,
    AddressStart,
    /// Whether the column is null.
    Missing(&'static str),
    Times(Column),
    /// The primary key of an event's session.
    Session,
    /// The text of an event's session.
    KnownAs,
    EventType,
    Metadata,
}

/// The filters of a resource, in the order in which they are read: contract § 6.
fn table(resource: Resource) -> &'static [(&'static str, Filter)] {
    match resource {
        Resource::Sessions => &[
            ("id", Filter::Id),
            ("session_id", Filter::Equal(Text::SessionId)),
            ("user_agent", Filter::Equal(Text::UserAgent)),
            ("user_id", Filter::Equal(Text::UserId)),
            ("session_id_contains", Filter::Part(Text::SessionId, Part::Anywhere)),
            ("user_agent_contains", Filter::Part(Text::UserAgent, Part::Anywhere)),
            ("user_id_contains", Filter::Part(Text::UserId, Part::Anywhere)),
            ("ip_address", Filter::Address),
            ("ip_address_startswith", Filter::AddressStart),
            ("user_id_isnull", Filter::Missing("user_id")),
            ("end_time_isnull", Filter::Missing("end_time")),
            ("start_time", Filter::Times(Column::StartTime)),
            ("end_time", Filter::Times(Column::EndTime)),
        ],
        Resource::PageViews => &[
            ("id", Filter::Id),
            ("url", Filter::Equal(Text::Url)),
            ("url_contains", Filter::Part(Text::Url, Part::Anywhere)),
            ("url_startswith", Filter::Part(Text::Url, Part::Start)),
            ("url_endswith", Filter::Part(Text::Url, Part::End)),
            ("session", Filter::Session),
            ("session_id", Filter::KnownAs),
            ("session_id_contains", Filter::Part(Text::SessionOfEvent, Part::Anywhere)),
            ("timestamp", Filter::Times(Column::Timestamp)),
        ],
        Resource::Interactions => &[
            ("id", Filter::Id),
            ("event_type", Filter::EventType),
            ("element", Filter::Equal(Text::Element)),
            ("element_contains", Filter::Part(Text::Element, Part::Anywhere)),
            ("element_startswith", Filter::Part(Text::Element, Part::Start)),
            ("metadata", Filter::Metadata),
            ("session", Filter::Session),
            ("session_id", Filter::KnownAs),
            ("session_id_contains", Filter::Part(Text::SessionOfEvent, Part::Anywhere)),
            ("timestamp", Filter::Times(Column::Timestamp)),
        ],
    }
}

/// Takes one parameter after the other.
struct Reader<'a> {
    found: &'a mut Narrowing,
    parameters: &'a Parameters,
    zone: Tz,
}

impl Reader<'_> {
    fn filters(&mut self, resource: Resource) {
        for (name, filter) in table(resource) {
            match *filter {
                Filter::Id => self.id(),
                Filter::Equal(field) => self.text(name, field),
                Filter::Part(field, part) => self.part(name, field, part),
                Filter::Address => self.address(),
                Filter::AddressStart => self.address_start(),
                Filter::Missing(column) => self.missing(name, column),
                Filter::Times(column) => self.times(name, column),
                Filter::Session => self.session(),
                Filter::KnownAs => self.known_as(name),
                Filter::EventType => self.event_type(),
                Filter::Metadata => self.metadata(),
            }
        }
    }

    /// The value of a parameter without blanks around it, unless it is empty; the last one given counts.
    fn value(&mut self, name: &str) -> Option<String> {
        let value = trimmed(self.parameters.get(name)?);
        if value.is_empty() {
            return None;
        }
        self.found.used.push((name.to_owned(), value.to_owned()));
        Some(value.to_owned())
    }

    /// The same for texts, which PostgreSQL cannot have a NUL in.
    fn clean_value(&mut self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        if value.contains('\0') {
            self.found.refuse(name, NUL);
            return None;
        }
        Some(value)
    }

    fn add(&mut self, condition: Condition) {
        self.found.conditions.push(condition);
    }

    fn text(&mut self, name: &str, field: Text) {
        if let Some(value) = self.clean_value(name) {
            self.add(Condition::Equal(field, value));
        }
    }

    fn known_as(&mut self, name: &str) {
        if let Some(value) = self.clean_value(name) {
            self.add(Condition::SessionKnownAs(value));
        }
    }

    fn part(&mut self, name: &str, field: Text, part: Part) {
        if let Some(value) = self.clean_value(name) {
            self.add(Condition::Like(field, pattern(part, &value)));
        }
    }
}
