//! Lists of field names out of those that the contract has (§ 11): one list a resource, for ordering, searching and
//! showing.

use service::resource::Resource;

/// Names of fields, each of them known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldNames(Vec<&'static str>);

impl FieldNames {
    /// Whether the field is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    /// All of them, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    /// These.
    pub(crate) fn of(names: &[&'static str]) -> Self {
        Self(names.to_vec())
    }

    /// Names separated by commas, out of `known`.
    pub(crate) fn parse(text: &str, known: &'static [&'static str]) -> Result<Self, String> {
        let mut names = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let found = known.iter().find(|known| **known == name).copied();
            let found = found.ok_or_else(|| format!("there is no {name:?} here, only {}", known.join(", ")))?;
            if !names.contains(&found) {
                names.push(found);
            }
        }
        Ok(Self(names))
    }
}

/// For what is shown: at least one.
fn parse_shown(text: &str, known: &'static [&'static str]) -> Result<FieldNames, String> {
    FieldNames::parse(text, known).and_then(|names| {
        if names.0.is_empty() { Err(format!("name at least one of {}", known.join(", "))) } else { Ok(names) }
    })
}

const SESSION: &[&str] = &["id", "session_id", "user_agent", "ip_address", "start_time", "end_time", "user_id"];
const PAGE_VIEW: &[&str] = &["id", "url", "timestamp", "session"];
const INTERACTION: &[&str] = &["id", "session", "event_type", "element", "metadata", "timestamp"];

/// Which fields lists can be ordered by, are searched in and show. A page view and an interaction show their session
/// whole, or not at all.
#[derive(Clone, Debug, clap::Args)]
pub struct FieldSettings {
    /// Fields that sessions can be ordered by: id, session_id, start_time, end_time
    #[arg(long, env = "FOOTFALL_SESSIONS_ORDERING_FIELDS", default_value = "start_time,end_time", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["id", "session_id", "start_time", "end_time"]))]
    sessions_ordering_fields: FieldNames,
    /// Fields that page views can be ordered by: id, timestamp
    #[arg(long, env = "FOOTFALL_PAGEVIEWS_ORDERING_FIELDS", default_value = "timestamp", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["id", "timestamp"]))]
    pageviews_ordering_fields: FieldNames,
    /// Fields that interactions can be ordered by: id, event_type, timestamp
    #[arg(long, env = "FOOTFALL_INTERACTIONS_ORDERING_FIELDS", default_value = "timestamp", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["id", "event_type", "timestamp"]))]
    interactions_ordering_fields: FieldNames,
    /// Fields of sessions that are searched: session_id, user_agent, ip_address, user_id
    #[arg(long, env = "FOOTFALL_SESSIONS_SEARCH_FIELDS", default_value = "session_id,user_agent,ip_address", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["session_id", "user_agent", "ip_address", "user_id"]))]
    sessions_search_fields: FieldNames,
    /// Fields of page views that are searched: url, session_id
    #[arg(long, env = "FOOTFALL_PAGEVIEWS_SEARCH_FIELDS", default_value = "url,session_id", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["url", "session_id"]))]
    pageviews_search_fields: FieldNames,
    /// Fields of interactions that are searched: session_id, element
    #[arg(long, env = "FOOTFALL_INTERACTIONS_SEARCH_FIELDS", default_value = "session_id,element", hide_short_help = true,
          value_parser = |text: &str| FieldNames::parse(text, &["session_id", "element"]))]
    interactions_search_fields: FieldNames,
    /// Fields of sessions that are shown; those of the session inside of an event are always whole
    #[arg(long, env = "FOOTFALL_SESSIONS_FIELDS", hide_short_help = true,
          default_value = "id,session_id,user_agent,ip_address,start_time,end_time,user_id",
          value_parser = |text: &str| parse_shown(text, SESSION))]
    sessions_fields: FieldNames,
    /// Fields of page views that are shown
    #[arg(long, env = "FOOTFALL_PAGEVIEWS_FIELDS", hide_short_help = true, default_value = "id,url,timestamp,session",
          value_parser = |text: &str| parse_shown(text, PAGE_VIEW))]
    pageviews_fields: FieldNames,
    /// Fields of interactions that are shown
    #[arg(long, env = "FOOTFALL_INTERACTIONS_FIELDS", hide_short_help = true,
          default_value = "id,session,event_type,element,metadata,timestamp",
          value_parser = |text: &str| parse_shown(text, INTERACTION))]
    interactions_fields: FieldNames,
}

impl FieldSettings {
    /// Fields that a list can be ordered by.
    pub fn orderable(&self, resource: Resource) -> &FieldNames {
        match resource {
            Resource::Sessions => &self.sessions_ordering_fields,
            Resource::PageViews => &self.pageviews_ordering_fields,
            Resource::Interactions => &self.interactions_ordering_fields,
        }
    }

    /// Fields that a search looks into.
    pub fn searchable(&self, resource: Resource) -> &FieldNames {
        match resource {
            Resource::Sessions => &self.sessions_search_fields,
            Resource::PageViews => &self.pageviews_search_fields,
            Resource::Interactions => &self.interactions_search_fields,
        }
    }

    /// Fields that are shown.
    pub fn shown(&self, resource: Resource) -> &FieldNames {
        match resource {
            Resource::Sessions => &self.sessions_fields,
            Resource::PageViews => &self.pageviews_fields,
            Resource::Interactions => &self.interactions_fields,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        fields: FieldSettings,
    }

    #[test]
    fn a_field_that_is_not_there_stops_the_service_and_is_named() {
        let parse = |argument: &str| Command::try_parse_from(["x", argument]);
        let fields = parse("--sessions-ordering-fields=id, start_time").unwrap().fields;
        assert_eq!(fields.orderable(Resource::Sessions).iter().collect::<Vec<_>>(), ["id", "start_time"]);
        for wrong in [
            "--sessions-ordering-fields=user_id",
            "--pageviews-ordering-fields=url",
            "--interactions-search-fields=metadata",
            "--pageviews-fields=element",
            "--pageviews-fields=",
        ] {
            let error = parse(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong.split_once('=').unwrap().0), "{error}");
        }
        assert!(!parse("--sessions-search-fields=").unwrap().fields.searchable(Resource::Sessions).contains("user_id"));
    }
}
