//! § 6.

use crate::{
    Case,
    lists::{PAGES, page_views, pick},
    site::{Site, encode, session, with},
};
use serde_json::json;

pub const CASES: &[Case] = &[
    Case("6", "text filters: equal with case, contains, startswith, endswith without", texts),
    Case("6", "address, null and time filters", sessions),
    Case("6", "errors of filters name the parameter", errors),
    Case("6", "times of events: to the microsecond, both ends included", times),
    Case("6", "id finds the one, of each resource", ids),
    Case("6", "events: session, session__id, session_id and its digits", by_session),
    Case("6", "interactions: event_type, event_type_in, element", interactions),
    Case("6", "metadata: keys, descent, numbers as numbers and strings", metadata),
    Case("6", "empty values and unknown parameters filter nothing; the last repeated value wins", nothing),
];

fn texts(site: &Site) {
    let id = page_views(site, &["http://A.example/One?x=%_", "http://b.example/two"]);
    for (query, found) in [
        ("url=http://A.example/One?x=%_", 1),
        ("url=http://a.example/One?x=%_", 0),
        ("url_contains=EXAMPLE/o", 1),
        ("url_contains=%", 1),
        ("url_startswith=HTTP://B", 1),
        ("url_startswith=b.example", 0),
        ("url_endswith=TWO", 1),
        ("url_endswith=_", 1),
        ("url_contains= two ", 1),
        ("url_contains=example&url_endswith=two", 1),
    ] {
        let (name, value) = query.split_once('=').unwrap();
        let query = match value.split_once("&url") {
            Some(_) => query.to_owned(),
            None => format!("{name}={}", encode(value)),
        };
        let list = site.get(&format!("/pageviews/?session_id={id}&{query}")).json();
        assert_eq!((list["count"].clone(), pick(&list, "url").len()), (json!(found), found), "{query}");
    }
}

fn sessions(site: &Site) {
    let (user, id) = (format!("{}User", site.prefix), site.session());
    let body = with(with(session(&id), "user_id", json!(user)), "end_time", json!("2025-03-30T01:30:00.000001Z"));
    site.accept_json("sessions", &with(body, "ip_address", json!("2001:db8::4")));
    let open = site.session();
    site.accept_json("sessions", &session(&open));
    site.session_when(&id, |_| true);
    site.session_when(&open, |_| true);
    let own = format!("session_id={id}");
    for (filter, found) in [
        ("ip_address=2001:DB8:0::4", 1),
        ("ip_address=2001:db8::5", 0),
        ("ip_address_startswith=2001:db8", 1),
        ("ip_address_startswith=db8", 0),
        ("user_agent_contains=FIREFOX", 1),
        ("user_agent=firefox", 0),
        ("user_id_contains=uSER", 1),
        ("user_id_isnull=true", 0),
        ("user_id_isnull=False", 1),
        ("user_id_isnull=0", 1),
        ("user_id_isnull=x", 1),
        ("end_time_isnull=1", 0),
        ("end_time_isnull=FALSE", 1),
        ("end_time=2025-03-30T01:30:00.000001Z", 1),
        ("end_time=2025-03-30T01:30:00Z", 0),
        ("end_time=2025-03-30T03:30:00.000001%2B02:00", 1),
        ("end_time_after=2025-03-30T01:30:00.000001Z", 1),
        ("end_time_after=2025-03-30T01:30:00.000002Z", 0),
        ("end_time_before=2025-03-30T01:30:00.000001Z", 1),
        ("end_time_before=2025-03-30", 0),
        ("end_time_range_after=2025-03-30&end_time_range_before=2025-03-31", 1),
        ("end_time_date=2025-03-30", 1),
        ("end_time_date=2025-03-31", 0),
        ("end_time_after=03/30/2025", 1),
        ("end_time_after=03/30/2025 01:31", 0),
    ] {
        let path = format!("/sessions/?{own}&{}", filter.replace(' ', "%20"));
        assert_eq!(site.get(&path).json()["count"], found, "{filter}");
    }
    let key = site.session_when(&id, |_| true)["id"].clone();
    assert_eq!(site.get(&format!("/sessions/?id={key}")).json()["results"][0]["session_id"], id);
    assert_eq!(site.get(&format!("/sessions/?session_id={}", encode(&id.to_uppercase()))).json()["count"], 0);
    assert_eq!(site.get(&format!("/sessions/?session_id_contains={}", encode(&id.to_uppercase()))).json()["count"], 1);
}

fn errors(site: &Site) {
    for (path, told) in [
        ("/sessions/?start_time=x", json!({"start_time": ["Enter a valid date/time."]})),
        ("/sessions/?end_time_after=2025-13-01", json!({"end_time_after": ["Enter a valid date/time."]})),
        ("/sessions/?start_time_range_before=x", json!({"start_time_range": ["Enter a valid date/time."]})),
        ("/pageviews/?timestamp_date=2025-03-01T00:00:00Z", json!({"timestamp_date": ["Enter a valid date."]})),
        ("/sessions/?ip_address=x", json!({"ip_address": ["Enter a valid IPv4 or IPv6 address."]})),
        ("/sessions/?id=x", json!({"id": ["Enter a number."]})),
        (
            "/interactions/?event_type=x",
            json!({"event_type": ["Select a valid choice. x is not one of the available choices."]}),
        ),
        (
            "/interactions/?event_type_in=click&event_type_in=x",
            json!({"event_type_in": ["Select a valid choice. x is not one of the available choices."]}),
        ),
        (
            "/pageviews/?session=x",
            json!({"session": ["Select a valid choice. That choice is not one of the available choices."]}),
        ),
        (
            "/pageviews/?session=9007199254740990",
            json!({"session": ["Select a valid choice. That choice is not one of the available choices."]}),
        ),
        ("/pageviews/?url=%00", json!({"url": ["Null characters are not allowed."]})),
    ] {
        let answer = site.get(path);
        assert_eq!((answer.status, answer.json()), (400, told), "{path}");
    }
    let both = site.get("/sessions/?id=x&ip_address=y").json();
    assert_eq!(both.as_object().unwrap().len(), 2, "{both}");
}

/// A page view and an interaction of one session, at a time of their own; gives the session's name.
fn at(site: &Site, time: &str) -> String {
    let id = site.session();
    let view = json!({"session_id": id, "url": "http://a.example/", "timestamp": time});
    let interaction = json!({"session_id": id, "event_type": "click", "element": "b", "timestamp": time});
    for (resource, event) in [("pageviews", view), ("interactions", interaction)] {
        let found = site.found(resource, &site.accept_json(resource, &event));
        assert_eq!(found["timestamp"], time);
    }
    id
}

fn times(site: &Site) {
    let day = (chrono::Utc::now() - chrono::TimeDelta::days(2)).format("%Y-%m-%d").to_string();
    let next = (chrono::Utc::now() - chrono::TimeDelta::days(1)).format("%Y-%m-%d").to_string();
    let id = at(site, &format!("{day}T10:20:30.000004Z"));
    for (filter, found) in [
        (format!("timestamp={day}T10:20:30.000004Z"), 1),
        (format!("timestamp={day}T11:20:30.000004%2B01:00"), 1),
        (format!("timestamp={day}%2010:20:30.000004"), 1),
        (format!("timestamp={day}T10:20:30Z"), 0),
        (format!("timestamp_after={day}T10:20:30.000004Z"), 1),
        (format!("timestamp_after={day}T10:20:30.000005Z"), 0),
        (format!("timestamp_before={day}T10:20:30.000004Z"), 1),
        (format!("timestamp_before={day}T10:20:30.000003Z"), 0),
        (format!("timestamp_range_after={day}T10:20:30.000004Z&timestamp_range_before={day}T10:20:30.000004Z"), 1),
        (format!("timestamp_range_after={next}"), 0),
        (format!("timestamp_range_before={day}"), 0),
        (format!("timestamp_date={day}"), 1),
        (format!("timestamp_date={next}"), 0),
        (format!("timestamp_after={day}&timestamp_before={next}&timestamp_date={day}"), 1),
    ] {
        for resource in ["pageviews", "interactions"] {
            let list = site.get(&format!("/{resource}/?session_id={id}&{filter}")).json();
            assert_eq!(list["count"], found, "{resource} {filter}");
        }
    }
    let id = site.session();
    let start = format!("{day}T10:20:30.000004Z");
    site.accept_json("sessions", &with(session(&id), "start_time", json!(start)));
    site.session_when(&id, |session| session["start_time"] == start);
    for (filter, found) in [
        (format!("start_time={start}"), 1),
        (format!("start_time_after={start}&start_time_before={start}"), 1),
        (format!("start_time_range_after={start}&start_time_range_before={start}"), 1),
        (format!("start_time_date={day}"), 1),
        (format!("start_time_date={next}"), 0),
        (format!("start_time_after={next}"), 0),
    ] {
        assert_eq!(site.get(&format!("/sessions/?session_id={id}&{filter}")).json()["count"], found, "{filter}");
    }
}

fn ids(site: &Site) {
    let id = page_views(site, &PAGES[..2]);
    let event = json!({"session_id": id, "event_type": "click", "element": "b"});
    let interaction = site.found("interactions", &site.accept_json("interactions", &event));
    let page_view = site.get(&format!("/pageviews/?session_id={id}&limit=1")).json()["results"][0].clone();
    for (resource, key) in [
        ("sessions", &interaction["session"]["id"]),
        ("pageviews", &page_view["id"]),
        ("interactions", &interaction["id"]),
    ] {
        let list = site.get(&format!("/{resource}/?id=%20{key}%20")).json();
        assert_eq!((&list["count"], &list["results"][0]["id"]), (&json!(1), key), "{resource}");
        assert_eq!(site.get(&format!("/{resource}/?id=0")).json()["count"], 0);
        assert_eq!(site.get(&format!("/{resource}/{key}/?id=0")).status, 404);
        for wrong in ["x", "1.5", "1e3", "%00"] {
            let answer = site.get(&format!("/{resource}/?id={wrong}"));
            assert_eq!((answer.status, answer.json()), (400, json!({"id": ["Enter a number."]})), "{resource} {wrong}");
        }
    }
}

fn by_session(site: &Site) {
    let id = page_views(site, &PAGES[..2]);
    let key = site.session_when(&id, |_| true)["id"].clone();
    for (query, found) in [
        (format!("session={key}"), 2),
        (format!("session__id={key}"), 2),
        (format!("session_id={id}"), 2),
        (format!("session_id={key}"), 2),
        (format!("session_id_contains={}", id.to_uppercase()), 2),
        ("session_id=nobody%20has%20this".to_owned(), 0),
    ] {
        assert_eq!(site.get(&format!("/pageviews/?{query}")).json()["count"], found, "{query}");
    }
    // who is called as another one's key is meant by it
    let called = key.to_string();
    let view = json!({"session_id": called, "url": "http://a.example/called"});
    let view = site.found("pageviews", &site.accept_json("pageviews", &view));
    let list = site.get(&format!("/pageviews/?session_id={called}")).json();
    assert_eq!((&list["count"], &list["results"][0]["id"]), (&json!(1), &view["id"]));
}

fn interactions(site: &Site) {
    let id = site.session();
    for (event_type, element) in [("click", "#Buy"), ("scroll", "#main"), ("hover", "#buyer")] {
        let event = json!({"session_id": id, "event_type": event_type, "element": element});
        site.found("interactions", &site.accept_json("interactions", &event));
    }
    for (query, found) in [
        ("event_type=click", 1),
        ("event_type_in=click&event_type_in=hover", 2),
        ("element=%23Buy", 1),
        ("element=%23buy", 0),
        ("element_contains=BUY", 2),
        ("element_startswith=%23b", 2),
    ] {
        assert_eq!(site.get(&format!("/interactions/?session_id={id}&{query}")).json()["count"], found, "{query}");
    }
    assert_eq!(site.get("/interactions/?event_type_in=click,hover").status, 400, "commas are not split");
}

fn metadata(site: &Site) {
    let id = site.session();
    for metadata in [
        json!({"x": 3, "a": {"b": "c"}, "arr": [7, "k"]}),
        json!({"x": "3", "ok": true}),
        json!({"x": 3.0, "n": null, "neg": -2}),
    ] {
        let event = json!({"session_id": id, "event_type": "click", "element": "b", "metadata": metadata});
        site.found("interactions", &site.accept_json("interactions", &event));
    }
    for (query, found) in [
        ("metadata=x=3", 3),
        ("metadata__x=3", 3),
        ("metadata=a__b=c", 1),
        ("metadata__a__b=c", 1),
        ("metadata=arr__0=7", 1),
        ("metadata__arr__1=k", 1),
        ("metadata=ok=true", 1),
        ("metadata=n=null", 1),
        ("metadata=neg=-2", 1),
        ("metadata=neg=-2e0", 1),
        ("metadata=x", 3),
        ("metadata=x__gt=2", 0),
        ("metadata=x=4", 0),
    ] {
        assert_eq!(site.get(&format!("/interactions/?session_id={id}&{query}")).json()["count"], found, "{query}");
    }
}

fn nothing(site: &Site) {
    let id = page_views(site, &PAGES[..2]);
    for (query, found) in [
        ("url=", 2),
        ("url_contains=", 2),
        ("session=", 2),
        ("timestamp_after=", 2),
        ("unknown=x&url__gt=3", 2),
        ("url_contains=nope&url_contains=example", 2),
        ("url_contains=example&url_contains=nope", 0),
    ] {
        assert_eq!(site.get(&format!("/pageviews/?session_id={id}&{query}")).json()["count"], found, "{query}");
    }
}
