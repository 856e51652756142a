//! What is asked of the tables, as one statement each.

use super::{cursor::Cursor, order::Order, sessions::COLUMNS};
use crate::condition::{Condition, Read};
use service::resource::Resource;
use sqlx::{PgPool, Postgres, QueryBuilder, postgres::PgRow};

/// The words of a resource's statements.
struct Words {
    table: &'static str,
    /// What its rows are called outside, where texts and sessions are joined to them.
    alias: &'static str,
    columns: &'static str,
    joins: &'static str,
    /// The texts that can be long: whole, as far as a list shows them at once, and whether that is not all.
    whole: &'static str,
    beginning: &'static str,
    is_cut: &'static str,
}

/// Up to 4,096 characters of a user agent and 16 KiB of metadata are held of each of the 101 rows of a page: 4 MiB.
const USER_AGENT: &str = "a.text AS user_agent";
const CUT_USER_AGENT: &str = "left(a.text, 4096) AS user_agent";
const IS_USER_AGENT_CUT: &str = "octet_length(a.text) > 4096";

fn words(resource: Resource) -> Words {
    match resource {
        Resource::Sessions => Words {
            table: "session",
            alias: "s",
            columns: "",
            joins: "",
            whole: USER_AGENT,
            beginning: CUT_USER_AGENT,
            is_cut: IS_USER_AGENT_CUT,
        },
        Resource::PageViews => Words {
            table: "page_view",
            alias: "v",
            columns: "u.text AS url, v.timestamp, ",
            joins: "JOIN url u ON u.id = v.url_id JOIN session s ON s.id = v.session",
            whole: USER_AGENT,
            beginning: CUT_USER_AGENT,
            is_cut: IS_USER_AGENT_CUT,
        },
        Resource::Interactions => Words {
            table: "interaction",
            alias: "i",
            columns: "i.event_type, e.text AS element, i.timestamp, ",
            // written out once, however often it is spoken of: hence the OFFSET, which keeps the planner from merging
            joins: "JOIN element e ON e.id = i.element_id JOIN session s ON s.id = i.session \
                    CROSS JOIN LATERAL (SELECT i.metadata::text AS text OFFSET 0) m",
            whole: "a.text AS user_agent, m.text AS metadata",
            beginning: "left(a.text, 4096) AS user_agent, \
                        CASE WHEN octet_length(m.text) > 16384 THEN 'null' ELSE m.text END AS metadata",
            is_cut: "octet_length(a.text) > 4096 OR octet_length(m.text) > 16384",
        },
    }
}

/// Which rows of a list.
pub(crate) struct Rows<'a> {
    pub resource: Resource,
    pub conditions: &'a [Condition],
    pub order: &'a Order,
    /// Rows at most.
    pub limit: i64,
    /// Rows to pass over.
    pub offset: i64,
    /// Where to begin.
    pub cursor: Option<&'a Cursor>,
}

impl Rows<'_> {
    /// The rows in their order, also when the cursor asks for those before it. Long texts are cut in them, metadata is
    /// `null` instead; `is_cut` says so.
    pub async fn fetch(&self, pool: &PgPool) -> sqlx::Result<Vec<PgRow>> {
        let mut rows = self.statement().build().persistent(is_lasting(self.conditions)).fetch_all(pool).await?;
        if !self.is_forward() {
            rows.reverse();
        }
        Ok(rows)
    }

    fn is_forward(&self) -> bool {
        self.cursor.is_none_or(|cursor| cursor.forward)
    }

    /// What is asked: words of ours, and values bound to them.
    pub fn statement(&self) -> QueryBuilder<'_, Postgres> {
        let (words, forward) = (words(self.resource), self.is_forward());
        let alias = words.alias;
        let mut sql: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT ");
        sql.push(format_args!(
            "{alias}.id AS row_id, {}{COLUMNS}, {}, ({}) AS is_cut FROM (",
            words.columns, words.beginning, words.is_cut
        ));
        push_found(&mut sql, words.table, self.conditions, Read::FirstRows);
        if let Some(cursor) = self.cursor {
            sql.push(if self.conditions.is_empty() { " WHERE " } else { " AND " });
            self.order.push_beyond(&cursor.keys, cursor.forward, &mut sql);
        }
        sql.push(format_args!(" ORDER BY {} LIMIT ", self.order.sql("t", forward))).push_bind(self.limit);
        sql.push(" OFFSET ").push_bind(self.offset);
        sql.push(format_args!(
            ") {alias} {} JOIN user_agent a ON a.id = s.user_agent_id ORDER BY {}",
            words.joins,
            self.order.sql(alias, forward)
        ));
        sql
    }
}

/// The row with this id and its texts whole, if the conditions hold for it.
pub(crate) async fn one(
    pool: &PgPool,
    resource: Resource,
    id: i64,
    conditions: &[Condition],
) -> sqlx::Result<Option<PgRow>> {
    let words = words(resource);
    let alias = words.alias;
    let mut sql: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT ");
    sql.push(format_args!("{alias}.id AS row_id, {}{COLUMNS}, {} FROM (", words.columns, words.whole));
    push_found(&mut sql, words.table, conditions, Read::FirstRows);
    sql.push(if conditions.is_empty() { " WHERE t.id = " } else { " AND t.id = " }).push_bind(id);
    sql.push(format_args!(") {alias} {} JOIN user_agent a ON a.id = s.user_agent_id", words.joins));
    sql.build().persistent(is_lasting(conditions)).fetch_optional(pool).await
}

/// How many rows there are, counted up to `most` if there is one.
pub(super) async fn count(
    pool: &PgPool,
    resource: Resource,
    conditions: &[Condition],
    most: Option<i64>,
) -> sqlx::Result<i64> {
    counting(resource, conditions, most).build_query_scalar().persistent(false).fetch_one(pool).await
}

/// What is asked then.
pub(crate) fn counting(resource: Resource, conditions: &[Condition], most: Option<i64>) -> QueryBuilder<'_, Postgres> {
    let mut sql: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT count(*) FROM (");
    push_found(&mut sql, words(resource).table, conditions, Read::All);
    if let Some(most) = most {
        sql.push(" LIMIT ").push_bind(most);
    }
    sql.push(") t");
    sql
}

fn push_found<'a>(sql: &mut QueryBuilder<'a, Postgres>, table: &str, conditions: &'a [Condition], read: Read) {
    sql.push(format_args!("SELECT * FROM {table} t"));
    for (at, condition) in conditions.iter().enumerate() {
        sql.push(if at == 0 { " WHERE " } else { " AND " });
        condition.push(sql, read);
    }
}

/// Statements without conditions are few and asked often. The others are planned for their values: which index is
/// best depends on how rare a value is.
fn is_lasting(conditions: &[Condition]) -> bool {
    conditions.is_empty()
}
