use super::{PostgresLog, lookup};
use crate::ReadError;

impl PostgresLog {
    /// Deletes the records of a partition below the offset `to`, `chunk` at a time so that no transaction is long.
    /// `low` moves in the same transaction as its records go. Gives the number of deleted records.
    ///
    /// No command calls it: Footfall keeps the whole log, as Kafka does with the topics that it makes. What comes
    /// after a beginning that is gone is part of the log's contract all the same, and is tried through this.
    pub async fn trim(&self, partition: u16, to: i64, chunk: i64) -> Result<u64, ReadError> {
        let to = to.min(lookup::watermarks(&self.pool, partition).await?.high);
        let mut deleted = 0;
        loop {
            let mut transaction = self.pool.begin().await?;
            let low: i64 = sqlx::query_scalar("SELECT low FROM partition WHERE partition = $1 FOR UPDATE")
                .bind(i32::from(partition))
                .fetch_one(&mut *transaction)
                .await?;
            if low >= to {
                return Ok(deleted);
            }
            let next = to.min(low.saturating_add(chunk.max(1)));
            deleted += sqlx::query(r#"DELETE FROM record WHERE partition = $1 AND "offset" >= $2 AND "offset" < $3"#)
                .bind(i32::from(partition))
                .bind(low)
                .bind(next)
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            sqlx::query("UPDATE partition SET low = $2 WHERE partition = $1")
                .bind(i32::from(partition))
                .bind(next)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
        }
    }
}
