//! § 4 and 6, what is refused, to the letter.

use crate::site::Site;
use chrono_tz::Tz;
use serde_json::json;

#[tokio::test]
async fn a_bad_value_is_told_under_its_parameter() {
    let site = Site::filled(Tz::UTC).await;
    let (moment, date) = ("Enter a valid date/time.", "Enter a valid date.");
    let nul = "Null characters are not allowed.";
    let address = "Enter a valid IPv4 or IPv6 address.";
    let session = "Select a valid choice. That choice is not one of the available choices.";
    let kind = |value: &str| format!("Select a valid choice. {value} is not one of the available choices.");
    let cases: &[(&str, &str, &str)] = &[
        ("sessions", "start_time=soon", moment),
        ("sessions", "start_time_after=1740830400", moment),
        ("sessions", "end_time_before=2025-02-30", moment),
        ("sessions", "start_time=2025-03-01T10:00:00+01:00", moment),
        ("sessions", "start_time_date=2025-03-01T00:00:00Z", date),
        ("pageviews", "timestamp_date=20250301", date),
        ("pageviews", "timestamp=x%00", moment),
        ("sessions", "ip_address=1.2.3", address),
        ("sessions", "ip_address=1.2.3.4%2F8", address),
        ("sessions", "ip_address=01.2.3.4", address),
        ("sessions", "ip_address=%00", nul),
        ("sessions", "session_id=a%00b", nul),
        ("sessions", "user_agent_contains=%00", nul),
        ("pageviews", "url=%00", nul),
        ("pageviews", "session_id=%00", nul),
        ("interactions", "element_startswith=%00", nul),
        ("interactions", "metadata=a=%00", nul),
        ("interactions", "metadata__a=%00", nul),
        ("sessions", "id=x", "Enter a number."),
        ("pageviews", "id=1.5", "Enter a number."),
        ("interactions", "id=1e3", "Enter a number."),
        ("pageviews", "session=5", session),
        ("pageviews", "session=abc-1", session),
        ("interactions", "session=0", session),
        ("interactions", "session=99999999999999999999999", session),
        ("interactions", "session__id=-1", session),
    ];
    for (list, parameter, message) in cases {
        let name = parameter.split('=').next().unwrap();
        assert_eq!(site.refused(&format!("/{list}/?{parameter}")).await, json!({ name: [message] }), "{parameter}");
    }
    for (parameter, value) in [
        ("event_type=Click", "Click"),
        ("event_type=click,hover", "click,hover"),
        ("event_type_in=click,hover", "click,hover"),
        ("event_type_in=", ""),
        ("event_type_in=click&event_type_in=", ""),
        ("event_type_in=tap&event_type_in=press", "tap"),
    ] {
        let name = parameter.split('=').next().unwrap();
        let body = site.refused(&format!("/interactions/?{parameter}")).await;
        assert_eq!(body, json!({ name: [kind(value)] }), "{parameter}");
    }
}

#[tokio::test]
async fn all_bad_parameters_are_told_at_once_and_both_ends_of_a_range_as_one() {
    let site = Site::filled(Tz::UTC).await;
    let body = site
        .refused(
            "/interactions/?event_type=tap&timestamp=x&timestamp_date=y&session=999&id=z&search=%00\
             &timestamp_range_after=x&timestamp_range_before=y&element=%00",
        )
        .await;
    assert_eq!(
        body,
        json!({
            "event_type": ["Select a valid choice. tap is not one of the available choices."],
            "timestamp": ["Enter a valid date/time."],
            "timestamp_date": ["Enter a valid date."],
            "timestamp_range": ["Enter a valid date/time."],
            "session": ["Select a valid choice. That choice is not one of the available choices."],
            "id": ["Enter a number."],
            "element": ["Null characters are not allowed."],
        })
    );
    let body = site.refused("/sessions/?start_time_range_before=x&end_time_range_after=y").await;
    assert_eq!(
        body,
        json!({"start_time_range": ["Enter a valid date/time."], "end_time_range": ["Enter a valid date/time."]})
    );
}

#[tokio::test]
async fn a_search_of_very_many_terms_is_refused() {
    let site = Site::filled(Tz::UTC).await;
    let terms = |number: usize| (0..number).map(|term| term.to_string()).collect::<Vec<_>>().join("+");
    assert_eq!(site.get(&format!("/sessions/?search={}", terms(64))).await.ids(), [0_i64; 0]);
    assert_eq!(site.get(&format!("/sessions/?search={}", "curl+".repeat(9_000))).await.ids(), [3]);
    assert_eq!(
        site.refused(&format!("/sessions/?search={}", terms(9_000))).await,
        json!(["Ensure this search has no more than 64 different terms."])
    );
    // as in the original: without a field, and only when the filters have nothing to say
    let nul = json!(["Null characters are not allowed."]);
    for path in ["/sessions/?search=a%00", "/pageviews/?search=%00", "/interactions/1/?search=%00"] {
        assert_eq!(site.refused(path).await, nul, "{path}");
    }
    let both = site.refused("/sessions/?search=%00&start_time=x").await;
    assert_eq!(both, json!({"start_time": ["Enter a valid date/time."]}));
}

#[tokio::test]
async fn no_parameter_is_too_strange() {
    let site = Site::filled(Tz::UTC).await;
    let many = format!("/sessions/?{}", "a=b&".repeat(10_000));
    let long = format!("/pageviews/?url_contains={}", "%25_\\".repeat(10_000));
    let deep = format!("/interactions/?metadata={}=1", "a__".repeat(10_000));
    let phrase = format!("/sessions/?search={}", "a'%22".repeat(300));
    let digits = format!("/interactions/?metadata=a={}", "9".repeat(40_000));
    let keys: Vec<String> = (0..64).map(|key| format!("metadata__{key}=1")).collect();
    let keys = format!("/interactions/?{}", keys.join("&"));
    for path in [keys, many, long, deep, phrase, digits, "/sessions/?search=%ff%fe&ip_address_startswith=%ff".into()] {
        let answer = site.get(&path).await;
        assert_eq!(answer.status, 200, "{} {answer:?}", &path[..40]);
    }
}
