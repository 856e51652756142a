//! Python with `requests`.

use crate::{
    examples::save,
    network::{Network, Trouble},
    site::{Site, each},
};
use std::{
    path::Path,
    process::{Command, Output},
};

/// A Python that has the packages, with no settings of whoever runs the tests.
pub fn python(folder: &Path) -> Command {
    let mut python = Command::new(test_support::python());
    python.current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["PYTHONPATH", "PYTHONHOME", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        python.env_remove(variable);
    }
    python
}

fn run(folder: &Path, script: &str) -> Output {
    python(folder).arg(script).output().unwrap()
}

#[test]
fn python_sends_each_event_once_though_answers_get_lost() {
    let site = Site::start(&[]);
    let network = Network::before(site.address());
    let folder = tempfile::tempdir().unwrap();
    for file in ["footfall_client.py", "nightly_import.py"] {
        save(file, &network.address, folder.path());
    }
    let output = run(folder.path(), "nightly_import.py");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let [sessions, page_views, interactions] = site.recorded(1, 1, 1);
    assert_eq!(network.lost(), 1);
    assert_eq!(each(&sessions, "/session_id"), ["import-18"]);
    assert_eq!(each(&sessions, "/user_id"), ["42"]);
    assert_eq!(each(&sessions, "/user_agent"), ["nightly-import/1.0"]);
    assert_ne!(each(&sessions, "/end_time"), ["null"]);
    assert_eq!(each(&page_views, "/url"), ["https://shop.example/cart"]);
    assert_eq!(each(&interactions, "/metadata/price"), ["null"], "a number");
    assert_eq!(interactions[0]["metadata"]["price"], 9.5);
}

#[test]
fn python_waits_when_it_is_throttled_and_sends_again_only_what_was_not_taken() {
    let site = Site::start(&[]);
    let network = Network::troubled(site.address(), &[Trouble::Throttled, Trouble::Partly]);
    let folder = tempfile::tempdir().unwrap();
    for file in ["footfall_client.py", "nightly_import.py"] {
        save(file, &network.address, folder.path());
    }
    let output = run(folder.path(), "nightly_import.py");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site.recorded(1, 1, 1);
    assert_eq!(network.events(), [4, 4, 1]);
}

/// Nobody answers, there is no room for more, and some of it is wrong.
const IN_TROUBLE: &str = r#"
import logging, sys, time
from footfall_client import Footfall
logging.basicConfig(stream=sys.stdout, format="%(message)s")
started = time.monotonic()
away = Footfall(f"http://{sys.argv[1]}", every=0.1, room=3)
taken = [away.track("pageview", "s", url="https://shop.example/") for _ in range(2000)]
assert not away.close(within=0.5), "everything is sent to somebody who does not answer"
assert time.monotonic() - started < 9, "it blocks"
assert taken[:3] == [True] * 3 and away.dropped == taken.count(False) > 0, away.dropped
there = Footfall(f"http://{sys.argv[2]}", every=0.1)
there.track("pageview", "s", url="no address")
there.track("pageview", "s", url="https://shop.example/right")
assert there.close(within=30)
wrong = Footfall(f"http://{sys.argv[2]}", token="wrong", every=0.1)
wrong.track("pageview", "s", url="https://shop.example/refused")
assert wrong.close(within=30)
"#;

#[test]
fn python_waits_for_nobody_and_says_what_was_dropped_or_refused() {
    let site = Site::start(&[]);
    let network = Network::before(site.address());
    let folder = tempfile::tempdir().unwrap();
    save("footfall_client.py", "", folder.path());
    let jam = network.jam();
    let script = ["-c", IN_TROUBLE, &network.address, site.address()];
    let output = python(folder.path()).args(script).output().unwrap();
    let (said, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{error}");
    assert!(said.contains("1 events were rejected") && said.contains("Enter a valid URL."), "{said}");
    assert!(said.contains("1 events were refused: 401"), "{said}");
    let [_, page_views, _] = site.recorded(1, 1, 0);
    assert_eq!(each(&page_views, "/url"), ["https://shop.example/right"]);
    drop(jam);
}
