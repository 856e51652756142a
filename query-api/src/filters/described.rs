//! The filters as parameters in OpenAPI, out of the table by which they are read.

use super::{Filter, table};
use crate::text::Part;
use schema::InteractionKind;
use service::{
    openapi::{
        in_query,
        schemas::{any_integer, any_of, clean_text, formatted, lenient, list, one_of_these, or_blank},
    },
    resource::Resource,
};
use utoipa::openapi::{
    RefOr, Schema,
    path::{Parameter, ParameterStyle},
};

/// The parameters that filter a resource.
pub(crate) fn parameters(resource: Resource) -> Vec<Parameter> {
    table(resource).iter().flat_map(|(name, filter)| described(name, *filter)).collect()
}

fn described(name: &str, filter: Filter) -> Vec<Parameter> {
    let one = |more: &str, schema: RefOr<Schema>| vec![in_query(name, more, schema).build()];
    match filter {
        Filter::Id => one("The one with this id.", or_blank(any_integer())),
        Filter::Equal(_) => one("Equal; case matters.", clean_text().into()),
        Filter::Part(_, Part::Anywhere) => one("Contains this, whatever the case.", clean_text().into()),
        Filter::Part(_, Part::Start) => one("Begins with this, whatever the case.", clean_text().into()),
        Filter::Part(_, Part::End) => one("Ends with this, whatever the case.", clean_text().into()),
        Filter::Address => {
            let address = any_of([formatted("ipv4").into(), formatted("ipv6").into()]);
            one("Equal as an address, however it is written.", or_blank(address))
        }
        Filter::AddressStart => one("The address's text begins with this.", clean_text().into()),
        Filter::Missing(column) => {
            let more = format!("Whether `{column}` is null.");
            one(&more, lenient(one_of_these(["true", "false", "1", "0"]), "No filter."))
        }
        Filter::Moment(_) => one("At this very moment.", moment()),
        Filter::Times(_) => times(name),
        Filter::Session => {
            let more = "Of the session with this `id`; 400 when there is none.";
            let same = format!("The same parameter as `{name}`; of several the last one counts.");
            vec![
                in_query(name, more, or_blank(any_integer())).build(),
                in_query("session__id", same, or_blank(any_integer())).build(),
            ]
        }
        Filter::KnownAs => one(
            "Of the session with this `session_id`; where there is none and the value is a number, of the one with \
             this `id`.",
            clean_text().into(),
        ),
        Filter::EventType => one("Of this type.", or_blank(kind())),
        Filter::EventTypes => {
            let several = in_query(name, "Of one of these types: the parameter once for each.", list(kind()));
            vec![several.style(Some(ParameterStyle::Form)).explode(Some(true)).build()]
        }
        Filter::Metadata => one(
            "`key=value`: what stands in the metadata under the key. `__` in the key goes down into objects and \
             lists. A value that JSON knows as a number, true, false or null finds that and the text. `metadata__key=value` \
             is another way to write it.",
            clean_text().into(),
        ),
    }
}

fn kind() -> RefOr<Schema> {
    one_of_these(InteractionKind::ALL.iter().map(|kind| kind.as_str())).into()
}

fn moment() -> RefOr<Schema> {
    let forms = "ISO 8601, with or without zone; `2025-03-01 12:30`, `03/01/2025 12:30` or either day alone.";
    or_blank(any_of([formatted("date-time").description(Some(forms)).into(), formatted("date").into()]))
}

/// The five parameters around a time.
fn times(name: &str) -> Vec<Parameter> {
    let day = or_blank(formatted("date").description(Some("`2025-03-01` or `03/01/2025`.")));
    [
        ("_after", "At this moment or later.", moment()),
        ("_before", "At this moment or earlier.", moment()),
        ("_range_after", "The same as `_after`; errors are told under `_range`.", moment()),
        ("_range_before", "The same as `_before`; errors are told under `_range`.", moment()),
        ("_date", "On this day of the configured time zone.", day),
    ]
    .into_iter()
    .map(|(end, more, schema)| in_query(&format!("{name}{end}"), more, schema).build())
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{filters::Narrowing, paging::Parameters, settings::FieldNames};
    use chrono_tz::Tz;

    /// A parameter that is described narrows the list or is refused; so a row of the table cannot be described as
    /// something else than it is.
    #[test]
    fn every_described_parameter_is_read() {
        for resource in Resource::ALL {
            for parameter in parameters(resource) {
                let value = ["2025-03-01", "true", "click", "192.0.2.1", "1", "a=b"];
                let read = value.into_iter().any(|value| {
                    let given = Parameters::parse(Some(&format!("{}={value}", parameter.name)));
                    let found = Narrowing::of(resource, &given, true, &FieldNames::default(), Tz::UTC);
                    !found.conditions.is_empty() && found.errors.is_empty()
                });
                assert!(read, "{} of {}", parameter.name, resource.path());
            }
        }
    }
}
