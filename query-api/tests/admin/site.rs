//! A site of a test's own: log, projector and the routes with the layers that a process puts around them.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header, request::Builder},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use clap::Parser;
use event_log::{
    EventLog, EventWriter, NewRecord,
    postgres::{PostgresLog, PostgresLogSettings},
};
use projector::{
    Progress, ProjectorSettings, RebuildError, RebuildOptions, VerifyOptions, VerifyReport, rebuild, verify,
};
use query_api::{QueryApi, QuerySettings, accounts};
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, Position, SessionAnnounced, SessionId,
    Source, codec,
    migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, LOG, LOG_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA},
};
use serde_json::value::RawValue;
use service::{
    access::{Keys, Purpose, Role},
    client_address::{Peer, TrustedProxies},
    cors::AllowedOrigins,
    database::Database,
    front::Front,
    gate::Access,
    lifecycle::Shutdown,
    ops::Readiness,
    resource::Resource,
    throttle::ThrottleSettings,
};
use sqlx::PgPool;
use std::{net::IpAddr, sync::Arc, time::Duration};
use test_support::{TestDatabase, eventually};
use tower::ServiceExt;
use uuid::Uuid;

const SOON: Duration = Duration::from_mins(1);
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    query: QuerySettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
    #[command(flatten)]
    projector: ProjectorSettings,
}

pub struct Site {
    pub pool: PgPool,
    pub database: Database,
    pub writer: Arc<dyn EventWriter>,
    log: Arc<dyn EventLog>,
    app: Router,
    keys: Keys,
    cookie: String,
    settings: ProjectorSettings,
    shutdown: Shutdown,
    _database: TestDatabase,
}

impl Site {
    pub async fn new() -> Self {
        Self::with(&[], true).await
    }

    /// With settings; without a writer the log is away for the admin.
    pub async fn with(arguments: &[&str], writing: bool) -> Self {
        Self::through(arguments, |writer| writing.then_some(writer)).await
    }

    /// With a writer of the test's own for the admin, made from that of the log.
    pub async fn through(
        arguments: &[&str],
        admins: impl FnOnce(Arc<dyn EventWriter>) -> Option<Arc<dyn EventWriter>>,
    ) -> Self {
        let test_database = TestDatabase::create().await;
        let database = Database::new(test_database.options());
        for (schema, steps) in [(READ_MODEL_SCHEMA, READ_MODEL), (ACCOUNTS_SCHEMA, ACCOUNTS), (LOG_SCHEMA, LOG)] {
            database.migrate(schema, steps).await.unwrap();
        }
        accounts::add(&database, "ann", "correct horse", Role::Staff).await.unwrap();
        let log_settings = PostgresLogSettings { partitions: 4, ..PostgresLogSettings::default() };
        let log: Arc<dyn EventLog> = Arc::new(PostgresLog::open(test_database.options(), log_settings).await.unwrap());
        let writer = log.writer().await.unwrap();
        let always = ["x", "--throttle-base", "off", "--throttle-staff", "off"];
        let command = Command::parse_from(always.iter().chain(arguments));
        let keys = Keys::new(&[7; 32]).unwrap();
        let zone = Tz::Europe__Berlin;
        let api = QueryApi::new(command.query, zone, &database, keys.clone(), "", None);
        let api = match admins(writer.clone()) {
            Some(writer) => api.writing_to(writer),
            None => api,
        };
        let front = Front {
            base_path: "",
            proxies: TrustedProxies::new([]),
            origins: AllowedOrigins::default(),
            keys: keys.clone(),
            access: Access { read: Some(Resource::ALL.map(|_| service::access::AccessLevel::Anyone)), write: None },
            throttle: &command.throttle,
        };
        let app = front.around(api.routes(&query_api::openapi()));
        let pool = database.pool(READ_MODEL_SCHEMA, "the test", 3);
        let cookie = keys.issue(Purpose::Cookie, "ann", Role::Staff, Utc::now(), TimeDelta::hours(12));
        let shutdown = Shutdown::new(Duration::from_secs(10));
        let settings = command.projector;
        let site =
            Self { pool, database, writer, log, app, keys, cookie, settings, shutdown, _database: test_database };
        site.start_projector();
        site
    }

    fn start_projector(&self) {
        let (settings, database, log) = (self.settings.clone(), self.database.clone(), self.log.clone());
        let (component, stopping) = (Readiness::new().component("projector"), self.shutdown.clone());
        self.shutdown.spawn("projector", async move {
            projector::run(&settings, Tz::Europe__Berlin, database, log, component, &stopping).await
        });
    }

    /// Stops the projector: what is saved from now on is not seen.
    pub async fn stop_projector(&mut self) {
        self.shutdown.begin();
        self.shutdown.drained().await.unwrap();
        self.shutdown = Shutdown::new(Duration::from_secs(10));
    }

    pub fn go_on(&self) {
        self.start_projector();
    }

    /// Puts events onto the log and waits until they are seen; their ids.
    pub async fn append(&self, events: &[Envelope]) -> Vec<i64> {
        let records = events.iter().map(|envelope| NewRecord {
            key: envelope.session_id.as_str().into(),
            event_id: envelope.event_id,
            schema_version: codec::SCHEMA_VERSION,
            value: codec::encode(envelope),
        });
        self.append_raw(records.collect()).await
    }

    pub async fn append_raw(&self, records: Vec<NewRecord>) -> Vec<i64> {
        let positions: Vec<Position> = self.writer.append(records).await.into_iter().map(Result::unwrap).collect();
        for position in &positions {
            let sql = format!("SELECT next_offset FROM checkpoint WHERE partition = {}", position.partition);
            eventually("it is projected", SOON, async || (self.number(&sql).await > position.offset).then_some(()))
                .await;
        }
        positions.into_iter().map(Position::id).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    pub async fn until(&self, sql: &str, expected: i64) {
        eventually(sql, SOON, async || (self.number(sql).await == expected).then_some(())).await;
    }

    pub async fn verified(&self) -> VerifyReport {
        verify(&self.database, &*self.log, &VerifyOptions::default(), &Progress::silent()).await.unwrap()
    }

    /// Fails unless everything is accounted for and a rebuild comes to the same.
    pub async fn assert_accounted_for(&mut self) {
        let report = self.verified().await;
        assert!(report.ok, "{report}");
        self.stop_projector().await;
        let (silent, zone) = (Progress::silent(), Tz::Europe__Berlin);
        // PostgreSQL keeps the lock of whoever has gone until it has seen that
        let rebuilt = eventually("nobody projects any more", SOON, async || {
            let options = RebuildOptions::default();
            match rebuild(&self.database, &*self.log, &self.settings, zone, options, &silent).await {
                Err(RebuildError::Busy) => None,
                rebuilt => Some(rebuilt.unwrap()),
            }
        });
        let rebuilt = rebuilt.await;
        assert!(rebuilt.swapped && rebuilt.differences.is_empty(), "{rebuilt}");
        let report = self.verified().await;
        assert!(report.ok, "after the rebuild: {report}");
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::COOKIE, self.cookie()), Body::empty()).await
    }

    /// A page that is there.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::COOKIE, self.cookie())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// Fills a form in as a browser does: what it shows, but for these fields.
    pub async fn fill(&self, path: &str, changed: &[(&str, &str)]) -> Answer {
        let page = self.page(path).await;
        self.submit(path, &page, changed).await
    }

    /// Sends the form of a page.
    pub async fn submit(&self, path: &str, page: &str, changed: &[(&str, &str)]) -> Answer {
        let mut fields = form_of(page);
        for (name, value) in changed {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(path, &fields).await
    }

    pub async fn as_nobody(&self, method: &str, path: &str) -> Answer {
        self.send(Request::builder().method(method).uri(path), Body::empty()).await
    }

    pub async fn as_user(&self, path: &str) -> Answer {
        let token = self.keys.issue(Purpose::Api, "bob", Role::User, Utc::now(), TimeDelta::hours(1));
        self.send(Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}")), Body::empty()).await
    }

    /// A form token of another sign-in of the same person.
    pub fn cookie_of_another_sign_in(&self) -> String {
        let token = self.keys.issue(Purpose::Cookie, "ann", Role::Staff, Utc::now(), TimeDelta::hours(12));
        format!("footfall_session={token}")
    }

    /// Somebody fills a form in, and by the time they send it their sign-in has ended.
    pub async fn send_signed_out(&self, path: &str, fields: &[(&str, &str)], origin: &str) -> Answer {
        let mut typed = form_of(&self.page(path).await);
        for (name, value) in fields {
            typed.retain(|(known, _)| known != name);
            typed.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(typed).finish();
        let ended = self.keys.issue(
            Purpose::Cookie,
            "ann",
            Role::Staff,
            Utc::now() - TimeDelta::hours(13),
            TimeDelta::hours(12),
        );
        let request = Request::post(path)
            .header(header::COOKIE, format!("footfall_session={ended}"))
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    /// Sends a page's form on with other cookies; gives the answer.
    pub async fn submit_with(&self, cookies: &str, path: &str, page: &str, changed: &[(&str, &str)]) -> Answer {
        let mut fields = form_of(page);
        for (name, value) in changed {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::COOKIE, cookies)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body).await
    }

    fn cookie(&self) -> String {
        format!("footfall_session={}", self.cookie)
    }

    pub async fn send(&self, request: Builder, body: impl Into<Body>) -> Answer {
        let mut request = request.header(header::HOST, "footfall.example").body(body.into()).unwrap();
        request.extensions_mut().insert(Peer(CLIENT));
        let (head, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// A cookie that it sets, as a browser sends it back.
    pub fn cookie(&self, name: &str) -> String {
        let mut lines = self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let line = lines.find(|line| line.starts_with(&format!("{name}="))).unwrap();
        line.split(';').next().unwrap().to_owned()
    }

    pub fn location(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

/// The fields of the page's form with a token that is not the sign-out's, with their values.
fn form_of(page: &str) -> Vec<(String, String)> {
    let main = page.split_once("<main").unwrap().1;
    let form = main.split_once("method=\"post\"").unwrap().1.split("</form>").next().unwrap();
    let mut fields = Vec::new();
    for tag in form.split('<').skip(1) {
        let Some(name) = attribute(tag, "name") else { continue };
        let value = if tag.starts_with("textarea") {
            let text = tag.split_once('>').unwrap().1;
            unescaped(text.strip_prefix('\n').unwrap_or(text))
        } else if tag.starts_with("select") {
            let select = form.split_once(&format!("<{tag}")).unwrap().1.split("</select>").next().unwrap();
            let chosen = select.split("<option").find(|option| option.contains(" selected"));
            chosen.and_then(|option| attribute(option, "value")).unwrap_or_default()
        } else if tag.starts_with("input") {
            attribute(tag, "value").unwrap_or_default()
        } else {
            continue;
        };
        fields.push((name, value));
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    text.replace("&#60;", "<").replace("&#62;", ">").replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&")
}

fn envelope(session: &str, at: DateTime<Utc>, event: Event) -> Envelope {
    Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse(session).unwrap(),
        occurred_at: schema::to_micros(at),
        recorded_at: schema::to_micros(at),
        source: Source::default(),
        event,
    }
}

pub fn session(name: &str, at: DateTime<Utc>, user_agent: &str, user: Option<&str>) -> Envelope {
    let event = SessionAnnounced {
        user_agent: user_agent.into(),
        ip_address: [192, 0, 2, 7].into(),
        user_id: user.map(str::to_owned),
        end_time: None,
    };
    envelope(name, at, Event::SessionAnnounced(event))
}

pub fn firefox(name: &str, at: DateTime<Utc>) -> Envelope {
    session(name, at, FIREFOX, None)
}

pub fn page_view(session: &str, at: DateTime<Utc>, url: &str) -> Envelope {
    envelope(session, at, Event::PageViewRecorded(PageViewRecorded { url: url.into() }))
}

pub fn click(session: &str, at: DateTime<Utc>, element: &str, metadata: &str) -> Envelope {
    let metadata = RawValue::from_string(metadata.to_owned()).unwrap();
    let event = InteractionRecorded { kind: InteractionKind::Click, element: element.into(), metadata };
    envelope(session, at, Event::InteractionRecorded(event))
}
