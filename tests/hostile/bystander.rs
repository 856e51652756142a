//! Somebody who does what he always does while others attack.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use test_support::http::send;

/// Longer than anybody would wait; a machine that is busy with other tests is given the benefit of the doubt.
const NOTICED: Duration = Duration::from_secs(15);

/// Sends page views and reads the list of sessions, without a pause.
pub struct Bystander {
    done: Arc<AtomicBool>,
    work: JoinHandle<(u32, Duration)>,
}

impl Bystander {
    pub fn begin(address: &str, during: &str) -> Self {
        let (done, address, during) = (Arc::new(AtomicBool::new(false)), address.to_owned(), during.to_owned());
        let told = Arc::clone(&done);
        let work = thread::spawn(move || {
            let (mut answered, mut longest) = (0, Duration::ZERO);
            // the one that is under way when the attack ends counts as well
            while answered == 0 || !told.load(Ordering::Relaxed) {
                let started = Instant::now();
                work(&address, &during);
                longest = longest.max(started.elapsed());
                answered += 2;
            }
            (answered, longest)
        });
        Self { done, work }
    }

    /// How many requests were answered, and the longest that two of them took.
    pub fn end(self) -> (u32, Duration) {
        self.done.store(true, Ordering::Relaxed);
        let (answered, longest) = self.work.join().unwrap();
        assert!(longest < NOTICED, "somebody else had to wait for {longest:?}");
        (answered, longest)
    }
}

fn work(address: &str, during: &str) {
    let list = send(address, "GET", "/sessions/", &[], b"").unwrap();
    assert_eq!(list.status, 200, "{during}: {}", list.text());
    assert!(list.json()["results"].is_array(), "{}", list.text());
    let body = br#"{"session_id":"bystander","url":"https://bystander.example/"}"#;
    let sent = send(address, "POST", "/pageviews/", &[("Content-Type", "application/json")], body).unwrap();
    assert_eq!(sent.status, 202, "{during}: {}", sent.text());
    assert_eq!(sent.json()["session_id"], "bystander");
}
