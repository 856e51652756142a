//! The Footfall that is asked, wherever it runs.

use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};
use test_support::http::{self, Answer};

/// How long an event may take to be seen.
const SOON: Duration = Duration::from_mins(1);

pub const JSON: &str = "application/json";
pub const FORM: &str = "application/x-www-form-urlencoded";

/// One address.
pub struct Site {
    /// `host:port`.
    pub host: String,
    /// What stands before every path; empty or `/behavior`.
    pub base: String,
    /// A token with the role `staff`.
    pub staff: String,
    /// A token with the role `user`.
    pub user: String,
    /// Begins every session_id, so that a site with other data can be asked as well.
    pub prefix: String,
    rows: AtomicUsize,
}

impl Site {
    /// `url` is `http://host:port` and, if there is one, the base path.
    pub fn new(url: &str, staff: &str, user: &str) -> Self {
        let rest = url.strip_prefix("http://").unwrap().trim_end_matches('/');
        let (host, base) =
            rest.split_once('/').map_or((rest, String::new()), |(host, path)| (host, format!("/{path}")));
        let prefix = format!("c{}-", uuid::Uuid::new_v4().simple());
        Self { host: host.into(), base, staff: staff.into(), user: user.into(), prefix, rows: AtomicUsize::new(0) }
    }

    /// How many answers have been looked at.
    pub fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// A session_id that nobody has used.
    pub fn session(&self) -> String {
        format!("{}{}", self.prefix, uuid::Uuid::new_v4().simple())
    }

    /// Sends a request below the base path.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.rows.fetch_add(1, Ordering::Relaxed);
        let target = format!("{}{path}", self.base);
        http::send(&self.host, method, &target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// The path of a link that an answer holds.
    pub fn path_of(&self, url: &str) -> String {
        let path = url.strip_prefix(&format!("http://{}{}", self.host, self.base));
        path.unwrap_or_else(|| panic!("{url} is no address below {}{}", self.host, self.base)).to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    /// As staff.
    pub fn get_as_staff(&self, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {}", self.staff))], b"")
    }

    pub fn post(&self, resource: &str, content_type: &str, body: impl AsRef<[u8]>) -> Answer {
        self.send("POST", &format!("/{resource}/"), &[("Content-Type", content_type)], body.as_ref())
    }

    /// Sends what has to be taken, and gives the 202's body.
    pub fn accept(&self, resource: &str, content_type: &str, body: impl AsRef<[u8]>) -> Value {
        let shown = String::from_utf8_lossy(body.as_ref()).chars().take(300).collect::<String>();
        let answer = self.post(resource, content_type, body);
        assert_eq!(answer.status, 202, "{resource} {shown}: {}", answer.text());
        answer.json()
    }

    /// The same for JSON.
    pub fn accept_json(&self, resource: &str, body: &Value) -> Value {
        self.accept(resource, JSON, body.to_string())
    }

    /// Sends what has to be refused with this status and this very body.
    pub fn refuse(&self, resource: &str, content_type: &str, body: impl AsRef<[u8]>, status: u16, told: &Value) {
        let shown = String::from_utf8_lossy(body.as_ref()).chars().take(300).collect::<String>();
        let answer = self.post(resource, content_type, body);
        assert_eq!((answer.status, answer.json()), (status, told.clone()), "{resource} {shown}");
        let raw: Value = answer.json();
        // serde_json's objects are sorted: the order of fields is seen in the text alone
        if let (Some(object), Value::Object(told)) = (raw.as_object(), told) {
            assert_eq!(object.len(), told.len());
        }
    }

    /// Waits until a path answers 200 with something that `look` takes.
    pub fn until<T>(&self, path: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if answer.status == 200
                && let Some(found) = look(&answer.json())
            {
                return found;
            }
            assert!(started.elapsed() < SOON, "{path} answers {} {}", answer.status, answer.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The detail of an event that was taken, once it is there.
    pub fn found(&self, resource: &str, accepted: &Value) -> Value {
        self.until(&format!("/{resource}/{}/", accepted["id"]), |object| Some(object.clone()))
    }

    /// A session by its session_id, once it is there; `look` says when it is as expected.
    pub fn session_when(&self, session_id: &str, look: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/sessions/?session_id={}", encode(session_id));
        self.until(&path, |list| list["results"].as_array()?.iter().find(|session| look(session)).cloned())
    }
}

/// For a query.
pub fn encode(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A whole session.
pub fn session(session_id: &str) -> Value {
    json!({"session_id": session_id, "user_agent": "Mozilla/5.0 Firefox/121.0", "ip_address": "192.0.2.1"})
}

/// The same with one field otherwise.
pub fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}
