//! A real browser: Chromium without a window, driven through `chromedriver` (W3C WebDriver).
//!
//! Own code and small, because the crates bring some thirty others for what is one HTTP request a command.

mod axe;
mod find;
pub mod keys;
mod look;
mod traffic;
mod wire;

pub use axe::source as axe_source;
pub use find::{Installed, find};
pub use traffic::Traffic;

use serde_json::{Value, json};
use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;
use wire::{Wire, free_port};

/// How long anything may take on a machine that compiles meanwhile.
const PATIENCE: Duration = Duration::from_mins(1);

/// Nothing but the page under test may use the network; as root there is no sandbox.
const FLAGS: [&str; 13] = [
    "--headless",
    // they take room from the page that people's browsers do not give them
    "--hide-scrollbars",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // the browser ends when its driver does, however that ends
    "--remote-debugging-pipe",
    "--lang=en",
];

/// A running browser with one empty tab and a profile of its own. Ended with the value.
///
/// Its methods block; each panics when the browser refuses, with what it said.
#[derive(Debug)]
pub struct Browser {
    driver: Child,
    wire: Wire,
    session: String,
    profile: TempDir,
}

impl Browser {
    /// Starts one.
    ///
    /// # Panics
    /// When none is installed: the message says what to install.
    pub fn start() -> Self {
        let installed = find().unwrap_or_else(|missing| panic!("{missing}"));
        let profile = tempfile::Builder::new().prefix("footfall-browser-").tempdir().unwrap();
        let port = free_port();
        let driver = Command::new(&installed.driver)
            .arg(format!("--port={port}"))
            .arg("--log-level=SEVERE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // from here on a panic ends the driver
        let mut browser = Self { driver, wire: Wire::new(port), session: String::new(), profile };
        browser.until("the driver is ready", |browser| browser.wire.is_ready().then_some(()));
        browser.session = browser.open(&installed);
        browser
    }

    fn open(&self, installed: &Installed) -> String {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let flags: Vec<&str> = FLAGS.iter().copied().chain([profile.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "goog:chromeOptions": {"binary": installed.browser, "args": flags},
        }}});
        let answer = self.wire.command("POST", "/session", &wanted);
        answer["sessionId"].as_str().expect("a new session has an id").to_owned()
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.wire.command(method, &format!("/session/{}{path}", self.session), body)
    }

    /// Goes to an address, and waits until the page has loaded.
    pub fn goto(&self, url: &str) {
        self.command("POST", "/url", &json!({"url": url}));
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.command("GET", "/url", &Value::Null).as_str().unwrap_or_default().to_owned()
    }

    /// Runs the body of a function in the page, and gives what it returns; a promise is waited for.
    pub fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Asks the page again and again until a script returns something that is true.
    pub fn wait_for(&self, script: &str) -> Value {
        self.until(script, |browser| Some(browser.run(script)).filter(is_true))
    }

    /// Clicks on the first element that a CSS selector finds.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Puts this into the first field that a CSS selector finds, in place of what is there.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command("POST", &format!("/element/{element}/clear"), &json!({}));
        self.command("POST", &format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Types into the first element that a CSS selector finds; keys that are no letters are WebDriver's (U+E000…).
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command("POST", &format!("/element/{element}/value"), &json!({"text": text}));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("POST", "/element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|object| object.values().next());
        id.and_then(Value::as_str).expect("an element has an id").to_owned()
    }

    /// Any command of the DevTools protocol, such as `Emulation.setEmulatedMedia`.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.command("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What pages and the browser itself have written to the console since this was last asked: `LEVEL text`.
    pub fn console(&self) -> Vec<String> {
        let line = |entry: &Value| format!("{} {}", entry["level"].as_str()?, entry["message"].as_str()?).into();
        self.log("browser").iter().filter_map(line).collect()
    }

    fn log(&self, name: &str) -> Vec<Value> {
        let entries = self.command("POST", "/se/log", &json!({"type": name}));
        entries.as_array().cloned().unwrap_or_default()
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// As JavaScript sees it.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // in order first, so that pages are left as a person leaves them
        if !self.session.is_empty() {
            drop(self.wire.send("DELETE", &format!("/session/{}", self.session), &Value::Null));
        }
        // fails only for one that has ended
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
