//! The three lists: their objects to the letter, their order. Contract § 2 and 5.

use crate::common::{Setup, Site, events::*};
use chrono::TimeDelta;
use chrono_tz::Tz;
use schema::InteractionKind;

const SESSION: &str = r#"{"id":1,"session_id":"s-1","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0","ip_address":"2001:db8::4","start_time":"2026-07-01T10:00:00Z","end_time":"2026-07-01T10:30:00.250000Z","user_id":"ann"}"#;

/// One session with a page view and an interaction, ids 1 to 3.
async fn one_of_each() -> Site {
    let mut site = Site::new().await;
    let metadata = r#"{"price": 9.5, "ü": "grüße", "n": [1, null, true]}"#;
    site.project(&[
        announced("s-1", time("2026-07-01T10:00:00Z"), FIREFOX, Some(time("2026-07-01T10:30:00.25Z")), Some("ann")),
        page_view("s-1", time("2026-07-01T10:00:01.5Z"), "https://shop.example/grüße"),
        interaction("s-1", time("2026-07-01T10:00:02Z"), InteractionKind::FormSubmit, "#buy", metadata),
    ])
    .await;
    site
}

#[tokio::test]
async fn a_list_has_its_keys_in_the_contracts_order_and_unescaped_text() {
    let site = one_of_each().await;
    let page_view = format!(
        r#"{{"id":2,"url":"https://shop.example/grüße","timestamp":"2026-07-01T10:00:01.500000Z","session":{SESSION}}}"#
    );
    let interaction = |metadata: &str| {
        format!(
            r##"{{"id":3,"session":{SESSION},"event_type":"form_submit","element":"#buy","metadata":{metadata},"timestamp":"2026-07-01T10:00:02Z"}}"##
        )
    };
    for (path, object) in [("/sessions/", SESSION.to_owned()), ("/pageviews/", page_view)] {
        let answer = site.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        assert_eq!(answer.body, format!(r#"{{"count":1,"next":null,"previous":null,"results":[{object}]}}"#));
    }
    let answer = site.get("/interactions/").await;
    // PostgreSQL keeps the values of the metadata, not its blanks and not the order of its keys
    let metadata = answer.json()["results"][0]["metadata"].clone();
    assert_eq!(metadata, serde_json::json!({"price": 9.5, "ü": "grüße", "n": [1, null, true]}));
    let (begin, end) = (answer.body.find(r#""metadata":"#).unwrap() + 11, answer.body.find(r#","timestamp""#).unwrap());
    let expected = interaction(&answer.body[begin..end]);
    assert_eq!(answer.body, format!(r#"{{"count":1,"next":null,"previous":null,"results":[{expected}]}}"#));
}

#[tokio::test]
async fn an_empty_list_is_a_list() {
    let site = Site::new().await;
    for path in ["/sessions/", "/pageviews/", "/interactions/"] {
        assert_eq!(site.get(path).await.body, r#"{"count":0,"next":null,"previous":null,"results":[]}"#);
    }
}

#[tokio::test]
async fn what_nobody_has_told_is_null_and_an_empty_user_is_empty() {
    let mut site = Site::new().await;
    let mut nameless = page_view("provisional", time("2026-07-01T10:00:00Z"), "http://a.example/");
    (nameless.source.address, nameless.source.user_agent) = (None, None);
    site.project(&[nameless, announced("told", time("2026-07-01T09:00:00Z"), FIREFOX, None, Some(""))]).await;
    let sessions = site.get("/sessions/").await;
    assert_eq!(sessions.each("user_agent"), [serde_json::json!(""), FIREFOX.into()]);
    assert_eq!(sessions.each("ip_address"), [serde_json::Value::Null, "2001:db8::4".into()]);
    assert_eq!(sessions.each("user_id"), [serde_json::Value::Null, "".into()]);
    assert_eq!(sessions.each("end_time"), [serde_json::Value::Null, serde_json::Value::Null]);
}

#[tokio::test]
async fn times_are_told_in_the_configured_zone_in_summer_and_in_winter() {
    let utc = ["2026-03-29T00:59:59.999999Z", "2026-03-29T01:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"];
    let cases = [
        (
            Tz::Europe__Berlin,
            [
                "2026-03-29T01:59:59.999999+01:00",
                "2026-03-29T03:00:00+02:00",
                "2026-10-25T02:30:00+02:00",
                "2026-10-25T02:30:00+01:00",
            ],
        ),
        (
            Tz::Asia__Tehran,
            [
                "2026-03-29T04:29:59.999999+03:30",
                "2026-03-29T04:30:00+03:30",
                "2026-10-25T04:00:00+03:30",
                "2026-10-25T05:00:00+03:30",
            ],
        ),
    ];
    for (zone, shown) in cases {
        let mut site = Site::with(Setup { zone, ..Setup::default() }).await;
        for (place, moment) in utc.iter().enumerate() {
            let (name, at) = (format!("s{place}"), time(moment));
            site.project(&[
                session(&name, at, Some(at)),
                page_view(&name, at, "http://a.example/"),
                click(&name, at, "#a"),
            ])
            .await;
        }
        for (path, key) in [
            ("/sessions/?ordering=start_time", "start_time"),
            ("/sessions/?ordering=end_time", "end_time"),
            ("/pageviews/?ordering=timestamp", "timestamp"),
            ("/interactions/?ordering=timestamp", "timestamp"),
        ] {
            assert_eq!(site.get(path).await.each(key), shown, "{path} in {zone}");
        }
        let nested = &site.get("/pageviews/?ordering=timestamp&limit=1").await.each("session")[0];
        assert_eq!((&nested["start_time"], &nested["end_time"]), (&shown[0].into(), &shown[0].into()));
    }
}

#[tokio::test]
async fn without_an_order_the_newest_come_first_and_the_id_breaks_ties() {
    let mut site = Site::new().await;
    let start = time("2026-07-01T10:00:00Z");
    // times in no order and some of them equal, over two months of tables
    let hours = [5, 2, 900, 2, 5, 1, 900];
    let mut ids: Vec<Vec<(i64, i64)>> = vec![Vec::new(); 3];
    for (place, hour) in hours.into_iter().enumerate() {
        let (name, at) = (format!("s{place}"), start + TimeDelta::hours(hour));
        let made = site
            .project(&[session(&name, at, None), page_view(&name, at, "http://a.example/"), click(&name, at, "#a")])
            .await;
        for (list, id) in ids.iter_mut().zip(made) {
            list.push((hour, id));
        }
    }
    for (path, mut expected) in ["/sessions/", "/pageviews/", "/interactions/"].into_iter().zip(ids) {
        expected.sort_unstable();
        let ascending: Vec<i64> = expected.iter().map(|(_, id)| *id).collect();
        let descending: Vec<i64> = ascending.iter().rev().copied().collect();
        let field = if path == "/sessions/" { "start_time" } else { "timestamp" };
        for newest_first in
            [String::new(), format!("?ordering=-{field}"), "?ordering=nonsense".into(), "?ordering=".into()]
        {
            assert_eq!(site.get(&format!("{path}{newest_first}")).await.ids(), descending, "{path}{newest_first}");
        }
        assert_eq!(site.get(&format!("{path}?ordering={field}")).await.ids(), ascending, "{path}");
        // the last one counts; what cannot be ordered by is dropped
        let query = format!("?ordering=-{field}&ordering=url,session_id,,%20{field}%20,id");
        assert_eq!(site.get(&format!("{path}{query}")).await.ids(), ascending, "{path}{query}");
    }
}

#[tokio::test]
async fn sessions_without_an_end_come_last_ascending_and_first_descending() {
    let mut site = Site::new().await;
    let at = |hour| time("2026-07-01T10:00:00Z") + TimeDelta::hours(hour);
    let ids = site
        .project(&[
            session("open-1", at(3), None),
            session("late", at(1), Some(at(9))),
            session("open-2", at(2), None),
            session("early", at(0), Some(at(4))),
            session("late-too", at(4), Some(at(9))),
        ])
        .await;
    let of = |places: [usize; 5]| places.map(|place| ids[place]);
    assert_eq!(site.get("/sessions/?ordering=end_time").await.ids(), of([3, 1, 4, 0, 2]));
    assert_eq!(site.get("/sessions/?ordering=-end_time").await.ids(), of([2, 0, 4, 1, 3]));
    assert_eq!(site.get("/sessions/?ordering=-end_time,start_time").await.ids(), of([2, 0, 1, 4, 3]));
    assert_eq!(site.get("/sessions/?ordering=end_time,-start_time").await.ids(), of([3, 4, 1, 0, 2]));
}
