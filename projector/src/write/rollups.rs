//! Roll-ups and row counts: one sorted upsert a table, each on the rows of this partition's shard alone.

use crate::projection::{HourTotals, RollUps, SessionTotals};
use chrono::NaiveDate;
use schema::InteractionKind;
use sqlx::PgConnection;

/// A roll-up of one number. Its key is the day, perhaps an id, perhaps a kind, and the shard.
struct Counts {
    table: &'static str,
    /// The columns of its key but for the shard.
    key: &'static str,
    /// What goes into them, out of `n(day, id, kind, by)`.
    from: &'static str,
    /// The column that is added to.
    number: &'static str,
}

/// What is added, and to which row.
struct Change {
    day: NaiveDate,
    id: i64,
    kind: &'static str,
    by: i64,
}

const DURATIONS: Counts =
    Counts { table: "daily_duration", key: "day, class", from: "n.day, n.id", number: "sessions" };
const PAGE_VIEWS: Counts =
    Counts { table: "daily_page_view", key: "day, url_id", from: "n.day, n.id", number: "page_views" };
const CLIENT_PAGE_VIEWS: Counts =
    Counts { table: "daily_client_page_view", key: "day, client_id", from: "n.day, n.id", number: "page_views" };
const INTERACTIONS: Counts =
    Counts { table: "daily_interaction", key: "day, event_type", from: "n.day, n.kind", number: "interactions" };
const CLIENT_INTERACTIONS: Counts = Counts {
    table: "daily_client_interaction",
    key: "day, client_id, event_type",
    from: "n.day, n.id, n.kind",
    number: "interactions",
};
const ELEMENTS: Counts = Counts {
    table: "daily_element",
    key: "day, element_id, event_type",
    from: "n.day, n.id, n.kind",
    number: "interactions",
};

/// Adds the changes of a batch. Rows that come to nothing are deleted, so that the tables hold what SQL over the
/// facts would give.
pub(super) async fn write(connection: &mut PgConnection, partition: u16, changes: &RollUps) -> sqlx::Result<()> {
    // partitions are below 8,192
    let shard = i16::try_from(partition).unwrap_or(i16::MAX);
    sessions(connection, shard, changes).await?;
    let by_id = |((day, id), by): (&(NaiveDate, i64), &i64)| Change { day: *day, id: *id, kind: "", by: *by };
    let by_kind = |((day, id, kind), by): (&(NaiveDate, i64, InteractionKind), &i64)| Change {
        day: *day,
        id: *id,
        kind: kind.as_str(),
        by: *by,
    };
    let durations =
        changes.durations.iter().map(|((day, class), by)| Change { day: *day, id: (*class).into(), kind: "", by: *by });
    let interactions =
        changes.interactions.iter().map(|((day, kind), by)| Change { day: *day, id: 0, kind: kind.as_str(), by: *by });
    counts(connection, shard, &DURATIONS, durations.collect()).await?;
    counts(connection, shard, &PAGE_VIEWS, changes.page_views.iter().map(by_id).collect()).await?;
    counts(connection, shard, &CLIENT_PAGE_VIEWS, changes.client_page_views.iter().map(by_id).collect()).await?;
    counts(connection, shard, &INTERACTIONS, interactions.collect()).await?;
    counts(connection, shard, &CLIENT_INTERACTIONS, changes.client_interactions.iter().map(by_kind).collect()).await?;
    counts(connection, shard, &ELEMENTS, changes.elements.iter().map(by_kind).collect()).await?;
    hours(connection, shard, changes).await?;
    days(connection, shard, changes).await?;
    row_counts(connection, shard, changes).await
}

async fn counts(
    connection: &mut PgConnection,
    shard: i16,
    Counts { table, key, from, number }: &Counts,
    mut changes: Vec<Change>,
) -> sqlx::Result<()> {
    const NEW: &str = "UNNEST($2::date[], $3::bigint[], $4::text[], $5::bigint[]) AS n(day, id, kind, by)";
    let upsert = format!(
        "INSERT INTO {table} AS d ({key}, shard, {number}) SELECT {from}, $1, n.by FROM {NEW}
         ON CONFLICT ({key}, shard) DO UPDATE SET {number} = d.{number} + excluded.{number}"
    );
    let clear = format!(
        "DELETE FROM {table} d USING {NEW} WHERE ({}) = ({from}) AND d.shard = $1 AND d.{number} = 0",
        key.split(", ").map(|column| format!("d.{column}")).collect::<Vec<_>>().join(", ")
    );
    for statement in [upsert, clear] {
        if changes.is_empty() {
            break;
        }
        sqlx::query(&statement)
            .bind(shard)
            .bind(changes.iter().map(|change| change.day).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.id).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.kind).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.by).collect::<Vec<_>>())
            .execute(&mut *connection)
            .await?;
        // only what became less can be nothing now
        changes.retain(|change| change.by < 0);
    }
    Ok(())
}

async fn sessions(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    if changes.sessions.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = changes.sessions.keys().map(|key| key.0).collect();
    let column = |pick: fn(&SessionTotals) -> i64| changes.sessions.values().map(pick).collect::<Vec<_>>();
    sqlx::query(
        "INSERT INTO daily_session AS d
                (day, client_id, shard, sessions, ended, duration_us, page_views, single_page)
         SELECT day, client_id, $1, sessions, ended, duration_us::numeric, page_views, single_page
         FROM UNNEST($2::date[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[])
              AS n(day, client_id, sessions, ended, duration_us, page_views, single_page)
         ON CONFLICT (day, client_id, shard) DO UPDATE
         SET sessions = d.sessions + excluded.sessions, ended = d.ended + excluded.ended,
             duration_us = d.duration_us + excluded.duration_us, page_views = d.page_views + excluded.page_views,
             single_page = d.single_page + excluded.single_page",
    )
    .bind(shard)
    .bind(&days)
    .bind(changes.sessions.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind(column(|totals| totals.sessions))
    .bind(column(|totals| totals.ended))
    .bind(changes.sessions.values().map(|totals| totals.duration_us.to_string()).collect::<Vec<_>>())
    .bind(column(|totals| totals.page_views))
    .bind(column(|totals| totals.single_page))
    .execute(&mut *connection)
    .await?;
    if changes.sessions.values().any(|totals| totals.sessions < 0) {
        sqlx::query("DELETE FROM daily_session WHERE shard = $1 AND day = ANY($2) AND sessions = 0")
            .bind(shard)
            .bind(&days)
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn hours(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    const NEW: &str = "UNNEST($2::date[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[])
                       AS n(day, hour, sessions, page_views, interactions)";
    let upsert = format!(
        "INSERT INTO hourly AS h (day, hour, shard, sessions, page_views, interactions)
         SELECT day, hour, $1, sessions, page_views, interactions FROM {NEW}
         ON CONFLICT (day, hour, shard) DO UPDATE
         SET sessions = h.sessions + excluded.sessions, page_views = h.page_views + excluded.page_views,
             interactions = h.interactions + excluded.interactions"
    );
    let clear = format!(
        "DELETE FROM hourly h USING {NEW} WHERE (h.day, h.hour, h.shard) = (n.day, n.hour, $1)
         AND (h.sessions, h.page_views, h.interactions) = (0, 0, 0)"
    );
    let fewer = |totals: &HourTotals| totals.sessions.min(totals.page_views).min(totals.interactions) < 0;
    for (statement, wanted) in [(upsert, !changes.hours.is_empty()), (clear, changes.hours.values().any(fewer))] {
        if !wanted {
            break;
        }
        let column = |pick: fn(&HourTotals) -> i64| changes.hours.values().map(pick).collect::<Vec<_>>();
        sqlx::query(&statement)
            .bind(shard)
            .bind(changes.hours.keys().map(|when| when.day).collect::<Vec<_>>())
            .bind(changes.hours.keys().map(|when| when.hour).collect::<Vec<_>>())
            .bind(column(|totals| totals.sessions))
            .bind(column(|totals| totals.page_views))
            .bind(column(|totals| totals.interactions))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Tells whoever keeps a day's numbers that they are others now.
async fn days(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    let days: Vec<NaiveDate> = changes.days().into_iter().collect();
    if days.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO daily_change AS d (day, shard, changes) SELECT day, $1, 1 FROM UNNEST($2::date[]) AS n(day)
         ON CONFLICT (day, shard) DO UPDATE SET changes = d.changes + 1",
    )
    .bind(shard)
    .bind(days)
    .execute(connection)
    .await
    .map(drop)
}

async fn row_counts(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    let counts = [
        ("interaction", changes.interaction_rows),
        ("page_view", changes.page_view_rows),
        ("session", changes.session_rows),
    ];
    let (resources, rows): (Vec<&str>, Vec<i64>) = counts.into_iter().filter(|(_, rows)| *rows != 0).unzip();
    if resources.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO row_count AS c (resource, shard, rows)
         SELECT resource, $1, rows FROM UNNEST($2::text[], $3::bigint[]) AS n(resource, rows)
         ON CONFLICT (resource, shard) DO UPDATE SET rows = c.rows + excluded.rows",
    )
    .bind(shard)
    .bind(resources)
    .bind(rows)
    .execute(connection)
    .await
    .map(drop)
}
