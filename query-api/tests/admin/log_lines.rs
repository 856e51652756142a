//! What a change leaves in the service's log: who, what and which, and only what is true.

use crate::{
    moving::breaking,
    site::{Site, click, firefox, page_view},
};
use chrono::Utc;
use event_log::AppendError;
use serde_json::Value;
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};
use tracing::subscriber::DefaultGuard;

/// The lines that are written while it is there.
struct Lines {
    written: Arc<Mutex<Vec<u8>>>,
    _until: DefaultGuard,
}

struct Into(Arc<Mutex<Vec<u8>>>);

impl Write for Into {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn listen() -> Self {
        let written = Arc::new(Mutex::new(Vec::new()));
        let into = written.clone();
        let json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || Into(into.clone()));
        Self { written, _until: tracing::subscriber::set_default(json.finish()) }
    }

    /// Those about changes, in their order.
    fn of_changes(&self) -> Vec<Value> {
        let written = String::from_utf8(self.written.lock().unwrap().clone()).unwrap();
        let lines = written.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| line["message"].as_str().is_some_and(|message| message.contains("change in the admin")))
            .collect()
    }
}

/// What a line says: message, who, what, of which kind and which one.
fn told(line: &Value) -> (&str, &str, &str, &str, i64) {
    let text = |name: &str| line[name].as_str().unwrap_or_default();
    (text("message"), text("account"), text("change"), text("resource"), line["id"].as_i64().unwrap_or(-1))
}

const MADE: &str = "a change in the admin";
const FAILED: &str = "a change in the admin failed";

#[tokio::test]
async fn a_change_that_is_on_the_log_is_told_with_who_what_and_which() {
    let site = Site::new().await;
    let now = Utc::now();
    let ids = site
        .append(&[
            firefox("s", now),
            firefox("other", now),
            page_view("s", now, "http://a.example/"),
            click("s", now, "#a", "{}"),
        ])
        .await;
    let lines = Lines::listen();
    site.fill(&format!("/admin/sessions/{}/", ids[0]), &[("user_id", "bob")]).await.location();
    site.fill(&format!("/admin/interactions/{}/delete/", ids[3]), &[]).await.location();
    site.fill(&format!("/admin/pageviews/{}/", ids[2]), &[("session", "other")]).await.location();
    let lines = lines.of_changes();
    let moved = "FROM page_view v JOIN session s ON s.id = v.session WHERE session_id = 'other'";
    site.until(&format!("SELECT count(*) {moved}"), 1).await;
    let moved = site.number(&format!("SELECT v.id {moved}")).await;
    let told: Vec<_> = lines.iter().map(told).collect();
    assert_eq!(
        told,
        [
            (MADE, "ann", "session.corrected", "session", ids[0]),
            (MADE, "ann", "interaction.deleted", "interaction", ids[3]),
            (MADE, "ann", "page_view.recorded", "page_view", moved),
            (MADE, "ann", "page_view.deleted", "page_view", ids[2]),
        ]
    );
}

#[tokio::test]
async fn a_change_that_is_not_on_the_log_is_told_to_have_failed_and_never_to_be_made() {
    let errors = [
        AppendError::Overloaded("the log is away".into()),
        AppendError::Unknown("no answer".into()),
        AppendError::TooLarge,
        AppendError::Fenced("another writer".into()),
    ];
    let (site, path) = breaking(errors.iter().cloned().map(Some).collect()).await;
    let id: i64 = path.trim_end_matches('/').rsplit('/').next().unwrap().parse().unwrap();
    for error in errors {
        let lines = Lines::listen();
        let answer = site.fill(&path, &[("url", "http://a.example/new")]).await;
        assert!([503, 413].contains(&answer.status), "{error}");
        let lines = lines.of_changes();
        let heard: Vec<_> = lines.iter().map(told).collect();
        assert_eq!(heard, [(FAILED, "ann", "page_view.corrected", "page_view", id)], "{error}");
        assert_eq!(lines[0]["error"], error.to_string());
    }
}
