//! What the tables must say about one another: roll-ups, counters and tally against the rows, in SQL.

use chrono_tz::Tz;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was compared.
    pub what: String,
    /// How often it differs.
    pub count: i64,
    /// A few of the differences, for the eye.
    pub examples: Vec<String>,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} differ, for instance {}", self.what, self.count, self.examples.join("; "))
    }
}

/// Examples that are kept of each difference.
pub const EXAMPLES: i64 = 5;

struct Check {
    what: &'static str,
    /// What the table says, or what must not be.
    stored: &'static str,
    /// What the rows say, in the same columns. `$1` is the zone.
    counted: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        what: "daily_session",
        stored: "SELECT day, client_id, shard, sessions, ended, duration_us, page_views, single_page FROM daily_session",
        counted: "SELECT (start_time AT TIME ZONE $1)::date AS day, client_id, ((s.id - 1) >> 40)::smallint AS shard,
                         count(*) AS sessions, count(end_time) AS ended,
                         COALESCE(sum(extract(epoch FROM end_time - start_time) * 1000000), 0) AS duration_us,
                         sum(page_views)::bigint AS page_views, count(*) FILTER (WHERE page_views = 1) AS single_page
                  FROM session s JOIN user_agent a ON a.id = s.user_agent_id GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_duration",
        stored: "SELECT day, class, shard, sessions FROM daily_duration",
        counted: "SELECT (start_time AT TIME ZONE $1)::date AS day, duration_class(end_time - start_time) AS class,
                         ((id - 1) >> 40)::smallint AS shard, count(*) AS sessions
                  FROM session WHERE end_time IS NOT NULL GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_page_view",
        stored: "SELECT day, url_id, shard, page_views FROM daily_page_view",
        counted: "SELECT (\"timestamp\" AT TIME ZONE $1)::date AS day, url_id, ((id - 1) >> 40)::smallint AS shard,
                         count(*) AS page_views
                  FROM page_view GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_interaction",
        stored: "SELECT day, event_type, shard, interactions FROM daily_interaction",
        counted: "SELECT (\"timestamp\" AT TIME ZONE $1)::date AS day, event_type, ((id - 1) >> 40)::smallint AS shard,
                         count(*) AS interactions
                  FROM interaction GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_client_page_view",
        stored: "SELECT day, client_id, shard, page_views FROM daily_client_page_view",
        counted:
            "SELECT (\"timestamp\" AT TIME ZONE $1)::date AS day, client_id, ((p.id - 1) >> 40)::smallint AS shard,
                         count(*) AS page_views
                  FROM page_view p JOIN session s ON s.id = p.session JOIN user_agent a ON a.id = s.user_agent_id
                  GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_client_interaction",
        stored: "SELECT day, client_id, event_type, shard, interactions FROM daily_client_interaction",
        counted: "SELECT (\"timestamp\" AT TIME ZONE $1)::date AS day, client_id, event_type,
                         ((i.id - 1) >> 40)::smallint AS shard, count(*) AS interactions
                  FROM interaction i JOIN session s ON s.id = i.session JOIN user_agent a ON a.id = s.user_agent_id
                  GROUP BY 1, 2, 3, 4",
    },
    Check {
        what: "daily_element",
        stored: "SELECT day, element_id, event_type, shard, interactions FROM daily_element",
        counted: "SELECT (\"timestamp\" AT TIME ZONE $1)::date AS day, element_id, event_type,
                         ((id - 1) >> 40)::smallint AS shard, count(*) AS interactions
                  FROM interaction GROUP BY 1, 2, 3, 4",
    },
    Check {
        what: "hourly",
        stored: "SELECT day, hour, shard, sessions, page_views, interactions FROM hourly",
        counted: "SELECT (at AT TIME ZONE $1)::date AS day, date_trunc('hour', at, $1) AS hour,
                         ((id - 1) >> 40)::smallint AS shard, sum(sessions)::bigint AS sessions,
                         sum(page_views)::bigint AS page_views, sum(interactions)::bigint AS interactions
                  FROM (SELECT id, start_time AS at, 1 AS sessions, 0 AS page_views, 0 AS interactions FROM session
                        UNION ALL SELECT id, \"timestamp\", 0, 1, 0 FROM page_view
                        UNION ALL SELECT id, \"timestamp\", 0, 0, 1 FROM interaction) AS facts GROUP BY 1, 2, 3",
    },
    Check {
        what: "daily_change",
        // days that are empty again stay in it
        stored: "SELECT day, shard FROM daily_change INTERSECT SELECT day, shard FROM hourly WHERE $1 <> ''",
        counted: "SELECT DISTINCT day, shard FROM hourly",
    },
    Check {
        what: "clients of user agents",
        stored: "SELECT a.id, c.browser, c.family, c.os, c.device
                 FROM user_agent a LEFT JOIN client c ON c.id = client_id WHERE $1 <> ''",
        counted: "SELECT id, browser, left(family, 80) AS family, left(os, 80) AS os,
                         device_class(text, os, device) AS device FROM user_agent",
    },
    Check {
        what: "row_count",
        stored: "SELECT resource, shard, rows FROM row_count WHERE rows <> 0 AND $1 <> ''",
        counted:
            "SELECT 'session' AS resource, ((id - 1) >> 40)::smallint AS shard, count(*) AS rows FROM session GROUP BY 2
                  UNION ALL SELECT 'page_view', ((id - 1) >> 40)::smallint, count(*) FROM page_view GROUP BY 2
                  UNION ALL SELECT 'interaction', ((id - 1) >> 40)::smallint, count(*) FROM interaction GROUP BY 2",
    },
    Check {
        what: "tally of stored events",
        stored: "SELECT partition, event_type, events FROM tally WHERE outcome = 'stored' AND events <> 0 AND $1 <> ''",
        counted: "SELECT ((id - 1) >> 40)::integer AS partition, 'page_view.recorded' AS event_type, count(*) AS events
                  FROM page_view GROUP BY 1
                  UNION ALL
                  SELECT ((id - 1) >> 40)::integer, 'interaction.recorded', count(*) FROM interaction GROUP BY 1",
    },
    Check {
        what: "tally of dead letters",
        stored: "SELECT partition, sum(events) AS events FROM tally WHERE outcome = 'dead' AND $1 <> '' GROUP BY 1",
        counted: "SELECT partition, count(*) AS events FROM dead_letter GROUP BY 1",
    },
    Check {
        what: "counters of sessions",
        stored: "SELECT id, page_views, interactions FROM session WHERE $1 <> '' AND (page_views, interactions) <> (0, 0)",
        counted:
            "SELECT session AS id, sum(page_views)::bigint AS page_views, sum(interactions)::bigint AS interactions
                  FROM (SELECT session, count(*) AS page_views, 0 AS interactions FROM page_view GROUP BY 1
                        UNION ALL SELECT session, 0, count(*) FROM interaction GROUP BY 1) AS facts GROUP BY 1",
    },
];

struct Row3(bool, i64, String);

impl FromRow<'_, PgRow> for Row3 {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
    }
}

/// Compares the tables with one another, in the snapshot of the connection's transaction. Gives what differs.
pub async fn differences(connection: &mut PgConnection, zone: Tz) -> sqlx::Result<Vec<Difference>> {
    let mut found = Vec::new();
    for check in CHECKS {
        let sql = format!(
            "WITH stored AS MATERIALIZED ({}), counted AS MATERIALIZED ({}),
                  too_much AS (SELECT * FROM stored EXCEPT SELECT * FROM counted),
                  too_little AS (SELECT * FROM counted EXCEPT SELECT * FROM stored)
             (SELECT true, (SELECT count(*) FROM too_much), to_jsonb(d)::text FROM too_much d LIMIT {EXAMPLES})
             UNION ALL
             (SELECT false, (SELECT count(*) FROM too_little), to_jsonb(d)::text FROM too_little d LIMIT {EXAMPLES})",
            check.stored, check.counted
        );
        let rows: Vec<Row3> = sqlx::query_as(&sql).bind(zone.name()).fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            continue;
        }
        let count = |stored| rows.iter().find(|row| row.0 == stored).map_or(0, |row| row.1);
        let examples = rows
            .iter()
            .map(|Row3(stored, _, row)| format!("{} {row}", if *stored { "the table says" } else { "the rows say" }));
        found.push(Difference {
            what: check.what.to_owned(),
            count: count(true).max(count(false)),
            examples: examples.collect(),
        });
    }
    Ok(found)
}
