//! Objects with the fields that the settings show, in the contract's order.

/// Serialises an object: those of its fields that are shown.
macro_rules! object {
    ($serializer:expr, $shown:expr, { $($name:literal: $value:expr),* $(,)? }) => {{
        use serde::ser::SerializeMap;
        let shown: Option<&crate::settings::FieldNames> = $shown;
        let mut object = $serializer.serialize_map(None)?;
        $(if shown.is_none_or(|shown| shown.contains($name)) {
            object.serialize_entry($name, $value)?;
        })*
        object.end()
    }};
}
pub(super) use object;
