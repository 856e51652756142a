//! § 6, filters of sessions.

use crate::site::{FIREFOX, Site};
use chrono_tz::Tz;

#[tokio::test]
async fn sessions_are_filtered_by_each_parameter() {
    let site = Site::filled(Tz::UTC).await;
    let cases: &[(&str, &str, &[i64])] = &[
        // equal, case-sensitive, trimmed
        ("session_id", "abc-1", &[1]),
        ("session_id", "  abc-1\t", &[1]),
        ("session_id", "abc-2", &[]),
        ("session_id", "ABC-2", &[2]),
        ("session_id", "1", &[]),
        ("session_id", "42", &[3]),
        ("user_agent", FIREFOX, &[1]),
        ("user_agent", "Curl/8.5.0", &[]),
        ("user_id", "Ann", &[1]),
        ("user_id", "ann", &[4]),
        // contains, case-insensitive, every character itself
        ("session_id_contains", "bC-", &[2, 1]),
        ("session_id_contains", "üNÏ", &[4]),
        ("session_id_contains", "_", &[]),
        ("user_agent_contains", "FIREFOX", &[1]),
        ("user_agent_contains", "100%_S", &[2]),
        ("user_agent_contains", r"\O/", &[2]),
        ("user_agent_contains", "1%0", &[]),
        ("user_id_contains", "AN", &[4, 1]),
        // as an address, and as its text
        ("ip_address", "2001:DB8:0::4", &[1]),
        ("ip_address", "::ffff:10.0.0.1", &[2]),
        ("ip_address", "10.0.0.2", &[]),
        ("ip_address_startswith", "10.0.0.1", &[3, 2]),
        ("ip_address_startswith", "2001:db8", &[1]),
        ("ip_address_startswith", "2001:DB8", &[]),
        ("ip_address_startswith", "0.0", &[]),
        // null
        ("user_id_isnull", "true", &[2]),
        ("user_id_isnull", "TRUE", &[2]),
        ("user_id_isnull", "1", &[2]),
        ("user_id_isnull", "False", &[4, 3, 1]),
        ("user_id_isnull", "0", &[4, 3, 1]),
        ("user_id_isnull", "yes", &[4, 3, 2, 1]),
        ("end_time_isnull", "true", &[4, 2]),
        ("end_time_isnull", "0", &[3, 1]),
        ("end_time_isnull", "2", &[4, 3, 2, 1]),
        ("id", "3", &[3]),
        ("id", " +3 ", &[3]),
        ("id", "99999999999999999999999", &[]),
        ("id", "-1", &[]),
        // no filters at all
        ("session_id", "", &[4, 3, 2, 1]),
        ("user_id", "  ", &[4, 3, 2, 1]),
        ("ip_address", "", &[4, 3, 2, 1]),
        ("id", "", &[4, 3, 2, 1]),
        ("url", "x", &[4, 3, 2, 1]),
        ("session_id__regex", "(a+)+$", &[4, 3, 2, 1]),
        ("start_time__gt", "x", &[4, 3, 2, 1]),
        ("format", "json", &[4, 3, 2, 1]),
    ];
    for (name, value, expected) in cases {
        assert_eq!(site.by("sessions", name, value).await, *expected, "{name}={value}");
    }
}

#[tokio::test]
async fn filters_combine_and_the_last_repeated_value_wins() {
    let site = Site::filled(Tz::UTC).await;
    let cases: &[(&str, &[i64])] = &[
        ("session_id_contains=abc&end_time_isnull=true", &[2]),
        ("session_id_contains=abc&user_id=ann", &[]),
        ("session_id=42&session_id=abc-1", &[1]),
        ("session_id=42&session_id=", &[4, 3, 2, 1]),
        ("session_id=abc-1&search=firefox&ordering=end_time", &[1]),
    ];
    for (query, expected) in cases {
        assert_eq!(site.get(&format!("/sessions/?{query}")).await.ids(), *expected, "{query}");
    }
}

#[tokio::test]
async fn sessions_are_ordered_with_nulls_last_ascending_and_the_id_as_tie_breaker() {
    let site = Site::filled(Tz::UTC).await;
    let cases: &[(&str, &[i64])] = &[
        ("", &[4, 3, 2, 1]),
        ("start_time", &[1, 2, 3, 4]),
        ("end_time", &[1, 3, 2, 4]),
        ("-end_time", &[4, 2, 3, 1]),
        ("-end_time,start_time", &[2, 4, 3, 1]),
        (" end_time , -start_time ", &[1, 3, 4, 2]),
        ("id", &[4, 3, 2, 1]),
        ("user_id,-user_agent", &[4, 3, 2, 1]),
        ("nonsense,start_time", &[1, 2, 3, 4]),
        ("end_time; DROP TABLE session", &[4, 3, 2, 1]),
        ("start_time\0", &[4, 3, 2, 1]),
    ];
    for (ordering, expected) in cases {
        assert_eq!(site.by("sessions", "ordering", ordering).await, *expected, "{ordering:?}");
    }
    assert_eq!(site.get("/sessions/?ordering=start_time&ordering=-end_time").await.ids(), [4, 2, 3, 1]);
    assert_eq!(site.get("/sessions/?ordering=start_time&ordering=").await.ids(), [4, 3, 2, 1]);
}

#[tokio::test]
async fn a_detail_that_does_not_match_is_not_there() {
    let site = Site::filled(Tz::UTC).await;
    for (path, status) in [
        ("/sessions/1/?session_id=abc-1", 200),
        ("/sessions/1/?session_id=42", 404),
        ("/sessions/1/?search=firefox", 200),
        ("/sessions/1/?search=chrome", 404),
        ("/sessions/1/?ordering=end_time&limit=x&unknown=1&count=none&cursor=rubbish", 200),
        ("/sessions/1/?id=2", 404),
        ("/pageviews/5/?session=1&url_contains=shop", 200),
        ("/pageviews/5/?session=2", 404),
        ("/pageviews/5/?session_id=ABC-2", 404),
        ("/interactions/9/?metadata=a__b=3&event_type=click", 200),
        ("/interactions/9/?metadata=a__b=4", 404),
        ("/sessions/1/?ip_address=x", 400),
        ("/sessions/x/?ip_address=x", 400),
        ("/sessions/x/?ip_address=::1", 404),
        ("/sessions/%ff/", 404),
        ("/pageviews/5/?search=%00", 400),
    ] {
        assert_eq!(site.get(path).await.status, status, "{path}");
    }
    let answer = site.get("/sessions/1/?session_id=42").await;
    assert_eq!(answer.body, r#"{"detail":"No UserSession matches the given query."}"#);
    assert_eq!(site.get("/sessions/x/").await.body, r#"{"detail":"Not found."}"#);
}
