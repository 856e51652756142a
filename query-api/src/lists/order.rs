//! `ordering=`: contract § 5, and where a page begins in an order.

use crate::{columns::Column, settings::FieldNames};
use service::resource::Resource;
use sqlx::{Postgres, QueryBuilder};

use super::cursor::Key;

/// Columns to order by, the last one always `id`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Order(Vec<(Column, bool)>);

impl Order {
    /// What the parameter asks for among the allowed fields; else newest first. Nulls are last ascending and first
    /// descending (see [`Column::compared`]).
    pub fn of(parameter: Option<&str>, allowed: &FieldNames, resource: Resource) -> Self {
        let terms = parameter.unwrap_or_default().split(',').map(crate::text::trimmed);
        let mut columns: Vec<(Column, bool)> = Vec::new();
        for term in terms {
            let (name, descending) = term.strip_prefix('-').map_or((term, false), |name| (name, true));
            let known = Column::named(name).filter(|_| allowed.contains(name));
            // a column that has been ordered by already decides nothing more
            if let Some(column) = known.filter(|column| columns.iter().all(|(seen, _)| seen != column)) {
                columns.push((column, descending));
            }
        }
        if columns.is_empty() {
            let newest = if resource == Resource::Sessions { Column::StartTime } else { Column::Timestamp };
            columns.push((newest, true));
        }
        // what comes behind the id decides nothing
        if let Some(id) = columns.iter().position(|(column, _)| *column == Column::Id) {
            columns.truncate(id + 1);
        } else {
            // in the direction of the last column, so that one index serves both
            let descending = columns.last().is_some_and(|(_, descending)| *descending);
            columns.push((Column::Id, descending));
        }
        Self(columns)
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = Column> {
        self.0.iter().map(|(column, _)| *column)
    }

    /// As one text, for what is bound to an order.
    pub fn name(&self) -> String {
        self.sql("t", true)
    }

    /// The columns of `table` behind `ORDER BY`; the other way round when not `forward`.
    pub fn sql(&self, table: &str, forward: bool) -> String {
        let terms = self.0.iter().map(|(column, descending)| {
            format!("{} {}", column.compared(table), if *descending == forward { "DESC" } else { "ASC" })
        });
        terms.collect::<Vec<_>>().join(", ")
    }

    /// What holds for rows of `t` behind the one with these keys; before it when not `forward`.
    pub fn push_beyond<'a>(&self, keys: &'a [Key], forward: bool, sql: &mut QueryBuilder<'a, Postgres>) {
        let terms: Vec<(Column, bool, &'a Key)> =
            self.0.iter().zip(keys).map(|((column, descending), key)| (*column, *descending == forward, key)).collect();
        let Some((first, below, key)) = terms.first().copied() else { return };
        // What follows says this as well, but only this tells which months need not be looked at.
        sql.push(first.compared("t")).push(if below { " <= " } else { " >= " });
        key.push(sql);
        sql.push(" AND ");
        if terms.iter().all(|(_, other, _)| *other == below) {
            let columns: Vec<String> = terms.iter().map(|(column, ..)| column.compared("t")).collect();
            sql.push(format_args!("({}) {} (", columns.join(", "), if below { "<" } else { ">" }));
            for (at, (_, _, key)) in terms.iter().enumerate() {
                sql.push(if at == 0 { "" } else { ", " });
                key.push(sql);
            }
            sql.push(")");
            return;
        }
        for (at, (column, below, key)) in terms.iter().enumerate() {
            let column = column.compared("t");
            sql.push(if at == 0 { "(" } else { " OR (" });
            sql.push(format_args!("{column} {} ", if *below { "<" } else { ">" }));
            key.push(sql);
            if at + 1 < terms.len() {
                sql.push(format_args!(" OR {column} = "));
                key.push(sql);
                // and what comes next decides
                sql.push(" AND (false");
            }
        }
        sql.push("))".repeat(terms.len() - 1)).push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FieldSettings;
    use clap::Parser;
    use rstest::rstest;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        fields: FieldSettings,
    }

    fn order(parameter: Option<&str>, allowed: &str) -> Order {
        let fields = Command::parse_from(["x", &format!("--sessions-ordering-fields={allowed}")]).fields;
        Order::of(parameter, fields.orderable(Resource::Sessions), Resource::Sessions)
    }

    const END: &str = "coalesce(t.end_time, 'infinity'::timestamptz)";

    #[rstest]
    #[case(None, "t.start_time DESC, t.id DESC")]
    #[case(Some("end_time"), "END ASC, t.id ASC")]
    #[case(Some("-end_time, start_time"), "END DESC, t.start_time ASC, t.id ASC")]
    #[case(Some("user_id,--start_time,"), "t.start_time DESC, t.id DESC")]
    #[case(Some("end_time,-end_time"), "END ASC, t.id ASC")]
    #[case(Some("id; DROP TABLE session"), "t.start_time DESC, t.id DESC")]
    fn only_allowed_columns_are_ordered_by_and_the_id_breaks_ties(#[case] parameter: Option<&str>, #[case] sql: &str) {
        assert_eq!(order(parameter, "start_time,end_time").sql("t", true), sql.replace("END", END));
    }

    #[test]
    fn the_id_can_be_asked_for_and_ends_the_order() {
        assert_eq!(order(Some("-id,start_time"), "id,start_time").sql("t", true), "t.id DESC");
        assert_eq!(order(Some("-id"), "").sql("t", true), "t.start_time DESC, t.id DESC");
    }

    #[test]
    fn a_page_begins_behind_the_last_row_of_the_one_before() {
        let keys = [Key::Time(Some(0)), Key::Number(7)];
        let sql = |order: Order, keys: &[Key], forward| {
            let mut sql = QueryBuilder::new("");
            order.push_beyond(keys, forward, &mut sql);
            sql.sql().to_owned()
        };
        assert_eq!(sql(order(None, ""), &keys, true), "t.start_time <= $1 AND (t.start_time, t.id) < ($2, $3)");
        assert_eq!(sql(order(None, ""), &keys, false), "t.start_time >= $1 AND (t.start_time, t.id) > ($2, $3)");
        let keys = [Key::Time(None), Key::Time(Some(0)), Key::Number(7)];
        let mixed = sql(order(Some("-end_time,start_time"), "end_time,start_time"), &keys, true);
        let expected = "END <= 'infinity'::timestamptz AND (END < 'infinity'::timestamptz OR END = 'infinity'::timestamptz \
                        AND (false OR (t.start_time > $1 OR t.start_time = $2 AND (false OR (t.id > $3)))))";
        assert_eq!(mixed, expected.replace("END", END));
    }
}
