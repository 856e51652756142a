//! Roll-ups against SQL over the rows, after random sequences of all types of events, in several zones.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use event_log::Record;
use rand::{RngExt, rngs::StdRng};
use schema::migrations::READ_MODEL;
use sqlx::Executor;
use std::collections::BTreeMap;
use support::{random::any_envelope, *};
use test_support::seeded;

/// What the roll-ups have of each day, and how often the day has changed.
const DAYS: &str = "
    SELECT day::text, sum(changes)::bigint AS changes,
           (SELECT string_agg(row, ' ' ORDER BY row) FROM (
               SELECT t::text AS row FROM daily_session t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_duration t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_page_view t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_interaction t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_client_page_view t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_client_interaction t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM daily_element t WHERE t.day = d.day
               UNION ALL SELECT t::text FROM hourly t WHERE t.day = d.day) rows) AS contents
    FROM daily_change d GROUP BY day";

/// Each day with how often it has changed, and its rows.
type Days = BTreeMap<String, (i64, Option<String>)>;

/// Whoever knows a day by its number of changes must not take another one for it.
async fn assert_changes_are_told(fixture: &Fixture, known: &mut Days) {
    let found: Vec<(String, i64, Option<String>)> = sqlx::query_as(DAYS).fetch_all(&fixture.pool).await.unwrap();
    let found: Days = found.into_iter().map(|(day, changes, contents)| (day, (changes, contents))).collect();
    for (day, (changes, contents)) in &found {
        let (before, old) = known.get(day).cloned().unwrap_or_default();
        assert!(contents == &old || *changes > before, "{day} has changed and its number is still {changes}");
    }
    assert!(known.keys().all(|day| found.contains_key(day)), "a day without a number is one without anything");
    *known = found;
}

/// Projects some batches of random events, and looks at the roll-ups after each. Gives how many events there were.
async fn fill(fixture: &Fixture, tape: &mut Tape, random: &mut StdRng) -> i64 {
    let mut made = Vec::new();
    let mut days = Days::new();
    for _ in 0..12 {
        let mut batches: Vec<Vec<Record>> = vec![Vec::new(); usize::from(tape.partitions)];
        for _ in 0..random.random_range(1..120) {
            let record = tape.put(&any_envelope(random, &made));
            made.push(record.position.id());
            batches[usize::from(record.position.partition)].push(record);
        }
        for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
            fixture.project(batch).await.unwrap();
            assert_changes_are_told(fixture, &mut days).await;
        }
        fixture.assert_consistent().await;
    }
    i64::try_from(made.len()).unwrap()
}

#[tokio::test]
async fn roll_ups_are_what_sql_over_the_rows_says_after_any_sequence_of_events() {
    let mut random = seeded("roll_ups_are_what_sql_over_the_rows_says_after_any_sequence_of_events");
    for zone in [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe] {
        let fixture = Fixture::new(2, zone).await;
        let all = fill(&fixture, &mut Tape::new(2), &mut random).await;
        assert_eq!(fixture.number("SELECT sum(events)::bigint FROM tally").await, all, "every event is counted once");
        assert_eq!(fixture.number("SELECT count(*) FROM dead_letter").await, 0);
    }
}

#[tokio::test]
async fn what_was_projected_before_the_reports_roll_ups_came_is_in_them() {
    let mut random = seeded("what_was_projected_before_the_reports_roll_ups_came_is_in_them");
    let fixture = Fixture::new(2, Tz::Australia__Lord_Howe).await;
    let mut tape = Tape::new(2);
    fill(&fixture, &mut tape, &mut random).await;
    // as the tables were before the third step
    let before = "DROP TABLE client, daily_session, daily_duration, daily_client_page_view, daily_client_interaction,
                      daily_element;
                  DROP FUNCTION device_class, duration_class;
                  ALTER TABLE user_agent DROP COLUMN client_id;
                  CREATE TABLE daily_session ();
                  CREATE TABLE daily_browser ();";
    fixture.pool.execute(before).await.unwrap();
    fixture.pool.execute(READ_MODEL[2].sql).await.unwrap();
    fixture.assert_consistent().await;
    assert!(fixture.number("SELECT sum(sessions)::bigint FROM daily_session").await > 0);
    // as they were before the fifth step
    let before = "DROP TABLE hourly, daily_change; DROP INDEX url_order, element_order, user_agent_order";
    fixture.pool.execute(before).await.unwrap();
    fixture.pool.execute(READ_MODEL[4].sql).await.unwrap();
    fixture.assert_consistent().await;
    assert!(fixture.number("SELECT sum(changes)::bigint FROM daily_change").await > 0);
    fixture.model.forget();
    fill(&fixture, &mut tape, &mut random).await;
}

#[tokio::test]
async fn visitors_are_told_apart_by_what_they_sit_in_front_of() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let cases = [
        (FIREFOX, "desktop"),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/135.0.0.0 Safari/537.36",
            "desktop",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36",
            "phone",
        ),
        ("Mozilla/5.0 (Android 14; Mobile; rv:138.0) Gecko/138.0 Firefox/138.0", "phone"),
        (
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0.0.0 Mobile Safari/537.36",
            "phone",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            "phone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
            "tablet",
        ),
        (
            "Mozilla/5.0 (Linux; Android 12; SM-T500) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133.0.0.0 Safari/537.36",
            "tablet",
        ),
        (
            "Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36",
            "other",
        ),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot"),
        ("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "bot"),
        ("curl/8.14.1", "other"),
    ];
    for (number, (user_agent, class)) in (0..).zip(cases) {
        let name = format!("s{number}");
        fixture.project(vec![tape.put(&announced(&name, number, user_agent, None))]).await.unwrap();
        let found = fixture
            .rows(&format!(
                "SELECT c.device FROM session s JOIN user_agent a ON a.id = user_agent_id JOIN client c ON c.id = client_id
                 WHERE session_id = '{name}'"
            ))
            .await;
        assert_eq!(found, [serde_json::json!({"device": class})], "{user_agent}");
    }
}

#[tokio::test]
async fn user_agents_that_name_themselves_at_great_length_are_projected() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let long = format!("{}bot/1.0", "x".repeat(1_900));
    fixture.project(vec![tape.put(&announced("s", 0, &long, None))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM dead_letter").await, 0);
    assert!(fixture.number("SELECT max(length(family))::bigint FROM client").await <= 80, "as much as an index takes");
    fixture.assert_consistent().await;
}
