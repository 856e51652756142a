//! `count`: exact, capped or none (contract § 5).

use super::question;
use crate::{condition::Condition, error::QueryError, paging::Parameters};
use service::resource::Resource;
use sqlx::PgPool;

/// How far a capped count goes.
const CAP: i64 = 10_000;

const TOO_SLOW: &str = "Counting what matches took too long. Ask for less, for instance for a shorter time or one \
                        session; or do without the exact number: count=capped, count=none.";

/// How rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    Exact,
    Capped,
    None,
}

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// `None` when nobody wanted to know.
    pub count: Option<i64>,
    /// There are more.
    pub capped: bool,
}

impl Count {
    /// What the parameter asks for; exact unless it says otherwise.
    pub fn of(parameters: &Parameters) -> Self {
        match parameters.get("count").map(crate::text::trimmed) {
            Some("capped") => Self::Capped,
            Some("none") => Self::None,
            _ => Self::Exact,
        }
    }

    /// Counts. Where the roll-ups know the number, it costs the same whatever the size of the tables.
    pub async fn run(self, pool: &PgPool, resource: Resource, conditions: &[Condition]) -> Result<Counted, QueryError> {
        if self == Self::None {
            return Ok(Counted { count: None, capped: false });
        }
        let most = (self == Self::Capped).then_some(CAP + 1);
        let count =
            match (resource, conditions) {
                (_, []) => {
                    sqlx::query_scalar("SELECT coalesce(sum(rows), 0)::bigint FROM row_count WHERE resource = $1")
                        .bind(counter(resource))
                        .fetch_one(pool)
                        .await?
                }
                (Resource::Interactions, [Condition::Types(types)]) => sqlx::query_scalar(
                    "SELECT coalesce(sum(interactions), 0)::bigint FROM daily_interaction WHERE event_type = ANY($1)",
                )
                .bind(types)
                .fetch_one(pool)
                .await?,
                _ => question::count(pool, resource, conditions, most)
                    .await
                    .map_err(|error| QueryError::of_question(error, TOO_SLOW))?,
            };
        Ok(match self {
            Self::Capped => Counted { count: Some(count.min(CAP)), capped: count > CAP },
            _ => Counted { count: Some(count), capped: false },
        })
    }
}

/// Its name in `row_count`.
fn counter(resource: Resource) -> &'static str {
    match resource {
        Resource::Sessions => "session",
        Resource::PageViews => "page_view",
        Resource::Interactions => "interaction",
    }
}
