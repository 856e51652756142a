//! A Footfall of a test's own, and what it has recorded.

use crate::up::{Up, eventually, get};
use serde_json::Value;
use test_support::TestDatabase;

/// Running on a database of its own.
pub struct Site {
    up: Up,
    _folder: tempfile::TempDir,
    // last, so that nobody is connected any more
    _database: TestDatabase,
}

impl Site {
    /// Starts one without a throttle.
    pub fn start(arguments: &[&str]) -> Self {
        let database = tokio::runtime::Runtime::new().unwrap().block_on(TestDatabase::create());
        let folder = tempfile::tempdir().unwrap();
        let url = database.url();
        let up = Up::start(folder.path(), &[&["--database-url", &url], arguments].concat());
        Self { up, _folder: folder, _database: database }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.up.address
    }

    /// Waits until so many sessions, page views and interactions are there and no event is on its way, and gives them,
    /// oldest first. More than expected fail the test.
    pub fn recorded(&self, sessions: usize, page_views: usize, interactions: usize) -> [Vec<Value>; 3] {
        let expected = [sessions, page_views, interactions];
        let all = || ["sessions", "pageviews", "interactions"].map(|resource| self.list(resource));
        eventually("all events are recorded", || {
            let found = all().map(|list| list.len());
            found.iter().zip(expected).all(|(found, expected)| *found >= expected).then_some(())
        });
        self.up.caught_up();
        let all = all();
        assert_eq!(all.each_ref().map(Vec::len), expected, "{all:#?}");
        all
    }

    /// Waits until every session has ended.
    pub fn all_ended(&self) {
        eventually("all sessions have ended", || {
            let running = self.list("sessions").iter().any(|session| session["end_time"].is_null());
            (!running).then_some(())
        });
    }

    fn list(&self, resource: &str) -> Vec<Value> {
        let (status, _, body) = get(&self.up.address, &format!("/{resource}/?limit=100"), "");
        assert_eq!(status, 200, "{body}");
        let list: Value = serde_json::from_str(&body).unwrap();
        let mut results = list["results"].as_array().unwrap().clone();
        results.reverse();
        results
    }
}

/// A field of each, in order.
pub fn each<'a>(objects: &'a [Value], pointer: &str) -> Vec<&'a str> {
    objects.iter().map(|object| object.pointer(pointer).and_then(Value::as_str).unwrap_or("null")).collect()
}
