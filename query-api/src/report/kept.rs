//! Days that have been added up before. A day is taken from here while its number of changes in the database is the
//! same, so nothing in here is ever too old; how much is kept is bounded.

use super::{day::DayRows, window::Window};
use chrono::NaiveDate;
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, sync::Cache, sync::DefaultLifecycle};
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc};
use uuid::Uuid;

/// A day of a read model.
type Key = (Uuid, NaiveDate);

/// Days that there is room for from the start; there may be more.
const DAYS: usize = 800;

/// What is kept.
pub(crate) struct Kept(Cache<Key, Arc<DayRows>, Bytes>);

#[derive(Clone)]
struct Bytes;

impl Weighter<Key, Arc<DayRows>> for Bytes {
    fn weight(&self, _: &Key, rows: &Arc<DayRows>) -> u64 {
        u64::try_from(rows.bytes() + size_of::<Key>()).unwrap_or(u64::MAX)
    }
}

impl Kept {
    /// Room for as many bytes; with none, nothing is kept.
    pub fn new(bytes: u64) -> Self {
        // one shard: a day may take all the room there is
        let options = OptionsBuilder::new().estimated_items_capacity(DAYS).weight_capacity(bytes).shards(1).build();
        let options = options.expect("capacities are given");
        Self(Cache::with_options(options, Bytes, DefaultHashBuilder::default(), DefaultLifecycle::default()))
    }

    /// The days of some windows that have anything in them, as the snapshot of a transaction has them.
    pub(super) async fn days<'a>(
        &'a self,
        snapshot: &'a mut PgConnection,
        windows: &[Window],
    ) -> sqlx::Result<Days<'a>> {
        let generation: Option<Uuid> =
            sqlx::query_scalar("SELECT generation FROM read_model").fetch_optional(&mut *snapshot).await?;
        let first: Vec<NaiveDate> = windows.iter().map(|window| window.first).collect();
        let last: Vec<NaiveDate> = windows.iter().map(|window| window.last).collect();
        let changes: Vec<(NaiveDate, i64)> = sqlx::query_as(
            "SELECT day, sum(changes)::bigint FROM daily_change \
             JOIN UNNEST($1::date[], $2::date[]) AS w(first, last) ON day BETWEEN first AND last GROUP BY day",
        )
        .bind(first)
        .bind(last)
        .fetch_all(&mut *snapshot)
        .await?;
        let changes = changes.into_iter().collect();
        Ok(Days { kept: self, snapshot, generation: generation.unwrap_or_default(), changes })
    }
}

/// Days in a snapshot.
pub(super) struct Days<'a> {
    kept: &'a Kept,
    /// For other questions in the same snapshot.
    pub snapshot: &'a mut PgConnection,
    generation: Uuid,
    /// The number of each day that has ever had anything.
    changes: BTreeMap<NaiveDate, i64>,
}

impl Days<'_> {
    /// A day; none that has never had anything.
    pub async fn get(&mut self, day: NaiveDate) -> sqlx::Result<Option<Arc<DayRows>>> {
        let Some(changes) = self.changes.get(&day).copied() else { return Ok(None) };
        let key = (self.generation, day);
        if let Some(rows) = self.kept.0.get(&key).filter(|rows| rows.changes == changes) {
            return Ok(Some(rows));
        }
        let rows = Arc::new(DayRows::read(self.snapshot, day, changes).await?);
        self.kept.0.insert(key, rows.clone());
        Ok(Some(rows))
    }
}
