//! Roll-ups and row counts: one sorted upsert a table, each on the rows of this partition's shard alone.

use crate::projection::RollUps;
use chrono::NaiveDate;
use sqlx::PgConnection;

/// Adds the changes of a batch. Rows that come to nothing are deleted, so that the tables hold what SQL over the
/// facts would give.
pub(super) async fn write(connection: &mut PgConnection, partition: u16, changes: &RollUps) -> sqlx::Result<()> {
    // partitions are below 8,192
    let shard = i16::try_from(partition).unwrap_or(i16::MAX);
    sessions(connection, shard, changes).await?;
    browsers(connection, shard, changes).await?;
    page_views(connection, shard, changes).await?;
    interactions(connection, shard, changes).await?;
    row_counts(connection, shard, changes).await
}

async fn sessions(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    if changes.sessions.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = changes.sessions.keys().copied().collect();
    sqlx::query(
        "INSERT INTO daily_session AS d (day, shard, sessions, ended, duration_us)
         SELECT day, $1, sessions, ended, duration_us::numeric
         FROM UNNEST($2::date[], $3::bigint[], $4::bigint[], $5::text[]) AS n(day, sessions, ended, duration_us)
         ON CONFLICT (day, shard) DO UPDATE
         SET sessions = d.sessions + excluded.sessions, ended = d.ended + excluded.ended,
             duration_us = d.duration_us + excluded.duration_us",
    )
    .bind(shard)
    .bind(&days)
    .bind(changes.sessions.values().map(|totals| totals.sessions).collect::<Vec<_>>())
    .bind(changes.sessions.values().map(|totals| totals.ended).collect::<Vec<_>>())
    .bind(changes.sessions.values().map(|totals| totals.duration_us.to_string()).collect::<Vec<_>>())
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

async fn browsers(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    if changes.browsers.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = changes.browsers.keys().map(|key| key.0).collect();
    sqlx::query(
        "INSERT INTO daily_browser AS d (day, browser, shard, sessions)
         SELECT day, browser, $1, sessions FROM UNNEST($2::date[], $3::text[], $4::bigint[]) AS n(day, browser, sessions)
         ON CONFLICT (day, browser, shard) DO UPDATE SET sessions = d.sessions + excluded.sessions",
    )
    .bind(shard)
    .bind(&days)
    .bind(changes.browsers.keys().map(|key| key.1.as_str()).collect::<Vec<_>>())
    .bind(changes.browsers.values().copied().collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    if changes.browsers.values().any(|by| *by < 0) {
        sqlx::query("DELETE FROM daily_browser WHERE shard = $1 AND day = ANY($2) AND sessions = 0")
            .bind(shard)
            .bind(&days)
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn page_views(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    if changes.page_views.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO daily_page_view AS d (day, url_id, shard, page_views)
         SELECT day, url_id, $1, page_views FROM UNNEST($2::date[], $3::bigint[], $4::bigint[]) AS n(day, url_id, page_views)
         ON CONFLICT (day, url_id, shard) DO UPDATE SET page_views = d.page_views + excluded.page_views",
    )
    .bind(shard)
    .bind(changes.page_views.keys().map(|key| key.0).collect::<Vec<_>>())
    .bind(changes.page_views.keys().map(|key| key.1).collect::<Vec<_>>())
    .bind(changes.page_views.values().copied().collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    let fewer: Vec<(NaiveDate, i64)> =
        changes.page_views.iter().filter(|(_, by)| **by < 0).map(|(key, _)| *key).collect();
    if !fewer.is_empty() {
        sqlx::query(
            "DELETE FROM daily_page_view d USING UNNEST($2::date[], $3::bigint[]) AS n(day, url_id)
             WHERE d.day = n.day AND d.url_id = n.url_id AND d.shard = $1 AND d.page_views = 0",
        )
        .bind(shard)
        .bind(fewer.iter().map(|key| key.0).collect::<Vec<_>>())
        .bind(fewer.iter().map(|key| key.1).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    }
    Ok(())
}

async fn interactions(connection: &mut PgConnection, shard: i16, changes: &RollUps) -> sqlx::Result<()> {
    if changes.interactions.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = changes.interactions.keys().map(|key| key.0).collect();
    sqlx::query(
        "INSERT INTO daily_interaction AS d (day, event_type, shard, interactions)
         SELECT day, event_type, $1, interactions
         FROM UNNEST($2::date[], $3::text[], $4::bigint[]) AS n(day, event_type, interactions)
         ON CONFLICT (day, event_type, shard) DO UPDATE SET interactions = d.interactions + excluded.interactions",
    )
    .bind(shard)
    .bind(&days)
    .bind(changes.interactions.keys().map(|key| key.1.as_str()).collect::<Vec<_>>())
    .bind(changes.interactions.values().copied().collect::<Vec<_>>())
    .execute(&mut *connection)
    .await?;
    if changes.interactions.values().any(|by| *by < 0) {
        sqlx::query("DELETE FROM daily_interaction WHERE shard = $1 AND day = ANY($2) AND interactions = 0")
            .bind(shard)
            .bind(&days)
            .execute(connection)
            .await?;
    }
    Ok(())
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
