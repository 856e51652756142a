//! docs/lists.md: that the indexes which it names are there, and can be used for what they are for.

use crate::site::Site;
use chrono_tz::Tz;
use sqlx::Executor;

#[tokio::test]
async fn each_order_filter_and_search_of_the_page_has_its_index() {
    let site = Site::filled(Tz::UTC).await;
    let mut connection = site.pool.acquire().await.unwrap();
    connection.execute("SET enable_seqscan = off; SET enable_sort = off").await.unwrap();
    for (question, index) in [
        ("session t ORDER BY t.start_time DESC, t.id DESC LIMIT 10", "session_start_time"),
        ("session t ORDER BY coalesce(t.end_time, 'infinity'::timestamptz), t.id LIMIT 10", "session_end_order"),
        (
            "session t WHERE (coalesce(t.end_time, 'infinity'::timestamptz), t.id) < ('infinity'::timestamptz, 7)",
            "session_end_order",
        ),
        ("session t WHERE t.session_id = 'x'", "session_session_id_key"),
        ("session t WHERE t.user_id = 'x'", "session_user_id"),
        ("session t WHERE t.user_agent_id = ANY('{1,2}')", "session_user_agent"),
        ("session t WHERE t.ip_address = '10.0.0.1'", "session_ip_address"),
        ("session t WHERE fold(t.session_id) LIKE fold('%abc%')", "session_part"),
        ("session t WHERE fold(t.user_id) LIKE fold('%abc%')", "session_part"),
        ("session t WHERE host(t.ip_address) LIKE fold('10.0.%')", "session_part"),
        ("user_agent WHERE fold(text) LIKE fold('%abc%')", "user_agent_part"),
        ("url WHERE fold(text) LIKE fold('%abc%')", "url_part"),
        ("element WHERE fold(text) LIKE fold('%abc%')", "element_part"),
        ("page_view t ORDER BY t.timestamp DESC, t.id DESC LIMIT 10", "timestamp_id_idx"),
        ("page_view t WHERE t.session = 1", "session_idx"),
        ("page_view t WHERE t.url_id = ANY('{1,2}')", "url_id_timestamp_id_idx"),
        ("interaction t ORDER BY t.timestamp, t.id LIMIT 10", "timestamp_id_idx"),
        ("interaction t WHERE t.session = 1", "session_idx"),
        ("interaction t WHERE t.element_id = ANY('{1,2}')", "element_id_timestamp_id_idx"),
    ] {
        let plan: Vec<String> =
            sqlx::query_scalar(&format!("EXPLAIN SELECT * FROM {question}")).fetch_all(&mut *connection).await.unwrap();
        assert!(plan.join("\n").contains(index), "{question}\n{}", plan.join("\n"));
    }
}
