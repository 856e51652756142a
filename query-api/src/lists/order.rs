//! `ordering=`: contract § 5.

/// Columns to order by, the last one always `id`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order(Vec<(&'static str, bool)>);

impl Order {
    /// What the parameter asks for among the allowed fields; else newest first. PostgreSQL puts nulls last when
    /// ascending and first when descending, as the contract does.
    pub fn of(parameter: Option<&str>, allowed: &'static [&'static str], newest: &'static str) -> Self {
        let terms = parameter.unwrap_or_default().split(',').map(str::trim);
        let mut columns: Vec<(&'static str, bool)> = Vec::new();
        for term in terms {
            let (name, descending) = term.strip_prefix('-').map_or((term, false), |name| (name, true));
            let known = allowed.iter().find(|allowed| **allowed == name);
            // a column that has been ordered by already decides nothing more
            if let Some(column) = known.filter(|column| columns.iter().all(|(seen, _)| seen != *column)) {
                columns.push((column, descending));
            }
        }
        if columns.is_empty() {
            columns.push((newest, true));
        }
        // in the direction of the last column, so that one index serves both
        let descending = columns.last().is_some_and(|(_, descending)| *descending);
        columns.push(("id", descending));
        Self(columns)
    }

    /// The columns of `table` behind `ORDER BY`.
    pub fn sql(&self, table: &str) -> String {
        let terms = self
            .0
            .iter()
            .map(|(column, descending)| format!("{table}.\"{column}\" {}", if *descending { "DESC" } else { "ASC" }));
        terms.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, r#"t."start_time" DESC, t."id" DESC"#)]
    #[case(Some("end_time"), r#"t."end_time" ASC, t."id" ASC"#)]
    #[case(Some("-end_time, start_time"), r#"t."end_time" DESC, t."start_time" ASC, t."id" ASC"#)]
    #[case(Some("user_id,--start_time,"), r#"t."start_time" DESC, t."id" DESC"#)]
    #[case(Some("end_time,-end_time"), r#"t."end_time" ASC, t."id" ASC"#)]
    #[case(Some("id; DROP TABLE session"), r#"t."start_time" DESC, t."id" DESC"#)]
    fn only_allowed_columns_are_ordered_by_and_the_id_breaks_ties(#[case] parameter: Option<&str>, #[case] sql: &str) {
        assert_eq!(Order::of(parameter, &["start_time", "end_time"], "start_time").sql("t"), sql);
    }
}
