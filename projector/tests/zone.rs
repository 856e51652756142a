//! PostgreSQL and this program have to put an event on the same day.

use chrono_tz::Tz;
use event_log::LogId;
use projector::{
    model::{MadeFor, PrepareError, ReadModel},
    zone::disagreement,
};
use rstest::rstest;
use schema::migrations::{READ_MODEL, READ_MODEL_SCHEMA};
use service::database::Database;
use test_support::TestDatabase;

#[rstest]
#[case(Tz::UTC, "UTC", None)]
#[case(Tz::Europe__Berlin, "Europe/Berlin", None)]
#[case(Tz::Pacific__Apia, "Pacific/Apia", None)]
#[case(Tz::Asia__Tehran, "Asia/Tehran", None)]
#[case(Tz::America__New_York, "America/New_York", None)]
// one hour apart, always
#[case(Tz::Europe__Berlin, "Europe/London", Some(("2000-01-01T00:00:00Z", 0, 3_600)))]
// only here is a change known, and only there
#[case(Tz::Europe__Berlin, "Etc/GMT-1", Some(("2000-03-26T01:00:00Z", 3_600, 7_200)))]
#[case(Tz::Etc__GMTMinus1, "Europe/Berlin", Some(("2000-03-27T00:00:00Z", 7_200, 3_600)))]
// the same until Moscow moved in 2011
#[case(Tz::Europe__Moscow, "Etc/GMT-3", Some(("2000-03-25T23:00:00Z", 10_800, 14_400)))]
#[tokio::test]
async fn a_zone_that_postgres_has_otherwise_is_found(
    #[case] here: Tz,
    #[case] there: &str,
    #[case] expected: Option<(&str, i64, i64)>,
) {
    let database = TestDatabase::create().await;
    let found = disagreement(&database.pool().await, here, there).await.unwrap();
    let expected = expected.map(|(at, postgres, here)| (at.parse().unwrap(), postgres, here));
    assert_eq!(found.map(|one| (one.at, one.postgres, one.here)), expected);
}

#[tokio::test]
async fn a_read_model_is_not_made_for_a_zone_whose_days_would_be_counted_in_two_ways() {
    let test_database = TestDatabase::create().await;
    let database = Database::new(test_database.options());
    database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
    let pool = database.pool(READ_MODEL_SCHEMA, "projector under test", 2);
    let made_for = |zone| MadeFor { zone, log_id: LogId("log".into()), partitions: 1, deduplication_days: 7 };
    // an abbreviation to PostgreSQL, without summer time
    let error = ReadModel::prepare(pool.clone(), made_for(Tz::CET)).await.unwrap_err();
    assert!(matches!(error, PrepareError::ZonesDiffer { .. }), "{error}");
    assert!(error.to_string().contains("time zone CET") && error.to_string().contains("FOOTFALL_TIME_ZONE"), "{error}");
    ReadModel::prepare(pool, made_for(Tz::Europe__Paris)).await.unwrap();
}
