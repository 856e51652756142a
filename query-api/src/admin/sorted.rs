//! Lists by a text that stands in another table, such as page views by their URL. No index of the facts has this order,
//! and sorting all of them takes too long. So the texts are walked in their order, and the rows of each are found
//! through an index, the newest first, until a page is full.

use crate::{
    error::QueryError,
    lists::{self, TOO_SLOW},
    routes::QueryApi,
};
use service::resource::Resource;
use sqlx::postgres::PgRow;

/// As many rows are sorted at once.
pub(super) const FEW: i64 = 10_000;

/// Rows that a page can be away from the beginning of such an order.
const FARTHEST: i64 = 10_000;

/// How the rows of a list can be had in an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// An index has it, or the rows are few.
    Plain,
    /// All rows, by the texts that they point to.
    Walk { column: &'static str, descending: bool },
    /// Not at all.
    TooMany,
}

/// Columns whose texts are in another table, or of which no index has the order.
const ELSEWHERE: [&str; 5] = ["user_agent", "url", "element", "session", "event_type"];

/// The way for an `ordering` of these columns; `narrowed` is whether conditions hold, `few` whether what they leave can
/// be sorted, `end` where the page ends.
pub(super) fn way(ordering: &str, columns: &[&'static str], narrowed: bool, few: bool, end: i64) -> Way {
    let terms = ordering.split(',').map(crate::text::trimmed);
    let terms: Vec<(&str, bool)> =
        terms.map(|term| term.strip_prefix('-').map_or((term, false), |name| (name, true))).collect();
    let elsewhere = |name: &str| columns.iter().find(|column| **column == name && ELSEWHERE.contains(column));
    let Some(column) = terms.iter().find_map(|(name, _)| elsewhere(name)) else { return Way::Plain };
    match terms.as_slice() {
        [(_, descending)] if !narrowed && end <= FARTHEST => Way::Walk { column, descending: *descending },
        _ if few => Way::Plain,
        _ => Way::TooMany,
    }
}

/// The order as the tables have it: what is equal in these columns comes by its time, which is how their indexes go on.
pub(super) fn with_time(ordering: &str) -> String {
    match ordering {
        "user_id" | "ip_address" => format!("{ordering},start_time"),
        "-user_id" | "-ip_address" => format!("{ordering},-start_time"),
        other => other.to_owned(),
    }
}

/// Ids of a page: `$1` rows of a text are of any use, `$2` are wanted behind the first `$3`, `$4` is the zone.
fn statement(resource: Resource, column: &str, descending: bool) -> String {
    let direction = if descending { "DESC" } else { "ASC" };
    let (table, time) = match resource {
        Resource::Sessions => ("session", "start_time"),
        Resource::PageViews => ("page_view", "\"timestamp\""),
        Resource::Interactions => ("interaction", "\"timestamp\""),
    };
    let text = format!("left(x.text, 600) COLLATE \"C\" {direction}, x.id {direction}");
    let (texts, is_of, order) = match column {
        "user_agent" => ("user_agent x", "user_agent_id = x.id", text),
        "url" => ("url x", "url_id = x.id", text),
        "element" => ("element x", "element_id = x.id", text),
        "session" => ("session x", "session = x.id", format!("x.session_id {direction}")),
        // the roll-up tells on which days there are any
        _ => (
            "(SELECT event_type, day FROM daily_interaction GROUP BY 1, 2 HAVING sum(interactions) > 0 \
              ORDER BY event_type {direction}, day DESC) x",
            "event_type = x.event_type AND \"timestamp\" >= x.day::timestamp AT TIME ZONE $4 \
             AND \"timestamp\" < (x.day + 1)::timestamp AT TIME ZONE $4",
            format!("x.event_type {direction}, x.day DESC"),
        ),
    };
    let texts = texts.replace("{direction}", direction);
    format!(
        "SELECT r.id FROM {texts} CROSS JOIN LATERAL ( \
            SELECT id, {time} AS at FROM {table} WHERE {is_of} ORDER BY {time} DESC, id DESC LIMIT $1) r \
         WHERE $4::text IS NOT NULL ORDER BY {order}, r.at DESC, r.id DESC LIMIT $2 OFFSET $3"
    )
}

/// The rows of a page in such an order.
pub(super) async fn walk(
    api: &QueryApi,
    resource: Resource,
    (column, descending): (&str, bool),
    limit: i64,
    offset: i64,
) -> Result<Vec<PgRow>, QueryError> {
    let pool = &api.inner.pool;
    let too_slow = |error| QueryError::of_question(error, TOO_SLOW);
    let ids: Vec<i64> = sqlx::query_scalar(&statement(resource, column, descending))
        .bind(limit + offset)
        .bind(limit)
        .bind(offset)
        .bind(api.inner.zone.name())
        .fetch_all(pool)
        .await
        .map_err(too_slow)?;
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        // what has gone in between is gone
        rows.extend(lists::one(pool, resource, id, &[]).await.map_err(too_slow)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const COLUMNS: [&str; 3] = ["session", "url", "timestamp"];

    #[rstest]
    #[case("", false, false, 11, Way::Plain)]
    #[case("-timestamp", true, false, 11, Way::Plain)]
    #[case("url", false, false, 10_000, Way::Walk { column: "url", descending: false })]
    #[case("-session", false, true, 11, Way::Walk { column: "session", descending: true })]
    #[case("url", false, false, 10_001, Way::TooMany)]
    #[case("url,-session", false, false, 11, Way::TooMany)]
    #[case("-timestamp,url", true, true, 11, Way::Plain)]
    #[case("url", true, true, 9_011, Way::Plain)]
    #[case("url", true, false, 11, Way::TooMany)]
    // no column of this list
    #[case("element", false, false, 11, Way::Plain)]
    fn an_order_that_no_index_has_is_walked_or_sorted_where_rows_are_few(
        #[case] ordering: &str,
        #[case] narrowed: bool,
        #[case] few: bool,
        #[case] end: i64,
        #[case] expected: Way,
    ) {
        assert_eq!(way(ordering, &COLUMNS, narrowed, few, end), expected);
    }
}
