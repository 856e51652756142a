//! A site of a test's own: tables, the projector's own code that fills them, and the routes.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::Parser;
use event_log::{LogId, Record};
use projector::{
    checkpoint,
    health::Health,
    model::{MadeFor, ReadModel},
    projection::Batch,
    write::PartitionWriter,
};
use query_api::{QueryApi, QuerySettings};
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, Position, SessionAnnounced, SessionId,
    Source, codec,
    migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA},
};
use serde_json::{Value, value::RawValue};
use service::{
    access::Keys, client_address::TrustedProxies, cors::AllowedOrigins, database::Database, front::Front, gate::Access,
    ops::Readiness, resource::Resource, throttle::ThrottleSettings,
};
use sqlx::PgPool;
use std::{collections::BTreeSet, sync::Arc};
use test_support::TestDatabase;
use tower::ServiceExt;
use uuid::Uuid;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: QuerySettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
}

/// What a command line with these settings says.
pub fn settings(arguments: &[&str]) -> Result<QuerySettings, String> {
    let command = Command::try_parse_from([&["query-api"], arguments].concat());
    command.map(|command| command.settings).map_err(|error| error.to_string())
}

pub struct Site {
    pub pool: PgPool,
    pub keys: Keys,
    model: Arc<ReadModel>,
    database: Database,
    zone: Tz,
    next_offset: i64,
    app: Router,
    _test_database: TestDatabase,
}

impl Site {
    pub async fn empty(zone: Tz, arguments: &[&str]) -> Self {
        let test_database = TestDatabase::create().await;
        let database = Database::new(test_database.options());
        database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
        database.migrate(ACCOUNTS_SCHEMA, ACCOUNTS).await.unwrap();
        let pool = database.pool(READ_MODEL_SCHEMA, "the test", 3);
        let made_for = MadeFor { zone, log_id: LogId("log".into()), partitions: 1, deduplication_days: 7 };
        let model = Arc::new(ReadModel::prepare(pool.clone(), made_for).await.unwrap());
        let keys = Keys::new(&[7; 32]).unwrap();
        let app = app(&database, zone, keys.clone(), arguments);
        Self { pool, keys, model, database, zone, next_offset: 0, app, _test_database: test_database }
    }

    /// With four sessions (ids 1 to 4), four page views (5 to 8) and three interactions (9 to 11).
    pub async fn filled(zone: Tz) -> Self {
        let mut site = Self::empty(zone, &[]).await;
        site.project(&example()).await;
        site
    }

    /// The same tables with other settings.
    pub fn with(&mut self, arguments: &[&str]) {
        self.app = app(&self.database, self.zone, self.keys.clone(), arguments);
    }

    /// Brings events into the read model.
    pub async fn project(&mut self, envelopes: &[Envelope]) {
        let records = envelopes.iter().zip(self.next_offset..).map(|(envelope, offset)| Record {
            position: Position::new(0, offset),
            appended_at: envelope.recorded_at,
            schema_version: Some(codec::SCHEMA_VERSION),
            key: Some(envelope.session_id.as_str().as_bytes().to_vec()),
            value: codec::encode(envelope),
        });
        let (batch, parked) = Batch::decode(0, 1, records.collect(), &BTreeSet::new());
        assert_eq!(parked, None);
        self.next_offset += i64::try_from(envelopes.len()).unwrap();
        let found = checkpoint::read(&self.model.pool, 0).await.unwrap();
        let health = Health::new(Readiness::new().component("test")).partition(0);
        PartitionWriter::new(self.model.clone(), 0, &found, health).project(&batch).await.unwrap();
    }

    pub async fn get(&self, path: &str) -> Answer {
        let path = path.strip_prefix("http://footfall.example").unwrap_or(path);
        let request =
            Request::builder().uri(path).header(header::HOST, "footfall.example").body(Body::empty()).unwrap();
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// The ids of a list narrowed by one parameter.
    pub async fn by(&self, list: &str, name: &str, value: &str) -> Vec<i64> {
        self.get(&format!("/{list}/?{}", query(&[(name, value)]))).await.ids()
    }

    /// The messages of a 400, by parameter.
    pub async fn refused(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        answer.json()
    }
}

fn app(database: &Database, zone: Tz, keys: Keys, arguments: &[&str]) -> Router {
    let unthrottled = ["query-api", "--throttle-base", "off", "--throttle-staff", "off"];
    let Command { settings, throttle } = Command::parse_from([&unthrottled, arguments].concat());
    let access = Access { read: Some(Resource::ALL.map(|resource| settings.read_access.get(resource))), write: None };
    let api = QueryApi::new(settings, zone, database, keys.clone(), "", None);
    let (proxies, origins) = (TrustedProxies::default(), AllowedOrigins::default());
    Front { base_path: "", proxies, origins, keys, access, throttle: &throttle }
        .around(api.routes(&query_api::openapi()))
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn ids(&self) -> Vec<i64> {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["results"].as_array().unwrap().iter().map(|object| object["id"].as_i64().unwrap()).collect()
    }

    pub fn link(&self, key: &str) -> Option<String> {
        self.json()[key].as_str().map(str::to_owned)
    }
}

/// Parameters as a part of an address.
pub fn query(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub fn time(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn envelope(session: &str, at: &str, event: Event) -> Envelope {
    Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse(session).unwrap(),
        occurred_at: time(at),
        recorded_at: time(at),
        source: Source::default(),
        event,
    }
}

pub fn announced(
    session: &str,
    at: &str,
    user_agent: &str,
    address: &str,
    user: Option<&str>,
    end: Option<&str>,
) -> Envelope {
    let event = SessionAnnounced {
        user_agent: user_agent.into(),
        ip_address: address.parse().unwrap(),
        user_id: user.map(str::to_owned),
        end_time: end.map(time),
    };
    envelope(session, at, Event::SessionAnnounced(event))
}

pub fn page_view(session: &str, at: &str, url: &str) -> Envelope {
    envelope(session, at, Event::PageViewRecorded(PageViewRecorded { url: url.into() }))
}

pub fn interaction(session: &str, at: &str, kind: &str, element: &str, metadata: &str) -> Envelope {
    let (kind, metadata) = (InteractionKind::parse(kind).unwrap(), RawValue::from_string(metadata.to_owned()).unwrap());
    envelope(session, at, Event::InteractionRecorded(InteractionRecorded { kind, element: element.into(), metadata }))
}

pub const FIREFOX: &str = "Mozilla/5.0 (X11; rv:121.0) Gecko/20100101 Firefox/121.0";

fn example() -> Vec<Envelope> {
    vec![
        // 1 to 4; by their start in this order
        announced("abc-1", "2025-03-01T10:00:00Z", FIREFOX, "2001:db8::4", Some("Ann"), Some("2025-03-01T11:00:00Z")),
        announced("ABC-2", "2025-03-01T23:30:00Z", r"Chrome 100%_sure \o/", "10.0.0.1", None, None),
        announced(
            "42",
            "2025-03-30T00:30:00Z",
            "curl/8.5.0",
            "10.0.0.12",
            Some(""),
            Some("2025-03-30T02:00:00.123456Z"),
        ),
        announced("Ünïcode's", "2025-10-26T00:30:00Z", "bot, \"the\" one", "192.0.2.7", Some("ann"), None),
        // 5 to 8
        page_view("abc-1", "2025-03-01T10:00:01Z", "https://a.example/Shop?x=50%25_off"),
        page_view("ABC-2", "2025-03-01T23:30:01.5Z", "https://a.example/shop/cart"),
        page_view("42", "2025-03-30T00:30:01Z", "https://b.example/ÄPFEL"),
        page_view("42", "2025-03-30T01:30:00Z", "http://intranet/"),
        // 9 to 11
        interaction(
            "abc-1",
            "2025-03-01T10:00:02Z",
            "click",
            "#buy",
            r#"{"a":{"b":3},"arr":[1,"x"],"t":true,"n":null,"s":"3","":"empty"}"#,
        ),
        interaction(
            "ABC-2",
            "2025-03-01T23:30:02Z",
            "scroll",
            "#Main .100%",
            r#"{"a":{"b":"3"},"t":"true","neg":-1.5e1,"x=y":"a=b"}"#,
        ),
        interaction(
            "42",
            "2025-03-30T00:30:02Z",
            "hover",
            "div_x",
            r#"{"a":{"b":3.0,"gt":5},"big":12345678901234567890,"s":"'; DROP TABLE session; --"}"#,
        ),
    ]
}
