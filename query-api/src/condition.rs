//! What rows of a list have to fulfil, and its SQL: values are bound parameters, every other word stands here.

use crate::columns::Column;
use chrono::{DateTime, Utc};
use service::resource::Resource;
use sqlx::{Postgres, QueryBuilder};
use std::net::IpAddr;

/// The row that conditions are about is called `t`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Id(i64),
    Time {
        column: Column,
        is: Comparison,
        at: DateTime<Utc>,
    },
    /// The whole text, to the letter.
    Equal(Text, String),
    /// A pattern, whatever the case.
    Like(Text, String),
    /// Whether the column is null.
    Missing {
        column: &'static str,
        missing: bool,
    },
    Address(IpAddr),
    /// An event of the session with this primary key.
    Session(i64),
    /// An event of the session with this text or, if there is none and the text is a number, with this primary key.
    SessionKnownAs(String),
    Types(Vec<&'static str>),
    /// What stands under the path is one of these JSON values.
    Metadata {
        path: Vec<String>,
        values: Vec<String>,
    },
    /// One of them holds.
    AnyOf(Vec<Condition>),
    /// The column is one of these.
    OneOf(&'static str, Vec<i64>),
}

/// What is done with the rows. It decides how texts in other tables are looked at: PostgreSQL would go through all of
/// them even where a page is full after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The first ones in an order: each row's text, as the row passes.
    FirstRows,
    /// All of them: in whatever way is best.
    All,
}

/// How a time is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    AtLeast,
    AtMost,
    Below,
}

/// A text that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    SessionId,
    UserId,
    Address,
    UserAgent,
    Url,
    Element,
    SessionOfEvent,
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// In the row: as it is, and without its case.
    Here { text: &'static str, folded: &'static str },
    /// In another table, whose `id` the row has in a column.
    There { column: &'static str, table: &'static str, text: &'static str },
}

impl Text {
    /// What a resource calls by this name in its list of searched fields.
    pub fn searchable(resource: Resource, name: &str) -> Option<Self> {
        Some(match (resource, name) {
            (Resource::Sessions, "session_id") => Self::SessionId,
            (Resource::Sessions, "user_agent") => Self::UserAgent,
            (Resource::Sessions, "ip_address") => Self::Address,
            (Resource::Sessions, "user_id") => Self::UserId,
            (Resource::PageViews, "url") => Self::Url,
            (Resource::Interactions, "element") => Self::Element,
            (Resource::PageViews | Resource::Interactions, "session_id") => Self::SessionOfEvent,
            _ => return None,
        })
    }

    /// Where it is.
    pub fn place(self) -> Place {
        match self {
            Self::SessionId => Place::Here { text: "t.session_id", folded: "fold(t.session_id)" },
            Self::UserId => Place::Here { text: "t.user_id", folded: "fold(t.user_id)" },
            Self::Address => Place::Here { text: "host(t.ip_address)", folded: "host(t.ip_address)" },
            Self::UserAgent => Place::There { column: "t.user_agent_id", table: "user_agent", text: "text" },
            Self::Url => Place::There { column: "t.url_id", table: "url", text: "text" },
            Self::Element => Place::There { column: "t.element_id", table: "element", text: "text" },
            Self::SessionOfEvent => Place::There { column: "t.session", table: "session", text: "session_id" },
        }
    }
}

impl Condition {
    /// That nothing fulfils.
    pub fn never() -> Self {
        Self::OneOf("t.id", Vec::new())
    }

    /// Whether nothing can fulfil it, whatever the rows.
    pub fn is_never(&self) -> bool {
        matches!(self, Self::OneOf(_, values) if values.is_empty())
    }

    /// Writes it behind what is there.
    pub fn push<'a>(&'a self, sql: &mut QueryBuilder<'a, Postgres>, read: Read) {
        match self {
            Self::Id(id) => {
                sql.push("t.id = ").push_bind(*id);
            }
            Self::Session(id) => {
                sql.push("t.session = ").push_bind(*id);
            }
            Self::Time { column, is, at } => {
                if *column == Column::EndTime && *is == Comparison::AtLeast {
                    sql.push("t.end_time IS NOT NULL AND ");
                }
                sql.push(column.compared("t")).push(is.operator()).push_bind(*at);
            }
            Self::Equal(text, value) => match text.place() {
                Place::Here { text, .. } => {
                    sql.push(text).push(" = ").push_bind(value);
                }
                Place::There { column, table, text } => {
                    sql.push(format_args!("{column} IN (SELECT id FROM {table} WHERE {text} = "));
                    sql.push_bind(value).push(")");
                }
            },
            Self::Like(text, pattern) => match text.place() {
                Place::Here { folded, .. } => {
                    sql.push(folded).push(" LIKE fold(").push_bind(pattern).push(")");
                }
                Place::There { column, table, text } if read == Read::FirstRows => {
                    sql.push(format_args!("fold((SELECT x.{text} FROM {table} x WHERE x.id = {column})) LIKE fold("));
                    sql.push_bind(pattern).push(")");
                }
                Place::There { column, table, text } => {
                    sql.push(format_args!(
                        "EXISTS (SELECT FROM {table} x WHERE x.id = {column} AND fold(x.{text}) LIKE fold("
                    ));
                    sql.push_bind(pattern).push("))");
                }
            },
            Self::Missing { column: "end_time", missing } => {
                let is = if *missing { " = " } else { " < " };
                sql.push(Column::EndTime.compared("t")).push(is).push("'infinity'::timestamptz");
            }
            Self::Missing { column, missing } => {
                sql.push(format_args!("t.{column} IS {}NULL", if *missing { "" } else { "NOT " }));
            }
            Self::Address(address) => {
                sql.push("t.ip_address = ").push_bind(*address);
            }
            Self::SessionKnownAs(text) => {
                sql.push("t.session = (SELECT id FROM session WHERE session_id = ").push_bind(text).push(")");
            }
            Self::Types(types) => {
                sql.push("t.event_type = ANY(").push_bind(types).push(")");
            }
            Self::Metadata { path, values } => {
                sql.push("t.metadata #> ").push_bind(path).push(" = ANY(").push_bind(values).push("::text[]::jsonb[])");
            }
            Self::AnyOf(conditions) => {
                sql.push("(");
                for (at, condition) in conditions.iter().enumerate() {
                    sql.push(if at == 0 { "" } else { " OR " });
                    condition.push(sql, read);
                }
                sql.push(")");
            }
            Self::OneOf(_, values) if values.is_empty() => {
                sql.push("false");
            }
            Self::OneOf(column, values) => {
                sql.push(column).push(" = ANY(").push_bind(values).push(")");
            }
        }
    }
}

impl Comparison {
    fn operator(self) -> &'static str {
        match self {
            Self::Equal => " = ",
            Self::AtLeast => " >= ",
            Self::AtMost => " <= ",
            Self::Below => " < ",
        }
    }
}
