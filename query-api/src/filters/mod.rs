//! Filters and search, from the parameters of an address to conditions: contract § 5, 6. Pure functions.

mod choice;
mod described;
mod errors;
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
use choice::NO_SUCH_CHOICE;
use chrono_tz::Tz;
pub(crate) use described::parameters;
pub(crate) use errors::Errors;
use service::resource::Resource;
pub(crate) use time::{days, moment};

/// Different terms of one search. Each costs a question to the database, and all have to match: nobody needs more.
const MOST_TERMS: usize = 64;

/// The parameter of the search, and what its errors are found under.
pub(crate) const SEARCH: &str = "search";

const NUL: &str = "Null characters are not allowed.";

/// What a request narrows a list down to.
#[derive(Debug, Default)]
pub(crate) struct Narrowing {
    /// All of them have to hold.
    pub conditions: Vec<Condition>,
    /// What is wrong with the parameters.
    pub errors: Errors,
    /// The session that has to be there.
    pub session: Option<NamedSession>,
    /// The parameters that took part, in an order of their own: what a cursor is bound to.
    pub used: Vec<(String, String)>,
}

/// A session that a filter asks for by its primary key.
#[derive(Debug)]
pub(crate) struct NamedSession {
    pub id: i64,
    /// The parameter that named it, and where its error stands if there is no such session.
    parameter: String,
    place: usize,
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
        self.errors.add(parameter, vec![message.to_owned()]);
    }

    /// That the session is not there.
    pub fn refuse_session(&mut self, session: NamedSession) {
        self.errors.add_at(session.place, session.parameter, NO_SUCH_CHOICE);
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
    /// A time to the microsecond.
    Moment(Column),
    /// Its neighbourhood: after, before, a range, a day.
    Times(Column),
    /// The primary key of an event's session.
    Session,
    /// The text of an event's session.
    KnownAs,
    EventType,
    EventTypes,
    Metadata,
}

/// The filters of a resource, in the order of the original's, in which errors are told: contract § 4, 6. What the
/// original has not comes first, as fields do.
fn table(resource: Resource) -> &'static [(&'static str, Filter)] {
    match resource {
        Resource::Sessions => &[
            ("id", Filter::Id),
            ("session_id", Filter::Equal(Text::SessionId)),
            ("user_agent", Filter::Equal(Text::UserAgent)),
            ("ip_address", Filter::Address),
            ("start_time", Filter::Moment(Column::StartTime)),
            ("end_time", Filter::Moment(Column::EndTime)),
            ("user_id", Filter::Equal(Text::UserId)),
            ("session_id_contains", Filter::Part(Text::SessionId, Part::Anywhere)),
            ("user_agent_contains", Filter::Part(Text::UserAgent, Part::Anywhere)),
            ("ip_address_startswith", Filter::AddressStart),
            ("start_time", Filter::Times(Column::StartTime)),
            ("end_time", Filter::Times(Column::EndTime)),
            ("end_time_isnull", Filter::Missing("end_time")),
            ("user_id_contains", Filter::Part(Text::UserId, Part::Anywhere)),
            ("user_id_isnull", Filter::Missing("user_id")),
        ],
        Resource::PageViews => &[
            ("id", Filter::Id),
            ("session", Filter::Session),
            ("url", Filter::Equal(Text::Url)),
            ("timestamp", Filter::Moment(Column::Timestamp)),
            ("session_id", Filter::KnownAs),
            ("session_id_contains", Filter::Part(Text::SessionOfEvent, Part::Anywhere)),
            ("url_contains", Filter::Part(Text::Url, Part::Anywhere)),
            ("url_startswith", Filter::Part(Text::Url, Part::Start)),
            ("url_endswith", Filter::Part(Text::Url, Part::End)),
            ("timestamp", Filter::Times(Column::Timestamp)),
        ],
        Resource::Interactions => &[
            ("id", Filter::Id),
            ("session", Filter::Session),
            ("event_type", Filter::EventType),
            ("element", Filter::Equal(Text::Element)),
            ("timestamp", Filter::Moment(Column::Timestamp)),
            ("metadata", Filter::Metadata),
            ("session_id", Filter::KnownAs),
            ("session_id_contains", Filter::Part(Text::SessionOfEvent, Part::Anywhere)),
            ("event_type_in", Filter::EventTypes),
            ("element_contains", Filter::Part(Text::Element, Part::Anywhere)),
            ("element_startswith", Filter::Part(Text::Element, Part::Start)),
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
                Filter::Moment(column) => self.moment(name, column),
                Filter::Times(column) => self.times(name, column),
                Filter::Session => self.session(),
                Filter::KnownAs => self.known_as(name),
                Filter::EventType => self.event_type(),
                Filter::EventTypes => self.event_types(),
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
