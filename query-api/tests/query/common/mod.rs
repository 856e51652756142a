//! A site of a test's own: a database with read model and accounts, the projector's own code that fills it, and the
//! routes with the layers that a process puts around them.

pub mod events;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header, request::Builder},
};
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use clap::Parser;
use event_log::{EventReader, LogId};
use events::Tape;
use projector::{
    checkpoint,
    health::Health,
    model::{MadeFor, ReadModel},
    projection::Batch,
    write::PartitionWriter,
};
use query_api::{QueryApi, QuerySettings};
use schema::{
    Envelope,
    migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA},
};
use service::{
    access::{Keys, Purpose, Role},
    client_address::{Peer, TrustedProxies, parse_network},
    cors::AllowedOrigins,
    database::Database,
    front::Front,
    gate::Access,
    ops::Readiness,
    resource::Resource,
    throttle::ThrottleSettings,
};
use sqlx::{PgPool, postgres::PgConnectOptions};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc};
use test_support::TestDatabase;
use tower::ServiceExt;

/// What the requests say in `Host`.
pub const HOST: &str = "footfall.example:8080";

/// A peer that is no trusted proxy, and one that is.
pub const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
pub const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 1));

/// How a site is set up.
pub struct Setup {
    pub zone: Tz,
    pub base_path: &'static str,
    pub partitions: u16,
    pub arguments: &'static [&'static str],
}

impl Default for Setup {
    fn default() -> Self {
        Self { zone: Tz::UTC, base_path: "", partitions: 1, arguments: &[] }
    }
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    settings: QuerySettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
}

pub struct Site {
    pub keys: Keys,
    pub database: Database,
    pub pool: PgPool,
    pub test_database: TestDatabase,
    setup: Setup,
    model: Option<Arc<ReadModel>>,
    tape: Tape,
    app: Router,
}

impl Site {
    pub async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// With an empty read model that is made for the setup.
    pub async fn with(setup: Setup) -> Self {
        let mut site = Self::bare(setup).await;
        let made_for = MadeFor {
            zone: site.setup.zone,
            log_id: LogId("log".into()),
            partitions: site.setup.partitions,
            deduplication_days: 7,
        };
        site.model = Some(Arc::new(ReadModel::prepare(site.pool.clone(), made_for).await.unwrap()));
        site
    }

    /// With tables, and no projector has ever run.
    pub async fn bare(setup: Setup) -> Self {
        let test_database = TestDatabase::create().await;
        let database = Database::new(test_database.options());
        database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
        database.migrate(ACCOUNTS_SCHEMA, ACCOUNTS).await.unwrap();
        let pool = database.pool(READ_MODEL_SCHEMA, "the test", 3);
        let keys = Keys::new(&[7; 32]).unwrap();
        let app = app(&setup, test_database.options(), keys.clone(), None);
        let tape = Tape::new(setup.partitions);
        Self { keys, database, pool, test_database, setup, model: None, tape, app }
    }

    /// The same site for a process that reaches the database in another way, or knows the log.
    pub fn app_on(&self, options: PgConnectOptions, log: Option<Arc<dyn EventReader>>) -> Served {
        Served(app(&self.setup, options, self.keys.clone(), log))
    }

    /// A part of its own that reaches the database in another way, and does not know the log yet.
    pub fn api_on(&self, options: PgConnectOptions) -> QueryApi {
        api(&self.setup, options, self.keys.clone(), None)
    }

    /// What that part serves.
    pub fn serve(&self, api: &QueryApi) -> Served {
        Served(front(&self.setup, self.keys.clone(), api))
    }

    /// Brings events into the read model, in their order; their public ids.
    pub async fn project(&mut self, envelopes: &[Envelope]) -> Vec<i64> {
        let mut batches = vec![Vec::new(); usize::from(self.setup.partitions)];
        let mut ids = Vec::new();
        for envelope in envelopes {
            let record = self.tape.put(envelope);
            ids.push(record.position.id());
            batches[usize::from(record.position.partition)].push(record);
        }
        let model = self.model.as_ref().unwrap();
        for (partition, records) in (0..).zip(batches).filter(|(_, records)| !records.is_empty()) {
            let (batch, parked) = Batch::decode(partition, self.setup.partitions, records, &BTreeSet::new());
            assert_eq!(parked, None);
            let found = checkpoint::read(&model.pool, partition).await.unwrap();
            let health = Health::new(Readiness::new().component("test")).partition(partition);
            PartitionWriter::new(model.clone(), partition, &found, health).project(&batch).await.unwrap();
        }
        ids
    }

    pub fn token(&self, role: Role) -> String {
        format!("Bearer {}", self.keys.issue(Purpose::Api, "program", role, Utc::now(), TimeDelta::hours(1)))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(get(path)).await
    }

    /// As staff.
    pub async fn get_as_staff(&self, path: &str) -> Answer {
        self.send(get(path).header(header::AUTHORIZATION, self.token(Role::Staff))).await
    }

    pub async fn send(&self, request: Builder) -> Answer {
        self.send_body(request, Body::empty()).await
    }

    pub async fn send_body(&self, request: Builder, body: impl Into<Body>) -> Answer {
        Served(self.app.clone()).send_body(request, body).await
    }
}

fn command(setup: &Setup) -> Command {
    let unthrottled = ["query-api", "--throttle-base", "off", "--throttle-staff", "off"];
    Command::parse_from(unthrottled.iter().chain(setup.arguments))
}

fn api(setup: &Setup, options: PgConnectOptions, keys: Keys, log: Option<Arc<dyn EventReader>>) -> QueryApi {
    QueryApi::new(command(setup).settings, setup.zone, &Database::new(options), keys, setup.base_path, log)
}

fn app(setup: &Setup, options: PgConnectOptions, keys: Keys, log: Option<Arc<dyn EventReader>>) -> Router {
    front(setup, keys.clone(), &api(setup, options, keys, log))
}

/// What `src/process.rs` serves: the routes and the layers around them.
fn front(setup: &Setup, keys: Keys, api: &QueryApi) -> Router {
    let Command { settings, throttle } = command(setup);
    let front = Front {
        base_path: setup.base_path,
        proxies: TrustedProxies::new([parse_network("198.51.100.0/24").unwrap()]),
        origins: AllowedOrigins::default(),
        keys,
        access: Access { read: Some(Resource::ALL.map(|resource| settings.read_access.get(resource))), write: None },
        throttle: &throttle,
    };
    front.around(api.routes(&query_api::openapi()))
}

/// An app that answers.
pub struct Served(Router);

impl Served {
    pub async fn get(&self, path: &str) -> Answer {
        self.send_body(get(path), Body::empty()).await
    }

    pub async fn send_body(&self, request: Builder, body: impl Into<Body>) -> Answer {
        let mut request = request.body(body.into()).unwrap();
        // what the server knows of the connection
        if request.extensions().get::<Peer>().is_none() {
            request.extensions_mut().insert(Peer(CLIENT));
        }
        let (head, body) = self.0.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

/// A request of a client.
pub fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header(header::HOST, HOST)
}

pub fn get(path: &str) -> Builder {
    request("GET", path)
}

/// Text as a part of an address.
pub fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// Empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The line that sets a cookie.
    pub fn set_cookie(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        lines.find(|line| line.starts_with(&format!("{name}=")))
    }

    /// `name=value`, as a browser sends it back.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.set_cookie(name)?.split(';').next()
    }

    /// The value of one key of every object of a list.
    pub fn each(&self, key: &str) -> Vec<serde_json::Value> {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["results"].as_array().unwrap().iter().map(|object| object[key].clone()).collect()
    }

    pub fn ids(&self) -> Vec<i64> {
        self.each("id").iter().map(|id| id.as_i64().unwrap()).collect()
    }
}
