//! The page, as a pure function of the document.

use super::SERVER;
use askama::Template;
use serde_json::Value;

/// The whole page.
#[derive(Template)]
#[template(path = "docs.html")]
pub(super) struct Page<'a> {
    base: &'a str,
    intro: &'a str,
    groups: Vec<Group<'a>>,
    /// Answers that many operations have.
    shared: Vec<Answer<'a>>,
}

/// Operations that belong together.
struct Group<'a> {
    name: &'a str,
    anchor: String,
    more: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    anchor: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    more: &'a str,
    who: &'static str,
    curl: String,
    parameters: Vec<Parameter<'a>>,
    bodies: Vec<Body<'a>>,
    answers: Vec<Answer<'a>>,
}

struct Parameter<'a> {
    name: &'a str,
    place: &'a str,
    kind: String,
    more: &'a str,
}

struct Body<'a> {
    media: &'a str,
    fields: Vec<Parameter<'a>>,
    example: Option<String>,
}

struct Answer<'a> {
    status: &'a str,
    /// Where it is told in full, when it is one of the shared ones.
    name: &'a str,
    what: &'a str,
    media: &'a str,
    headers: Vec<Parameter<'a>>,
    example: Option<String>,
}

/// A text of the document: pieces, and whether they are code.
pub(super) fn prose(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, piece)| (at % 2 == 1, piece)).filter(|(_, piece)| !piece.is_empty())
}

impl<'a> Page<'a> {
    pub fn of(document: &'a Value, base: &'a str) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let mut groups: Vec<Group<'a>> = list(&document["tags"]).map(Group::of).collect();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let tag = operation["tags"][0].as_str().unwrap_or_default();
                if let Some(group) = groups.iter_mut().find(|group| group.name == tag) {
                    group.operations.push(Operation::of(document, path, method, operation));
                }
            }
        }
        let shared = document["components"]["responses"].as_object().into_iter().flatten();
        let mut shared: Vec<_> = shared.map(|(name, answer)| Answer { name, ..Answer::of("", answer) }).collect();
        shared.sort_by_key(|answer| answer.what);
        Self { base, intro: text(&document["info"]["description"]), groups, shared }
    }
}

impl<'a> Group<'a> {
    fn of(tag: &'a Value) -> Self {
        let name = text(&tag["name"]);
        // an operation may have the same name
        let anchor = format!("group-{}", name.to_lowercase().replace(' ', "-"));
        Self { name, anchor, more: text(&tag["description"]), operations: Vec::new() }
    }
}

impl<'a> Operation<'a> {
    fn of(document: &'a Value, path: &'a str, method: &str, operation: &'a Value) -> Self {
        let who = match operation["security"].as_array() {
            None => "For everybody.",
            Some(ways) if ways.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty)) => {
                "For everybody, unless the settings say otherwise."
            }
            Some(_) => "With a token or signed in.",
        };
        let bodies: Vec<_> = entries(&operation["requestBody"]["content"])
            .map(|(media, body)| Body::of(document, media, body))
            .collect();
        let method = method.to_uppercase();
        let signed = who.starts_with("With");
        Self {
            anchor: text(&operation["operationId"]),
            curl: curl(&method, path, signed, bodies.first(), operation),
            method,
            path,
            summary: text(&operation["summary"]),
            more: text(&operation["description"]),
            who,
            parameters: list(&operation["parameters"]).map(Parameter::of).collect(),
            bodies,
            answers: entries(&operation["responses"])
                .map(|(status, answer)| Answer::within(document, status, answer))
                .collect(),
        }
    }
}

impl<'a> Parameter<'a> {
    fn of(parameter: &'a Value) -> Self {
        let place = text(&parameter["in"]);
        Self {
            name: text(&parameter["name"]),
            place,
            kind: kind(&parameter["schema"]),
            more: text(&parameter["description"]),
        }
    }
}

impl<'a> Body<'a> {
    fn of(document: &'a Value, media: &'a str, body: &'a Value) -> Self {
        let schema = resolved(document, &body["schema"]);
        let required: Vec<&str> = list(&schema["required"]).map(text).collect();
        let field = |(name, schema): (&'a str, &'a Value)| Parameter {
            name,
            place: if required.contains(&name) { "required" } else { "optional" },
            kind: kind(schema),
            more: text(&resolved(document, schema)["description"]),
        };
        Self { media, fields: entries(&schema["properties"]).map(field).collect(), example: example(body) }
    }
}

impl<'a> Answer<'a> {
    fn within(document: &'a Value, status: &'a str, answer: &'a Value) -> Self {
        let name = name_of(answer).unwrap_or_default();
        Self { name, ..Self::of(status, resolved(document, answer)) }
    }

    fn of(status: &'a str, answer: &'a Value) -> Self {
        let content = entries(&answer["content"]).next();
        let header = |(name, header): (&'a str, &'a Value)| Parameter {
            name,
            place: "header",
            kind: kind(&header["schema"]),
            more: text(&header["description"]),
        };
        Self {
            status,
            name: "",
            what: text(&answer["description"]),
            media: content.map(|(media, _)| media).unwrap_or_default(),
            headers: entries(&answer["headers"]).map(header).collect(),
            example: content.and_then(|(_, content)| example(content)),
        }
    }
}

/// A line to paste into a shell.
fn curl(method: &str, path: &str, signed: bool, body: Option<&Body<'_>>, operation: &Value) -> String {
    let path = path.replace("{id}", "1").replace("{session_id}", "s-1");
    let query: Vec<String> = list(&operation["parameters"])
        .filter(|parameter| parameter["in"] == "query")
        .filter(|parameter| !parameter["example"].is_null())
        .map(|parameter| format!("{}={}", text(&parameter["name"]), parameter["example"].to_string().trim_matches('"')))
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut line = vec!["curl".to_owned()];
    if method != "GET" {
        line.push(format!("-X {method}"));
    }
    line.push(format!("'{SERVER}{path}{query}'"));
    if signed {
        line.push("-H 'Authorization: Bearer TOKEN'".to_owned());
    }
    if let Some(Body { media, example: Some(example), .. }) = body {
        let compact = serde_json::from_str(example).map_or_else(|_| example.clone(), |value: Value| value.to_string());
        line.push(format!("-H 'Content-Type: {media}' -d '{}'", compact.replace('\'', "'\\''")));
    }
    line.join(" ")
}

/// What a schema is, in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = name_of(schema) {
        return name.to_owned();
    }
    if let Some(some) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
        let mut kinds: Vec<String> = some.iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values
            .iter()
            .filter_map(Value::as_str)
            .filter(|value| !value.is_empty())
            .collect::<Vec<_>>()
            .join(" | ");
    }
    if schema["type"] == "array" {
        return format!("list of {}", kind(&schema["items"]));
    }
    let named = match &schema["type"] {
        Value::Array(types) => types.iter().map(text).collect::<Vec<_>>().join(" or "),
        Value::String(one) if one == "string" && schema["pattern"] == r"^\s*$" => "blank".to_owned(),
        Value::String(one) => one.clone(),
        _ => "any".to_owned(),
    };
    match schema["format"].as_str() {
        Some(format) if format != "int64" => format!("{named} ({format})"),
        _ => named,
    }
}

/// An example as text: JSON in lines, a text as it is.
fn example(content: &Value) -> Option<String> {
    match content.get("example")? {
        Value::String(text) => Some(text.clone()),
        value => serde_json::to_string_pretty(value).ok(),
    }
}

/// The last part of what this refers to, if it does.
fn name_of(value: &Value) -> Option<&str> {
    value["$ref"].as_str()?.rsplit('/').next()
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_page_is_safe_whole_and_every_anchor_is_there_once() {
        let mut document = serde_json::to_value(crate::openapi()).unwrap();
        document["info"]["description"] = "<script>`x`".into();
        let page = Page::of(&document, "/base").render().unwrap();
        assert!(!page.contains("<script") && page.contains("href=\"/base/assets/footfall.css\""), "{page}");
        let ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let known: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len(), "{ids:?}");
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            let shared = link.strip_prefix("answer-").is_some();
            assert!(known.contains(link) || shared, "#{link} leads nowhere");
        }
        let line = "curl -X POST 'http://127.0.0.1:8080/sign-in/'";
        assert!(page.replace("&#39;", "'").contains(line), "{line}");
    }
}
