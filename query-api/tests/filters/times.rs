//! § 6, times and days.

use crate::site::{Site, query};
use chrono_tz::Tz;

#[tokio::test]
async fn times_are_compared_to_the_microsecond_in_every_form() {
    let site = Site::filled(Tz::Europe__Berlin).await;
    let cases: &[(&str, &str, &str, &[i64])] = &[
        ("sessions", "start_time", "2025-03-01T10:00:00Z", &[1]),
        ("sessions", "start_time", "2025-03-01T11:00:00+01:00", &[1]),
        ("sessions", "start_time", "2025-03-01 11:00", &[1]),
        ("sessions", "start_time", "03/01/2025 11:00:00", &[1]),
        ("sessions", "start_time", "2025-03-01T10:00:00.000001Z", &[]),
        ("sessions", "end_time", "2025-03-30T02:00:00.123456Z", &[3]),
        ("sessions", "end_time", "2025-03-30T04:00:00.1234569", &[3]),
        ("sessions", "start_time_after", "2025-03-30T00:30:00Z", &[4, 3]),
        ("sessions", "start_time_before", "2025-03-30T00:30:00Z", &[3, 2, 1]),
        ("sessions", "start_time_after", "2025-03-02", &[4, 3, 2]),
        ("sessions", "start_time_after", "03/02/2025", &[4, 3, 2]),
        ("sessions", "end_time_after", "2000-01-01", &[3, 1]),
        ("sessions", "end_time_before", "2025-03-02", &[1]),
        ("sessions", "start_time_range_after", "2025-03-30T00:30:00Z", &[4, 3]),
        ("sessions", "start_time_range_before", "2025-03-01T10:00:00Z", &[1]),
        ("sessions", "end_time_range_after", "2025-03-02", &[3]),
        ("pageviews", "timestamp", "2025-03-01T23:30:01.5Z", &[6]),
        ("pageviews", "timestamp_after", " 2025-03-30 ", &[8, 7]),
        ("interactions", "timestamp_before", "2025-03-01T10:00:02Z", &[9]),
        ("interactions", "timestamp_range_after", "2025-03-01T10:00:02Z", &[11, 10, 9]),
        // calendar days in Berlin
        ("sessions", "start_time_date", "2025-03-01", &[1]),
        ("sessions", "start_time_date", "2025-03-02", &[2]),
        ("sessions", "start_time_date", "2025-03-30", &[3]),
        ("sessions", "start_time_date", "10/26/2025", &[4]),
        ("sessions", "end_time_date", "2025-03-30", &[3]),
        ("pageviews", "timestamp_date", "2025-03-30", &[8, 7]),
        ("pageviews", "timestamp_date", "2025-03-29", &[]),
        ("interactions", "timestamp_date", "2025-03-02", &[10]),
    ];
    for (list, name, value, expected) in cases {
        assert_eq!(site.by(list, name, value).await, *expected, "{list} {name}={value}");
    }
    let range = query(&[("timestamp_range_after", "2025-03-02"), ("timestamp_range_before", "2025-03-30T00:30:01Z")]);
    assert_eq!(site.get(&format!("/pageviews/?{range}")).await.ids(), [7, 6]);
}

#[tokio::test]
async fn a_day_follows_the_configured_zone() {
    let utc = Site::filled(Tz::UTC).await;
    assert_eq!(utc.by("sessions", "start_time_date", "2025-03-01").await, [2, 1]);
    let kathmandu = Site::filled(Tz::Asia__Kathmandu).await;
    assert_eq!(kathmandu.by("sessions", "start_time_date", "2025-03-02").await, [2]);
    assert_eq!(kathmandu.by("sessions", "start_time", "2025-03-01T15:45:00").await, [1]);
}

#[tokio::test]
async fn an_hour_that_the_clocks_skip_or_repeat_is_told_and_no_guess() {
    let site = Site::filled(Tz::Europe__Berlin).await;
    for (value, shown) in [("2025-03-30T02:30:00", "2025-03-30 02:30:00"), ("10/26/2025 2:30", "2025-10-26 02:30:00")] {
        let body = site.refused(&format!("/pageviews/?{}", query(&[("timestamp_after", value)]))).await;
        let message = format!(
            "{shown} couldn’t be interpreted in time zone Europe/Berlin; it may be ambiguous or it may not exist."
        );
        assert_eq!(body, serde_json::json!({ "timestamp_after": [message] }));
    }
    // with an offset there is nothing to guess
    assert_eq!(site.by("sessions", "start_time", "2025-10-26T02:30:00+02:00").await, [4]);
}
