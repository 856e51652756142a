//! § 6, filters of page views and interactions.

use crate::site::{Site, query};
use chrono_tz::Tz;

#[tokio::test]
async fn page_views_are_filtered_by_each_parameter() {
    let site = Site::filled(Tz::UTC).await;
    let all: &[i64] = &[8, 7, 6, 5];
    let cases: &[(&str, &str, &[i64])] = &[
        ("url", "http://intranet/", &[8]),
        ("url", "HTTP://intranet/", &[]),
        ("url", "http://intranet", &[]),
        ("url_contains", "/SHOP", &[6, 5]),
        ("url_contains", "50%25_O", &[5]),
        ("url_contains", "äpfel", &[7]),
        ("url_contains", "a%e", &[]),
        ("url_startswith", "HTTPS://A.", &[6, 5]),
        ("url_startswith", "a.example", &[]),
        ("url_endswith", "/CART", &[6]),
        ("url_endswith", "shop", &[]),
        // the session, by its primary key
        ("session", "1", &[5]),
        ("session", " 3 ", &[8, 7]),
        ("session__id", "3", &[8, 7]),
        ("session", "4", &[]),
        // by its text; by its primary key where no text is like this
        ("session_id", "abc-1", &[5]),
        ("session_id", "ABC-1", &[]),
        ("session_id", "42", &[8, 7]),
        ("session_id", "1", &[5]),
        ("session_id", "2", &[6]),
        ("session_id", "+2", &[]),
        ("session_id", "99999999999999999999999999", &[]),
        ("session_id_contains", "BC", &[6, 5]),
        ("session_id_contains", "%", &[]),
        ("id", "7", &[7]),
        ("id", "1", &[]),
        ("event_type", "nonsense", all),
        ("metadata", "a=b", all),
        ("url", "", all),
        ("session", "", all),
    ];
    for (name, value, expected) in cases {
        assert_eq!(site.by("pageviews", name, value).await, *expected, "{name}={value}");
    }
    let last = |pairs| format!("/pageviews/?{}", query(pairs));
    assert_eq!(site.get(&last(&[("session", "x"), ("session__id", "1")])).await.ids(), [5]);
    assert_eq!(site.get(&last(&[("session__id", "1"), ("session", "2")])).await.ids(), [6]);
}

#[tokio::test]
async fn interactions_are_filtered_by_each_parameter() {
    let site = Site::filled(Tz::UTC).await;
    let all: &[i64] = &[11, 10, 9];
    let cases: &[(&str, &str, &[i64])] = &[
        ("event_type", "click", &[9]),
        ("event_type", "keypress", &[]),
        ("event_type", "", all),
        ("event_type_in", "click", &[9]),
        ("element", "#buy", &[9]),
        ("element", "#BUY", &[]),
        ("element_contains", "MAIN .100%", &[10]),
        ("element_contains", "v_X", &[11]),
        ("element_contains", "v%x", &[]),
        ("element_startswith", "#", &[10, 9]),
        ("element_startswith", "#m", &[10]),
        ("session", "2", &[10]),
        ("session_id", "42", &[11]),
        ("session_id_contains", "abc", &[10, 9]),
        // numbers as numbers and as texts
        ("metadata", "a__b=3", &[11, 10, 9]),
        ("metadata", "a__b=3.0", &[11, 9]),
        ("metadata", "a__b=3e0", &[11, 9]),
        ("metadata__a__b", "3", &[11, 10, 9]),
        ("metadata", "t=true", &[10, 9]),
        ("metadata", "t=True", &[]),
        ("metadata", "n=null", &[9]),
        ("metadata", "missing=null", &[]),
        ("metadata", "neg=-15", &[10]),
        ("metadata", "neg=-1.5e1", &[10]),
        ("metadata", "big=12345678901234567890", &[11]),
        ("metadata", "big=12345678901234567891", &[]),
        ("metadata", "arr__0=1", &[9]),
        ("metadata", "arr__1=x", &[9]),
        ("metadata", "arr__2=x", &[]),
        ("metadata", "=empty", &[9]),
        // a last part that the original takes for a lookup is a key
        ("metadata__a__gt", "5", &[11]),
        ("metadata__a__b__gt", "1", &[]),
        ("metadata__s__regex", ".*", &[]),
        // what has no key or no value narrows nothing down
        ("metadata", "a", all),
        ("metadata", "", all),
        ("metadata__a", "", all),
        ("metadata", "s=", &[]),
        ("metadata", "s='; DROP TABLE session; --", &[11]),
        ("metadata", "a__b=1e999999999999", &[]),
        ("metadata", "x=y=a=b", &[]),
    ];
    for (name, value, expected) in cases {
        assert_eq!(site.by("interactions", name, value).await, *expected, "{name}={value}");
    }
}

#[tokio::test]
async fn event_type_in_is_one_of_several_and_not_split_at_commas() {
    let site = Site::filled(Tz::UTC).await;
    let ids = site.get("/interactions/?event_type_in=click&event_type_in=hover").await.ids();
    assert_eq!(ids, [11, 9]);
    assert_eq!(site.get("/interactions/?event_type_in=click&event_type=hover").await.ids(), [0_i64; 0]);
}
