//! The list that somebody came from: its filters, search, order and page go along through every page until they are
//! back.

use super::kinds::Kind;
use crate::paging::Parameters;

/// The parameter that holds the list's own.
const NAME: &str = "list";

/// Parameters of a list that are told once.
const ONCE: [&str; 3] = ["done", "at", NAME];

/// What the list was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin(Parameters);

impl Origin {
    /// Out of a list's own address.
    pub fn of_list(parameters: &Parameters) -> Self {
        Self(ONCE.iter().fold(parameters.clone(), |parameters, name| parameters.with(name, None::<&str>)))
    }

    /// Out of the address of a page that one comes to from the list.
    pub fn of_page(parameters: &Parameters) -> Self {
        Self::of_list(&Parameters::parse(Some(parameters.get(NAME).unwrap_or_default())))
    }

    /// What stands behind the path of such a page: empty, or with its question mark; `more` is what it says itself.
    pub fn query(&self, more: Parameters) -> String {
        let list = Some(self.0.to_query()).filter(|list| !list.is_empty());
        asked(&more.with(NAME, list))
    }

    /// The list, with what it was asked for; `more` is what it says besides.
    pub fn list(&self, base: &str, kind: Kind, more: &[(&str, Option<String>)]) -> String {
        let parameters =
            more.iter().fold(self.0.clone(), |parameters, (name, value)| parameters.with(name, value.as_ref()));
        format!("{base}{}{}", kind.path(), asked(&parameters))
    }
}

fn asked(parameters: &Parameters) -> String {
    let query = parameters.to_query();
    if query.is_empty() { query } else { format!("?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::resource::Resource;

    #[test]
    fn a_list_is_come_back_to_as_it_was_left() {
        let list = Parameters::parse(Some("search=a%26b&ordering=-url&page=3&done=changed&at=7"));
        let origin = Origin::of_list(&list);
        let query = origin.query(Parameters::default());
        assert_eq!(query, "?list=ordering%3D-url%26page%3D3%26search%3Da%2526b");
        let again = Origin::of_page(&Parameters::parse(Some(&query[1..])));
        assert_eq!(again.query(Parameters::default()), query, "and once more, by name");
        let kind = Kind::of(Resource::PageViews);
        let back = again.list("/b", kind, &[("done", Some("deleted".to_owned())), ("at", None)]);
        assert_eq!(back, "/b/admin/pageviews/?done=deleted&ordering=-url&page=3&search=a%26b");
        assert_eq!(Origin::default().query(Parameters::default()), "");
        assert_eq!(Origin::default().list("", kind, &[]), "/admin/pageviews/");
    }
}
