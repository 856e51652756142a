//! Schemas in few words. What is described is what is taken: where a service is lenient, the schema says so.

use serde_json::Value;
use utoipa::openapi::{
    RefOr, Schema,
    schema::{
        AdditionalProperties, AnyOfBuilder, Array, ArrayBuilder, KnownFormat, ObjectBuilder, Ref, SchemaFormat,
        SchemaType, Type,
    },
};

/// A text without NUL, which PostgreSQL cannot have.
pub const WITHOUT_NUL: &str = r"^[^\u0000]*$";

/// One of the shared schemas, by its name.
pub fn named(name: &str) -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(name))
}

/// A text.
pub fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text without NUL.
pub fn clean_text() -> ObjectBuilder {
    text().pattern(Some(WITHOUT_NUL))
}

/// A text in a format that JSON Schema knows, such as `date-time`.
pub fn formatted(format: &str) -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(format.to_owned())))
}

/// A time as it is shown.
pub fn time() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
}

/// A whole number.
pub fn integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer).format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
}

/// A whole number of any size: none is too large to be asked for.
pub fn any_integer() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Integer)
}

/// A number of things: never negative.
pub fn count() -> ObjectBuilder {
    integer().minimum(Some(0))
}

/// The same, or null.
pub fn or_null(schema: ObjectBuilder) -> ObjectBuilder {
    let plain = schema.build();
    let kinds = match plain.schema_type.clone() {
        SchemaType::Type(kind) => vec![kind, Type::Null],
        SchemaType::Array(kinds) => kinds.into_iter().chain([Type::Null]).collect(),
        SchemaType::AnyValue => return plain.into(),
    };
    ObjectBuilder::from(plain).schema_type(SchemaType::from_iter(kinds))
}

/// One of several texts.
pub fn one_of_these<'a>(values: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(values))
}

/// One or the other.
pub fn any_of(schemas: impl IntoIterator<Item = RefOr<Schema>>) -> AnyOfBuilder {
    schemas.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item)
}

/// What is meant; but any other text is taken as well, and counts as `otherwise` says.
pub fn lenient(meant: ObjectBuilder, otherwise: &str) -> RefOr<Schema> {
    any_of([meant.into(), text().description(Some(otherwise)).into()]).into()
}

/// What is meant, or blanks, which are as if nothing had been given.
pub fn or_blank(meant: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    any_of([meant.into(), text().pattern(Some(r"^\s*$")).description(Some("As if it was not there.")).into()]).into()
}

/// What is meant, or an empty text, which is as if nothing had been given.
pub fn or_empty(meant: impl Into<RefOr<Schema>>) -> RefOr<Schema> {
    let empty = text().max_length(Some(0)).description(Some("As if it was not there."));
    any_of([meant.into(), empty.into()]).into()
}

/// A list.
pub fn list(of: impl Into<RefOr<Schema>>) -> ArrayBuilder {
    ArrayBuilder::from(Array::new(of))
}

/// An object with exactly these keys, all of them there.
pub fn object<'a>(properties: impl IntoIterator<Item = (&'a str, RefOr<Schema>)>) -> ObjectBuilder {
    let object = properties
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| object.property(name, schema).required(name));
    object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
}

/// An object with any keys, whose values are alike.
pub fn map(values: impl Into<RefOr<Schema>>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::RefOr(values.into())))
}

/// Any JSON value that PostgreSQL can hold: no NUL in any text of it.
pub fn json() -> RefOr<Schema> {
    let scalar = ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Boolean, Type::Number, Type::Null]));
    let object = map(named("Json")).property_names(Some(Schema::Object(clean_text().build())));
    let any = [scalar.into(), clean_text().into(), list(named("Json")).into(), object.into()];
    any_of(any).description(Some("Any JSON without NUL in its texts, at most 128 levels deep.")).into()
}

/// With an example.
pub fn such_as(schema: ObjectBuilder, example: impl Into<Value>) -> ObjectBuilder {
    schema.examples([example.into()])
}
