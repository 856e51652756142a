//! The read model as the projector holds it: connections, what it was made for, caches.

use crate::{
    dimensions::Dimensions,
    patience::Patience,
    settings::STATEMENT_TIMEOUT,
    slices::Slices,
    write::is_outage,
    zone::{self, Disagreement},
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use event_log::LogId;
use sqlx::PgPool;
use uuid::Uuid;

/// Name of the projection in the table `checkpoint`.
pub const PROJECTION: &str = "read_model";

/// What the tables are made for; anything else asks for a rebuild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeFor {
    /// Days of the roll-ups are calendar days of this zone.
    pub zone: Tz,
    /// The log that the checkpoints are positions of.
    pub log_id: LogId,
    /// How many partitions it has.
    pub partitions: u16,
    /// Within how many days a client-given `event_id` is one event; 0 looks for no repetitions.
    pub deduplication_days: u16,
}

/// A read model, checked and ready to be written to.
#[derive(Debug)]
pub struct ReadModel {
    /// Connections whose bare table names mean this read model.
    pub pool: PgPool,
    /// What it is made for.
    pub made_for: MadeFor,
    /// Tells it from the read model that may take its place.
    pub generation: Uuid,
    /// How long PostgreSQL may take for a batch.
    pub patience: Patience,
    /// Interned texts.
    pub dimensions: Dimensions,
    /// Months and days that have tables.
    pub slices: Slices,
}

/// Why a read model cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// PostgreSQL is away: try again.
    #[error("PostgreSQL is not reachable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// There are no tables.
    #[error("the read model has no tables yet: type `footfall migrate`")]
    NotMigrated,
    /// It was made for something else.
    #[error("the read model was made for {what} {made_for}, and this is {found}: {way_out}")]
    MadeForOther {
        /// What differs.
        what: &'static str,
        /// What it was made for.
        made_for: String,
        /// What it is to be used with.
        found: String,
        /// What the operator can do.
        way_out: &'static str,
    },
    /// PostgreSQL's zone names do not have the configured one.
    #[error(
        "PostgreSQL does not know the time zone {0}: update its time zone data, or set FOOTFALL_TIME_ZONE to another"
    )]
    UnknownZone(String),
    /// PostgreSQL has the configured zone otherwise than this program.
    #[error(
        "PostgreSQL and Footfall do not agree about the time zone {zone}, so each would count days in its own way \
         ({disagreement}): \
         update the time zone data of PostgreSQL or update Footfall, or set FOOTFALL_TIME_ZONE to another, best one of \
         a place, like Europe/Paris"
    )]
    ZonesDiffer {
        /// The zone.
        zone: &'static str,
        /// When they differ, and by what.
        disagreement: Disagreement,
    },
    /// PostgreSQL refused for another reason.
    #[error("the read model cannot be used: {0}")]
    Refused(#[source] sqlx::Error),
}

impl From<sqlx::Error> for PrepareError {
    fn from(error: sqlx::Error) -> Self {
        match error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() {
            Some("42P01" | "3F000") => Self::NotMigrated,
            _ if is_outage(&error) => Self::Unavailable(error),
            _ => Self::Refused(error),
        }
    }
}

impl ReadModel {
    /// Checks that the tables are there and made for this; a fresh read model is marked as made for it.
    pub async fn prepare(pool: PgPool, made_for: MadeFor) -> Result<Self, PrepareError> {
        // first, as a fresh read model would be marked as made for a zone that it cannot have
        check_zone(&pool, made_for.zone).await?;
        sqlx::query(
            "INSERT INTO read_model (time_zone, log_id, partitions, deduplication_days)
             VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(made_for.zone.name())
        .bind(&made_for.log_id.0)
        .bind(i32::from(made_for.partitions))
        .bind(i32::from(made_for.deduplication_days))
        .execute(&pool)
        .await?;
        let (time_zone, log_id, partitions, deduplication_days, generation): (String, String, i32, i32, Uuid) =
            sqlx::query_as("SELECT time_zone, log_id, partitions, deduplication_days, generation FROM read_model")
                .fetch_one(&pool)
                .await?;
        let same = |what, made_for: String, found: String, way_out| {
            if made_for == found { Ok(()) } else { Err(PrepareError::MadeForOther { what, made_for, found, way_out }) }
        };
        same("the log", log_id, made_for.log_id.0.clone(), OTHER_LOG)?;
        same("a number of partitions of", partitions.to_string(), made_for.partitions.to_string(), OTHER_LOG)?;
        same("the time zone", time_zone, made_for.zone.name().to_owned(), REBUILD_OR_SET_BACK)?;
        same(
            "a deduplication window in days of",
            deduplication_days.to_string(),
            made_for.deduplication_days.to_string(),
            REBUILD_OR_SET_BACK,
        )?;
        sqlx::query(
            "INSERT INTO checkpoint (projection, partition, next_offset, log_id, generation)
             SELECT $1, partition, 0, log_id, generation
             FROM read_model, generate_series(0, partitions - 1) AS partition
             ON CONFLICT DO NOTHING",
        )
        .bind(PROJECTION)
        .execute(&pool)
        .await?;
        Ok(Self {
            pool,
            made_for,
            generation,
            patience: Patience::with(STATEMENT_TIMEOUT),
            dimensions: Dimensions::default(),
            slices: Slices::default(),
        })
    }

    /// The deduplication window; `None` when repetitions are not looked for.
    pub fn window(&self) -> Option<TimeDelta> {
        let days = self.made_for.deduplication_days;
        (days > 0).then(|| TimeDelta::days(i64::from(days)))
    }

    /// Forgets what was remembered of the tables, because they may be others now.
    pub fn forget(&self) {
        self.dimensions.forget();
        self.slices.forget();
    }
}

async fn check_zone(pool: &PgPool, zone: Tz) -> Result<(), PrepareError> {
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1)")
        .bind(zone.name())
        .fetch_one(pool)
        .await?;
    if !known {
        return Err(PrepareError::UnknownZone(zone.name().to_owned()));
    }
    match zone::disagreement(pool, zone, zone.name()).await? {
        None => Ok(()),
        Some(disagreement) => Err(PrepareError::ZonesDiffer { zone: zone.name(), disagreement }),
    }
}

const OTHER_LOG: &str = "point it to its own log again, or type `footfall rebuild` to make it anew from this one";
const REBUILD_OR_SET_BACK: &str = "set it back, or type `footfall rebuild`";
