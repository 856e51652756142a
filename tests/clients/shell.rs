//! curl.

use crate::{
    examples::example,
    network::{Network, Trouble},
    site::{Site, each},
};
use std::process::Command;

fn run(address: &str) {
    let script = example("curl.sh", address);
    let output = Command::new("bash").args(["-eu", "-c", &script]).env_remove("http_proxy").output();
    let output = output.expect("bash is missing: install the package bash");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("curl: command not found"), "curl is missing: install the package curl");
    assert!(output.status.success(), "{said}");
}

#[test]
fn curl_waits_when_it_is_throttled_and_sends_a_batch_again_that_was_taken_in_part() {
    let site = Site::start(&[]);
    let network = Network::troubled(site.address(), &[Trouble::Throttled]);
    run(&network.address);
    site.recorded(1, 2, 1);
    // each path twice
    assert_eq!(network.posts(), 8);

    let site = Site::start(&[]);
    let network = Network::troubled(site.address(), &[Trouble::Partly]);
    run(&network.address);
    site.recorded(1, 2, 1);
    assert_eq!(network.posts(), 5, "the batch alone again");
}

#[test]
fn curl_sends_each_event_once_though_answers_get_lost() {
    let site = Site::start(&[]);
    let network = Network::before(site.address());
    run(&network.address);

    let [sessions, page_views, interactions] = site.recorded(1, 2, 1);
    assert_eq!(network.lost(), 4, "each path was lost once");
    assert_eq!(each(&sessions, "/session_id"), ["nightly-import-17"]);
    assert_eq!(each(&sessions, "/user_id"), ["42"]);
    assert_eq!(each(&sessions, "/ip_address"), ["192.0.2.10"]);
    assert_ne!(each(&sessions, "/end_time"), ["null"]);
    assert_eq!(each(&page_views, "/url"), ["https://shop.example/cart", "https://shop.example/paid"]);
    assert_eq!(each(&interactions, "/element"), ["#pay"]);
    assert_eq!(interactions[0]["metadata"], serde_json::json!({"price": 9.5}));
}
