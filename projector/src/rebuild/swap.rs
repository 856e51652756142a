use schema::migrations::{PREVIOUS_SCHEMA as PREVIOUS, READ_MODEL_SCHEMA as LIVE, REBUILD_SCHEMA as NEXT};
use service::database::Database;
use sqlx::{Connection, Executor, PgConnection};

/// Drops what an earlier rebuild has left.
pub(super) async fn drop_unfinished(database: &Database) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect_with(&database.options_for(NEXT, "footfall rebuild")).await?;
    connection.execute(format!("DROP SCHEMA IF EXISTS {NEXT} CASCADE").as_str()).await?;
    connection.close().await
}

/// Puts the new read model in place, in one transaction. The old checkpoints are fenced first: a projector that
/// still holds one of them would otherwise go on in the new tables with what they hold already. `connection` is the
/// one that holds the rebuild's lock, so that nothing is swapped without it.
pub(super) async fn swap(connection: &mut PgConnection, has_live: bool) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    if has_live {
        let fence = format!(
            "UPDATE {LIVE}.checkpoint SET fenced_offset = next_offset, next_offset = -1 WHERE next_offset <> -1"
        );
        transaction.execute(fence.as_str()).await?;
    }
    transaction.execute(format!("DROP SCHEMA IF EXISTS {PREVIOUS} CASCADE").as_str()).await?;
    let live: bool =
        sqlx::query_scalar("SELECT to_regnamespace($1) IS NOT NULL").bind(LIVE).fetch_one(&mut *transaction).await?;
    if live {
        transaction.execute(format!("ALTER SCHEMA {LIVE} RENAME TO {PREVIOUS}").as_str()).await?;
    }
    transaction.execute(format!("ALTER SCHEMA {NEXT} RENAME TO {LIVE}").as_str()).await?;
    transaction.commit().await
}
