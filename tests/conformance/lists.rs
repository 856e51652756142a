//! § 5, § 6.

use crate::{
    Case,
    site::{Site, encode, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("5", "limit and offset are forgiving", paging),
    Case("5", "next and previous are absolute, keep all other parameters, keys sorted", links),
    Case("5", "newest first without ordering; ordering takes the allowed fields, the last repeated one", ordering),
    Case("5", "search: all terms, in any field, phrases kept together, wildcards literal", search),
    Case("5", "search and filters turn a detail that does not match into 404", details),
    Case("5", "count=capped and count=none", counts),
    Case("6", "text filters: equal with case, contains, startswith, endswith without", texts),
    Case("6", "address, null and time filters", sessions),
    Case("6", "errors of filters name the parameter", errors),
    Case("6", "events: session, session__id, session_id and its digits", by_session),
    Case("6", "interactions: event_type, event_type_in, element", interactions),
    Case("6", "metadata: keys, descent, numbers as numbers and strings", metadata),
    Case("6", "empty values and unknown parameters filter nothing; the last repeated value wins", nothing),
];

/// Page views of a session of its own, one a URL, in their order; gives the session_id.
fn page_views(site: &Site, urls: &[&str]) -> String {
    let id = site.session();
    for url in urls {
        let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": url}));
        site.found("pageviews", &taken);
    }
    id
}

fn pick(list: &Value, field: &str) -> Vec<String> {
    let results = list["results"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    results.iter().map(|object| object[field].as_str().unwrap_or_default().to_owned()).collect()
}

const PAGES: [&str; 5] =
    ["http://a.example/1", "http://a.example/2", "http://a.example/3", "http://a.example/4", "http://a.example/5"];

fn paging(site: &Site) {
    let id = page_views(site, &PAGES);
    let list = |query: &str| site.get(&format!("/pageviews/?session_id={}&{query}", encode(&id))).json();
    for (query, shown) in [
        ("limit=2", 2),
        ("limit=0", 5),
        ("limit=-1", 5),
        ("limit=", 5),
        ("limit=x", 5),
        ("limit=1.0", 5),
        ("limit=101", 5),
        ("limit=999999999999999999999", 5),
        ("limit=2&limit=3", 3),
        ("offset=3", 2),
        ("offset=-3", 5),
        ("offset=x", 5),
        ("offset=5", 0),
        ("offset=99999999999999999999999", 0),
    ] {
        let found = list(query);
        assert_eq!((pick(&found, "url").len(), &found["count"]), (shown, &json!(5)), "{query}");
    }
    let beyond = list("offset=50");
    assert!(beyond["next"].is_null() && beyond["previous"].is_string(), "{beyond}");
}

fn links(site: &Site) {
    let id = page_views(site, &PAGES);
    let at = format!("http://{}{}/pageviews/", site.host, site.base);
    let list = site.get(&format!("/pageviews/?z=1&session_id={id}&limit=2&a=b%20c&offset=2")).json();
    assert_eq!(list["next"], format!("{at}?a=b+c&limit=2&offset=4&session_id={id}&z=1"));
    assert_eq!(list["previous"], format!("{at}?a=b+c&limit=2&session_id={id}&z=1"));
    let (mut seen, mut next) = (Vec::new(), format!("/pageviews/?limit=2&session_id={id}"));
    loop {
        let list = site.get(&next).json();
        seen.extend(pick(&list, "url"));
        let Some(url) = list["next"].as_str() else { break };
        next = site.path_of(url);
    }
    assert_eq!(seen, PAGES.iter().rev().copied().collect::<Vec<_>>());
}

fn ordering(site: &Site) {
    let id = page_views(site, &PAGES[..3]);
    let of = |query: &str| pick(&site.get(&format!("/pageviews/?session_id={id}&{query}")).json(), "url");
    let (up, down) = (PAGES[..3].to_vec(), PAGES[..3].iter().rev().copied().collect::<Vec<_>>());
    for (query, expected) in [
        ("", &down),
        ("ordering=timestamp", &up),
        ("ordering=-timestamp", &down),
        ("ordering=url", &down),
        ("ordering=-timestamp&ordering=timestamp", &up),
        ("ordering=x,timestamp", &up),
        ("ordering= timestamp ", &up),
        ("ordering=", &down),
    ] {
        assert_eq!(&of(&query.replace(' ', "%20")), expected, "{query}");
    }
    let [none, early, late] = [None, Some("2025-01-01T00:00:00Z"), Some("2025-01-02T00:00:00Z")].map(|end| {
        let id = site.session();
        site.accept_json(
            "sessions",
            &with(with(session(&id), "end_time", json!(end)), "user_id", json!(format!("{}o", site.prefix))),
        );
        site.session_when(&id, |_| true);
        id
    });
    let of = |order: &str| {
        pick(&site.get(&format!("/sessions/?user_id={}o&ordering={order}", site.prefix)).json(), "session_id")
    };
    assert_eq!(of("end_time"), [&early, &late, &none].map(Clone::clone), "nulls last");
    assert_eq!(of("-end_time"), [&none, &late, &early].map(Clone::clone), "nulls first");
}

fn search(site: &Site) {
    let id = site.session();
    for element in ["Buy now", "buy 100% later", "under_score", "back\\slash", "plain"] {
        let event = json!({"session_id": id, "event_type": "click", "element": element});
        site.found("interactions", &site.accept_json("interactions", &event));
    }
    for (terms, expected) in [
        ("buy", &["buy 100% later", "Buy now"][..]),
        ("BUY now", &["Buy now"]),
        ("now,buy", &["Buy now"]),
        ("\"buy now\"", &["Buy now"]),
        ("\"now buy\"", &[]),
        ("'buy 100%'", &["buy 100% later"]),
        ("%", &["buy 100% later"]),
        ("_", &["under_score"]),
        ("\\", &["back\\slash"]),
        ("", &["plain", "back\\slash", "under_score", "buy 100% later", "Buy now"]),
    ] {
        let query = format!("/interactions/?session_id={id}&search={}", encode(terms));
        assert_eq!(pick(&site.get(&query).json(), "element"), expected, "{terms}");
    }
    let found = site.get(&format!("/interactions/?search={}", encode(&format!("plain {id}")))).json();
    assert_eq!(pick(&found, "element"), ["plain"], "terms may match in different fields");
    let nul = site.get("/interactions/?search=%00");
    assert_eq!((nul.status, nul.json()), (400, json!(["Null characters are not allowed."])));
}

fn details(site: &Site) {
    let id = site.session();
    let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/here"}));
    site.found("pageviews", &taken);
    for (query, status) in
        [("url_contains=HERE", 200), ("url_contains=there", 404), ("search=here", 200), ("search=nowhere", 404)]
    {
        let answer = site.get(&format!("/pageviews/{}/?{query}", taken["id"]));
        assert_eq!(answer.status, status, "{query}");
        if status == 404 {
            assert_eq!(answer.json(), json!({"detail": "No PageView matches the given query."}));
        }
    }
}

fn counts(site: &Site) {
    let id = page_views(site, &PAGES[..2]);
    let of = |mode: &str| site.get(&format!("/pageviews/?session_id={id}&limit=1&count={mode}"));
    assert_eq!((of("exact").json()["count"].clone(), of("x").json()["count"].clone()), (json!(2), json!(2)));
    assert_eq!((of("capped").json()["count"].clone(), of("capped").header("footfall-count")), (json!(2), None));
    let none = of("none").json();
    assert!(none["count"].is_null() && none["next"].is_string(), "{none}");
}

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
