//! What must hold for any bytes, for the fuzz targets in `fuzz/` and the test that replays what they found.

use crate::{
    condition::Condition,
    filters::Narrowing,
    lists::{
        cursor::{Cursor, Key, hex},
        order::Order,
        question::{Rows, counting},
    },
    paging::{Page, PageSizes, Parameters},
    settings::FieldNames,
};
use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Tz;
use service::{access::Keys, resource::Resource};
use std::net::{IpAddr, Ipv4Addr};

const URL: &str = "http://a.example/sessions/";

/// What a cursor is good for here.
const BOUND: &str = "sessions";

/// The query of an address, behind a byte that says of what list. Whatever it says: the statements are the same as
/// for other values, no bound text is one that PostgreSQL refuses, and links lead where they say.
///
/// # Panics
/// When it does not hold.
pub fn query(data: &[u8]) {
    let Some((choice, query)) = data.split_first() else { return };
    let resource = resource(*choice);
    let parameters = Parameters::parse(Some(&String::from_utf8_lossy(query)));
    links(&parameters);

    let zone = if choice & 4 == 0 { Tz::UTC } else { Tz::America__Sao_Paulo };
    let narrowing = Narrowing::of(resource, &parameters, true, &searchable(resource), zone);
    if !narrowing.errors.is_empty() {
        assert!(narrowing.errors.iter().all(|(_, messages)| !messages.is_empty()), "{:?}", narrowing.errors);
        return;
    }
    narrowing.conditions.iter().for_each(values);
    let order = order(resource, parameters.get("ordering"));
    let blank: Vec<Condition> = narrowing.conditions.iter().map(blanked).collect();
    let sql = |conditions: &[Condition]| {
        let rows = Rows { resource, conditions, order: &order, limit: 11, offset: 3, cursor: None };
        [rows.statement().into_sql(), counting(resource, conditions, Some(5)).into_sql()]
    };
    assert_eq!(sql(&narrowing.conditions), sql(&blank), "a value is in the statement");
    // the order is made of names that are known
    assert_eq!(order.columns().last(), Some(crate::columns::Column::Id));
    assert!(order.columns().count() <= 5, "{}", order.name());
    if let Some(session) = narrowing.session {
        assert!(narrowing.conditions.contains(&Condition::Session(session.id)));
    }
}

/// A place in an order, an order and a text, one a line: a place that can be read is written alike, a cursor is good for
/// what it was made for, and neither a text nor a cursor with another letter is one.
///
/// # Panics
/// When it does not hold.
pub fn cursor(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let resource = resource(*choice);
    let text = String::from_utf8_lossy(rest);
    let mut lines = text.splitn(3, '\n');
    let [ordering, place, other] = [(); 3].map(|()| lines.next().unwrap_or_default());
    let (order, keys) = (order(resource, Some(ordering)), Keys::new(&[7; 32]).expect("32 bytes are enough"));
    // by a key that signs nothing here: what is sealed below is compared, and a fuzzer learns from what is compared
    let nobodys = Keys::new(&[9; 32]).expect("32 bytes are enough");
    assert_eq!(Cursor::open(other, BOUND, &order, &nobodys), None, "nobody has signed this");
    let Some(cursor) = Cursor::decode(&hex(place.as_bytes()), &order) else { return };
    assert_eq!(Cursor::decode(&cursor.encode(), &order).as_ref(), Some(&cursor), "another place");
    let sealed = cursor.seal(BOUND, &keys);
    assert_eq!(Cursor::open(&sealed, BOUND, &order, &keys).as_ref(), Some(&cursor));
    assert_eq!(Cursor::open(&sealed, "pageviews", &order, &keys), None, "good for another list");
    assert_eq!(Cursor::open(&sealed, BOUND, &order, &Keys::new(&[8; 32]).expect("32 bytes")), None, "another's");
    let at = other.len() % sealed.len();
    for letter in other.chars().filter(char::is_ascii).take(1) {
        let mut changed = sealed.clone();
        changed.replace_range(at..=at, letter.encode_utf8(&mut [0; 4]));
        assert!(changed == sealed || Cursor::open(&changed, BOUND, &order, &keys).is_none(), "{changed}");
    }
    let blank = Cursor { keys: cursor.keys.iter().map(blank_key).collect(), ..cursor };
    let sql = |cursor: &Cursor| {
        Rows { resource, conditions: &[], order: &order, limit: 1, offset: 0, cursor: Some(cursor) }
            .statement()
            .into_sql()
    };
    assert_eq!(sql(&cursor), sql(&blank), "a value is in the statement");
}

fn resource(choice: u8) -> Resource {
    Resource::ALL[usize::from(choice % 3)]
}

fn searchable(resource: Resource) -> FieldNames {
    let (text, known): (_, &'static [&'static str]) = match resource {
        Resource::Sessions => {
            ("session_id,user_agent,ip_address,user_id", &["session_id", "user_agent", "ip_address", "user_id"])
        }
        Resource::PageViews => ("url,session_id", &["url", "session_id"]),
        Resource::Interactions => ("session_id,element", &["session_id", "element"]),
    };
    FieldNames::parse(text, known).expect("they are known")
}

fn order(resource: Resource, parameter: Option<&str>) -> Order {
    let (text, known): (_, &'static [&'static str]) = match resource {
        Resource::Sessions => ("id,session_id,start_time,end_time", &["id", "session_id", "start_time", "end_time"]),
        Resource::PageViews => ("id,timestamp", &["id", "timestamp"]),
        Resource::Interactions => ("id,event_type,timestamp", &["id", "event_type", "timestamp"]),
    };
    Order::of(parameter, &FieldNames::parse(text, known).expect("they are known"), resource)
}

/// Links hold all that was asked for, and the page that they say.
fn links(parameters: &Parameters) {
    let sizes = PageSizes { default: 10, min: 1, max: 100 };
    let page = Page::of(parameters, sizes);
    assert!((1..=100).contains(&page.limit) && page.offset >= 0, "{page:?}");
    let links = [page.next(URL, parameters, i64::MAX), page.previous(URL, parameters)];
    for link in links.into_iter().flatten() {
        let query = link.strip_prefix(URL).and_then(|rest| rest.strip_prefix('?')).expect("a link to the same list");
        assert!(query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-~+%=&".contains(&byte)), "{query}");
        let linked = Parameters::parse(Some(query));
        let there = Page::of(&linked, sizes);
        assert_eq!(there.limit, page.limit);
        assert!(
            there.offset == page.offset.saturating_add(page.limit) || there.offset == (page.offset - page.limit).max(0)
        );
        let others = |parameters: &Parameters| {
            parameters.clone().with("limit", None::<i64>).with("offset", None::<i64>).to_query()
        };
        assert_eq!(others(&linked), others(parameters), "a parameter is lost");
    }
}

/// What is bound can be bound.
fn values(condition: &Condition) {
    match condition {
        Condition::Equal(_, text) | Condition::Like(_, text) | Condition::SessionKnownAs(text) => no_nul(text),
        Condition::Metadata { path, values } => {
            for key in path {
                no_nul(key);
            }
            for value in values {
                assert!(!value.contains("\\u0000"), "{value}");
                serde_json::from_str::<&serde_json::value::RawValue>(value).expect("a JSON value");
            }
        }
        // as PostgreSQL counts, years are 4714 BC to 294276
        Condition::Time { at, .. } => assert!((-4_000..=10_001).contains(&at.year()), "{at}"),
        Condition::AnyOf(alternatives) => alternatives.iter().for_each(values),
        _ => {}
    }
}

fn no_nul(text: &str) {
    assert!(!text.contains('\0'), "{text:?}");
}

/// The same about other values.
fn blanked(condition: &Condition) -> Condition {
    match condition {
        Condition::Id(_) => Condition::Id(0),
        Condition::Session(_) => Condition::Session(0),
        Condition::Time { column, is, .. } => {
            Condition::Time { column: *column, is: *is, at: DateTime::<Utc>::UNIX_EPOCH }
        }
        Condition::Equal(text, _) => Condition::Equal(*text, String::new()),
        Condition::Like(text, _) => Condition::Like(*text, String::new()),
        Condition::SessionKnownAs(_) => Condition::SessionKnownAs(String::new()),
        Condition::Address(_) => Condition::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Condition::Types(_) => Condition::Types(Vec::new()),
        Condition::Metadata { .. } => Condition::Metadata { path: Vec::new(), values: Vec::new() },
        Condition::AnyOf(alternatives) => Condition::AnyOf(alternatives.iter().map(blanked).collect()),
        // words of the program, both
        Condition::Missing { .. } | Condition::OneOf(..) => condition.clone(),
    }
}

fn blank_key(key: &Key) -> Key {
    match key {
        Key::Number(_) => Key::Number(0),
        Key::Text(_) => Key::Text(String::new()),
        // what has not ended is a word of the statement
        Key::Time(time) => Key::Time(time.map(|_| 0)),
    }
}
