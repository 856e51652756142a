//! What a session has brought in before, by day: needed when it turns out to be another client, or goes.

use super::admin::kind_of;
use crate::projection::{FactCount, RollUps, Session};
use chrono::NaiveDate;
use chrono_tz::Tz;
use sqlx::PgConnection;
use std::collections::HashMap;

/// Rows of the facts of some sessions: a session, a day, a kind (none for page views), how many.
const FACTS: &str = "
    SELECT session, (\"timestamp\" AT TIME ZONE $2)::date, NULL::text, count(*)
    FROM page_view WHERE session = ANY($1) GROUP BY 1, 2
    UNION ALL
    SELECT session, (\"timestamp\" AT TIME ZONE $2)::date, event_type, count(*)
    FROM interaction WHERE session = ANY($1) GROUP BY 1, 2, 3";

/// Moves the facts that are in the tables from the client that a session was to the one that it is. `changed` are
/// sessions as they were and as they are; those whose client stays cost nothing.
pub(super) async fn follow_clients(
    connection: &mut PgConnection,
    zone: Tz,
    changed: &[(&Session, &Session)],
    rollups: &mut RollUps,
) -> sqlx::Result<()> {
    let has_moved = |(old, new): &&(&Session, &Session)| {
        old.agent.client_id != new.agent.client_id && (old.page_views, old.interactions) != (0, 0)
    };
    let moved: Vec<_> = changed.iter().filter(has_moved).collect();
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = moved.iter().map(|(old, _)| old.id).collect();
    let rows: Vec<(i64, NaiveDate, Option<String>, i64)> =
        sqlx::query_as(FACTS).bind(ids).bind(zone.name()).fetch_all(connection).await?;
    let mut facts: HashMap<i64, Vec<FactCount>> = HashMap::new();
    for (session, day, kind, count) in rows {
        let kind = kind.as_deref().map(kind_of).transpose()?;
        facts.entry(session).or_default().push(FactCount { day, kind, count });
    }
    for (old, new) in moved {
        let facts = facts.get(&old.id).map(Vec::as_slice).unwrap_or_default();
        rollups.facts_changed(old.agent.client_id, facts, -1);
        rollups.facts_changed(new.agent.client_id, facts, 1);
    }
    Ok(())
}
