//! Filters and search, from the parameters of an address to conditions: contract § 5, 6. Pure functions.

mod choice;
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
use serde_json::{Map, Value, json};
use service::resource::Resource;
pub(crate) use time::{days, moment};

/// Different terms of one search. Each costs a question to the database, and all have to match: nobody needs more.
const MOST_TERMS: usize = 64;

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
        if let Some(search) = parameters.get("search").filter(|search| !search.is_empty()) {
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
            return self.refuse("search", NUL);
        }
        let fields: Vec<Text> = searched.iter().filter_map(|name| Text::searchable(resource, name)).collect();
        if fields.is_empty() {
            return;
        }
        let mut terms = search::terms(search);
        terms.sort_unstable();
        terms.dedup();
        if terms.len() > MOST_TERMS {
            return self
                .refuse("search", &format!("Ensure this search has no more than {MOST_TERMS} different terms."));
        }
        for term in terms {
            let pattern = pattern(Part::Anywhere, &term);
            let somewhere = fields.iter().map(|field| Condition::Like(*field, pattern.clone()));
            self.conditions.push(Condition::AnyOf(somewhere.collect()));
            self.used.push(("search".to_owned(), term));
        }
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
        self.id();
        match resource {
            Resource::Sessions => {
                self.text("session_id", Text::SessionId);
                self.text("user_agent", Text::UserAgent);
                self.text("user_id", Text::UserId);
                self.part("session_id_contains", Text::SessionId, Part::Anywhere);
                self.part("user_agent_contains", Text::UserAgent, Part::Anywhere);
                self.part("user_id_contains", Text::UserId, Part::Anywhere);
                self.address();
                self.part("ip_address_startswith", Text::Address, Part::Start);
                self.missing("user_id_isnull", "user_id");
                self.missing("end_time_isnull", "end_time");
                self.times("start_time", Column::StartTime);
                self.times("end_time", Column::EndTime);
            }
            Resource::PageViews => {
                self.text("url", Text::Url);
                self.part("url_contains", Text::Url, Part::Anywhere);
                self.part("url_startswith", Text::Url, Part::Start);
                self.part("url_endswith", Text::Url, Part::End);
                self.session();
                self.times("timestamp", Column::Timestamp);
            }
            Resource::Interactions => {
                self.event_type();
                self.text("element", Text::Element);
                self.part("element_contains", Text::Element, Part::Anywhere);
                self.part("element_startswith", Text::Element, Part::Start);
                self.metadata();
                self.session();
                self.times("timestamp", Column::Timestamp);
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

    fn part(&mut self, name: &str, field: Text, part: Part) {
        if let Some(value) = self.clean_value(name) {
            self.add(Condition::Like(field, pattern(part, &value)));
        }
    }
}
