//! The first of many counts, with their texts.

use super::day::Count;
use schema::InteractionKind;
use sqlx::PgConnection;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

/// The first rows of a list, by count, and how long it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ranked {
    pub rows: Vec<Row>,
    /// How many rows there would be.
    pub of: i64,
    /// The sum of their counts, or of what they are a part of.
    pub total: i64,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub name: String,
    /// The type of interaction, in the list of elements.
    pub kind: String,
    pub count: i64,
}

/// The ids among these that have a text, in `url` or `element`.
pub(super) async fn texts(
    connection: &mut PgConnection,
    table: &'static str,
    ids: Vec<i64>,
) -> sqlx::Result<HashMap<i64, String>> {
    let sql = format!("SELECT id, text FROM {table} WHERE id = ANY($1)");
    let found: Vec<(i64, String)> = sqlx::query_as(&sql).bind(ids).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

/// The `most` greatest counts, equals in the order of their texts. Texts are in `table`, which is `url` or `element`.
pub(super) async fn first(
    connection: &mut PgConnection,
    table: &'static str,
    counts: Vec<Count>,
    most: usize,
) -> sqlx::Result<Vec<Row>> {
    let (sure, tied) = split(counts, most);
    let ids = |counts: &[Count]| counts.iter().map(|count| count.id).collect::<BTreeSet<_>>();
    let mut texts = texts(connection, table, ids(&sure).into_iter().collect()).await?;
    // of as many texts as there is room for, each brings in one count at least
    let sql = format!("SELECT id, text FROM {table} WHERE id = ANY($1) ORDER BY text COLLATE \"C\" LIMIT $2");
    if !tied.is_empty() {
        let room = i64::try_from(most - sure.len()).unwrap_or(i64::MAX);
        let of_tied: Vec<i64> = ids(&tied).into_iter().collect();
        let found: Vec<(i64, String)> = sqlx::query_as(&sql).bind(of_tied).bind(room).fetch_all(connection).await?;
        texts.extend(found);
    }
    let row = |count: Count| {
        let kind = InteractionKind::ALL.get(usize::from(count.kind)).filter(|_| table == "element");
        let kind = kind.map(|kind| kind.as_str().to_owned()).unwrap_or_default();
        Some(Row { name: texts.get(&count.id)?.clone(), kind, count: count.count })
    };
    let mut rows: Vec<Row> = sure.into_iter().chain(tied).filter_map(row).collect();
    in_order(&mut rows);
    rows.truncate(most);
    Ok(rows)
}

/// Those that are among the first `most` for sure, and those that share the last places with one another.
fn split(mut counts: Vec<Count>, most: usize) -> (Vec<Count>, Vec<Count>) {
    if counts.len() <= most {
        return (counts, Vec::new());
    }
    let Some(last) = most.checked_sub(1) else { return (Vec::new(), Vec::new()) };
    let (_, least, _) = counts.select_nth_unstable_by_key(last, |count| Reverse(count.count));
    let least = least.count;
    counts.retain(|count| count.count >= least);
    counts.into_iter().partition(|count| count.count > least)
}

/// The greatest first, equals by name and kind.
fn in_order(rows: &mut [Row]) {
    rows.sort_by(|one, other| {
        other.count.cmp(&one.count).then_with(|| (&one.name, &one.kind).cmp(&(&other.name, &other.kind)))
    });
}

impl Ranked {
    /// Of counts by name, `most` at most.
    pub fn of_names(counts: BTreeMap<&str, i64>, most: usize) -> Self {
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let row = |(name, count): (&str, i64)| Row { name: name.to_owned(), kind: String::new(), count };
        let mut rows: Vec<Row> = counts.map(row).collect();
        in_order(&mut rows);
        let (of, total) = (rows.len(), rows.iter().map(|row| row.count).sum());
        rows.truncate(most);
        Self { rows, of: i64::try_from(of).unwrap_or(i64::MAX), total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(counts: &[i64]) -> Vec<Count> {
        (1..).zip(counts).map(|(id, count)| Count { id, kind: 0, count: *count }).collect()
    }

    fn ids(counts: &[Count]) -> Vec<i64> {
        let mut ids: Vec<i64> = counts.iter().map(|count| count.id).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn those_who_share_the_last_places_are_told_from_those_before() {
        for (given, most, sure, tied) in [
            (&[5, 1, 3, 1, 1][..], 3, &[1, 3][..], &[2, 4, 5][..]),
            (&[5, 1, 3, 1, 1], 2, &[1], &[3]),
            (&[2, 2, 2], 1, &[], &[1, 2, 3]),
            (&[1, 2], 2, &[1, 2], &[]),
            (&[1, 2], 0, &[], &[]),
            (&[], 3, &[], &[]),
        ] {
            let (found_sure, found_tied) = split(counts(given), most);
            assert_eq!((ids(&found_sure).as_slice(), ids(&found_tied).as_slice()), (sure, tied), "{given:?} {most}");
        }
    }

    #[test]
    fn names_are_ranked_by_count_and_then_by_name() {
        let found = Ranked::of_names(BTreeMap::from([("b", 2), ("a", 2), ("c", 7), ("none", 0)]), 2);
        let names: Vec<&str> = found.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!((names, found.of, found.total), (vec!["c", "a"], 3, 11));
    }
}
