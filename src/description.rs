//! The whole description in OpenAPI: the parts of the services, which do not know each other, put together.

use utoipa::openapi::{Info, OpenApi, info::InfoBuilder};

const INTRO: &str = "\
Footfall records sessions, page views and interactions, and tells about them. What is answered 202 is kept for good, and \
counts once. A missing slash at the end of a path is answered with a redirect, 301 or 308 for POST; HEAD works where GET \
does, and other methods are 405. A token that is wrong or has expired is 401 on any path. The resources share one budget \
of requests for each client; `RateLimit` tells what is left of it.";

/// Of everything that Footfall answers.
pub fn openapi() -> OpenApi {
    let info: Info =
        InfoBuilder::new().title("Footfall").version(env!("CARGO_PKG_VERSION")).description(Some(INTRO)).build();
    let mut whole = service::openapi::common(info);
    whole.merge(::ingest::openapi());
    whole.merge(::query_api::openapi());
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::collections::BTreeSet;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

    fn document() -> Value {
        serde_json::to_value(openapi()).unwrap()
    }

    #[test]
    fn the_file_is_what_the_code_says() {
        let text = openapi().to_pretty_json().unwrap() + "\n";
        if std::env::var_os("FOOTFALL_WRITE_DOCS").is_some() {
            std::fs::write(FILE, &text).unwrap();
        }
        let written = std::fs::read_to_string(FILE).unwrap_or_default();
        assert!(
            written == text,
            "docs/openapi.json is old: FOOTFALL_WRITE_DOCS=1 cargo test --bin footfall description"
        );
    }

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }

    #[test]
    fn everything_that_is_referred_to_is_there_and_used() {
        let (document, mut found) = (document(), BTreeSet::new());
        references(&document, &mut found);
        for reference in &found {
            let there = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
            assert!(there.is_some(), "{reference}");
        }
        for kind in ["schemas", "responses"] {
            for name in document["components"][kind].as_object().unwrap().keys() {
                assert!(found.contains(&format!("#/components/{kind}/{name}")), "{kind}/{name} is used by nobody");
            }
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_a_known_group() {
        let document = document();
        let groups: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
        let mut names = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{method} {path}");
                assert!(groups.contains(&&operation["tags"][0]), "{method} {path}");
            }
        }
    }
}
