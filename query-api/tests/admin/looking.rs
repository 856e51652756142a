//! Lists, journeys, dead letters, freshness.

use crate::site::{Site, click, firefox, page_view, session};
use chrono::{DateTime, TimeDelta, Utc};
use event_log::NewRecord;
use schema::{Envelope, Event, codec};
use uuid::Uuid;

/// The links of a list's rows, in their order.
fn rows(page: &str) -> Vec<String> {
    let rows = page.split("<th scope=\"row\"><a href=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_searched_filtered_and_sorted_by_every_column() {
    let site = Site::new().await;
    let now = Utc::now();
    let days = |days| now - TimeDelta::days(days);
    let from = |mut session: Envelope, ip: [u8; 4], end: Option<DateTime<Utc>>| {
        let Event::SessionAnnounced(announced) = &mut session.event else { unreachable!() };
        (announced.ip_address, announced.end_time) = (ip.into(), end.map(schema::to_micros));
        session
    };
    let ids = site
        .append(&[
            from(session("alpha", days(0), "zzz", Some("bob")), [192, 0, 2, 10], None),
            from(session("beta", days(3), "aaa", None), [192, 0, 2, 9], Some(days(2))),
            from(session("gamma", days(800), "mmm", Some("eve")), [10, 0, 0, 7], Some(days(799))),
            page_view("alpha", days(0), "http://b.example/"),
            page_view("beta", days(3), "http://a.example/"),
            click("gamma", days(0), "#x", "{}"),
        ])
        .await;
    let of = async |path: &str| -> Vec<usize> {
        let page = site.page(path).await;
        rows(&page)
            .iter()
            .map(|link| {
                let path = link.split('?').next().unwrap();
                let id: i64 = path.trim_end_matches('/').rsplit('/').next().unwrap().parse().unwrap();
                ids.iter().position(|known| *known == id).unwrap()
            })
            .collect()
    };
    let sessions = async |query: &str| of(&format!("/admin/sessions/?{query}")).await;
    assert_eq!(sessions("").await, [0, 1, 2], "newest first");
    for (column, order) in [
        ("session_id", [0, 1, 2]),
        ("user_agent", [1, 2, 0]),
        ("ip_address", [2, 1, 0]),
        ("start_time", [2, 1, 0]),
        // what is not there comes last, and first the other way round
        ("end_time", [2, 1, 0]),
        ("user_id", [0, 2, 1]),
    ] {
        assert_eq!(sessions(&format!("ordering={column}")).await, order, "{column}");
        let reversed: Vec<usize> = order.into_iter().rev().collect();
        assert_eq!(sessions(&format!("ordering=-{column}")).await, reversed, "-{column}");
    }
    assert_eq!(of("/admin/pageviews/?ordering=url").await, [4, 3]);
    assert_eq!(of("/admin/pageviews/?ordering=-session").await, [4, 3]);
    assert_eq!(of("/admin/interactions/?ordering=element,event_type").await, [5]);
    assert_eq!(sessions("search=EVE").await, [2], "the user is searched");
    assert_eq!(sessions("search=zz").await, [0]);
    assert_eq!(sessions("user_id=bob").await, [0]);
    assert_eq!(sessions("start_time_in=today").await, [0]);
    assert_eq!(sessions("start_time_in=week").await, [0, 1]);
    assert_eq!(sessions("end_time_in=empty").await, [0]);
    assert_eq!(sessions("end_time_in=filled").await, [1, 2]);
    assert_eq!(sessions("end_time_in=week").await, [1]);
    let day = days(3).with_timezone(&chrono_tz::Europe::Berlin).date_naive();
    assert_eq!(sessions(&format!("start_time_from={day}&start_time_to={day}")).await, [1]);
    assert_eq!(of("/admin/interactions/?event_type=click").await, [5]);
    assert!(of("/admin/interactions/?event_type=hover").await.is_empty());
    assert_eq!(of("/admin/pageviews/?session_id=beta").await, [4]);
    assert_eq!(of("/admin/pageviews/?url=nothing&metadata__a=b").await, [3, 4], "only what the panel shows counts");
    let wrong = site.get("/admin/sessions/?start_time_from=yesterday&search=%00").await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.body.contains("enter a date as YYYY-MM-DD") && wrong.body.contains("Null characters"));
    assert!(!wrong.body.contains("Nothing here matches"), "nothing was looked for: {}", wrong.body);
    assert!(site.page("/admin/sessions/?search=nobody").await.contains("Nothing here matches"));
    assert!(sessions("page=999999999999").await.is_empty());
}

#[tokio::test]
async fn a_journey_is_told_in_order_with_its_gaps_and_goes_on() {
    let site = Site::new().await;
    let start = Utc::now() - TimeDelta::hours(2);
    let mut events = vec![firefox("s", start), click("s", start + TimeDelta::seconds(150), "#buy", "{}")];
    events.push(page_view("s", start, "http://a.example/first"));
    let later = start + TimeDelta::hours(1);
    events.extend(
        (0..510).map(|number| {
            page_view("s", later + TimeDelta::milliseconds(number), &format!("http://a.example/{number}"))
        }),
    );
    let ids = site.append(&events).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let page = site.page(&path).await;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(place("/first<") < place("2 minutes 30 seconds") && place("2 minutes 30 seconds") < place("#buy<"));
    assert!(place("#buy<") < place("57 minutes 30 seconds") && place("57 minutes 30 seconds") < place("a.example/0<"));
    assert!(page.contains("a.example/497<") && !page.contains("a.example/498<"), "500 of them");
    let next = page.split_once("rel=\"next\"").unwrap().0.rsplit_once("href=\"").unwrap().1.split('#').next().unwrap();
    let rest = site.page(next).await;
    assert!(rest.contains("a.example/498<") && rest.contains("a.example/509<") && !rest.contains("a.example/497<"));
    assert!(!rest.contains("rel=\"next\""));
    for odd in ["after=x", "after=1_x", "after=9223372036854775807_1", "after=-9223372036854775808_0"] {
        assert_eq!(site.get(&format!("{path}?{odd}")).await.status, 200, "{odd}");
    }
}

#[tokio::test]
async fn a_dead_letter_is_read_sent_again_once_or_dismissed_for_good() {
    let mut site = Site::new().await;
    let misplaced = page_view("s", Utc::now(), "http://a.example/");
    let raw = |value: Vec<u8>, key: &[u8]| NewRecord {
        key: key.to_vec(),
        event_id: Uuid::now_v7(),
        schema_version: codec::SCHEMA_VERSION,
        value,
    };
    let foreign = (0..50)
        .map(|number| format!("k{number}"))
        .find(|key| schema::partition_for(key.as_bytes(), 4) != schema::partition_for(b"s", 4));
    let ids = site
        .append_raw(vec![
            raw(b"\xff<script>".to_vec(), b"a"),
            raw(codec::encode(&misplaced), foreign.unwrap().as_bytes()),
        ])
        .await;
    let path = |id: i64| {
        let position = schema::Position::from_id(id).unwrap();
        format!("/admin/dead-letters/{}/{}/", position.partition, position.offset)
    };
    assert!(site.page("/admin/").await.contains("2 wait for somebody"));
    let list = site.page("/admin/dead-letters/").await;
    assert!(list.contains(&path(ids[0])) && list.contains("misplaced") && list.contains("malformed"), "{list}");
    let garbage = site.page(&path(ids[0])).await;
    assert!(garbage.contains("ff 3c 73 63") && garbage.contains("cannot be sent again"), "{garbage}");
    assert_eq!(site.fill(&path(ids[0]), &[("act", "send")]).await.status, 422);
    assert!(site.fill(&path(ids[0]), &[("act", "dismiss")]).await.location().contains("done=dismissed"));
    assert!(site.page("/admin/").await.contains("1 waits for somebody"));
    assert!(
        site.page(&path(ids[0])).await.matches("Europe/Berlin").count() >= 2,
        "when it came, when it was dismissed"
    );

    let form = site.page(&path(ids[1])).await;
    let sent = site.submit(&path(ids[1]), &form, &[("act", "send")]).await;
    assert!(site.page(&sent.location()).await.contains("Sent again."));
    site.until("SELECT count(*) FROM page_view", 1).await;
    assert_eq!(site.submit(&path(ids[1]), &form, &[("act", "send")]).await.status, 409, "once");
    assert_eq!(site.number("SELECT count(*) FROM page_view").await, 1);
    assert!(site.page("/admin/").await.contains("0 wait for somebody"));
    site.assert_accounted_for().await;
    assert!(site.page("/admin/dead-letters/").await.contains("dismissed by ann"), "a rebuild brings back nothing");
}

#[tokio::test]
async fn freshness_is_told_for_each_partition() {
    let site = Site::new().await;
    site.append(&[firefox("s", Utc::now())]).await;
    let page = site.page("/admin/partitions/").await;
    assert_eq!(page.matches("<th scope=\"row\" class=\"n\">").count(), 4, "{page}");
    assert!(page.contains("Europe/Berlin"), "the zone is named");
}

#[tokio::test]
async fn the_id_of_a_session_is_cut_in_lists_and_whole_on_its_page() {
    let site = Site::new().await;
    let (now, uuid, long) = (Utc::now(), Uuid::now_v7().to_string(), "long-".repeat(51));
    let ids =
        site.append(&[firefox(&uuid, now), firefox(&long, now), page_view(&long, now, "http://a.example/")]).await;
    for list in ["/admin/sessions/", "/admin/pageviews/"] {
        let page = site.page(list).await;
        assert!(page.contains(&format!(">{}…</bdi>", &long[..40])), "{list}: {page}");
    }
    assert!(site.page("/admin/sessions/").await.contains(&format!(">{uuid}</bdi>")));
    for path in [format!("/admin/sessions/{}/", ids[1]), format!("/admin/pageviews/{}/", ids[2])] {
        assert!(site.page(&path).await.contains(&long), "{path}");
    }
}

#[tokio::test]
async fn every_page_that_tells_a_time_names_its_zone() {
    let site = Site::new().await;
    let now = Utc::now();
    let ids =
        site.append(&[firefox("s", now), page_view("s", now, "http://a.example/"), click("s", now, "#a", "{}")]).await;
    let [session, view, act] = [("sessions", ids[0]), ("pageviews", ids[1]), ("interactions", ids[2])]
        .map(|(kind, id)| format!("/admin/{kind}/{id}/"));
    for (path, time) in [(&session, "Start time"), (&view, "Timestamp"), (&act, "Timestamp")] {
        let page = site.page(path).await;
        let field = page.split_once(&format!("class=\"label\">{time}<")).unwrap().1.split("</div>").next().unwrap();
        assert!(field.contains("In Europe/Berlin."), "{path}: {field}");
        let page = site.page(&format!("{path}delete/")).await;
        let fact = page.split_once(&format!("<dt>{time}</dt>")).unwrap().1.split("</div>").next().unwrap();
        assert!(fact.contains(" in Europe/Berlin"), "{path}delete/: {fact}");
    }
}
