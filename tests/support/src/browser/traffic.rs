//! What a page asks the network for.

use super::Browser;
use serde_json::Value;
use std::collections::HashMap;

/// What was asked for since this was last asked.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Every address, in order.
    pub requests: Vec<String>,
    /// `status address` of what was answered 400 or higher, `reason address` of what was not answered.
    pub failed: Vec<String>,
}

impl Browser {
    /// Every address that was asked for over a network since this was last asked.
    pub fn requests(&self) -> Vec<String> {
        self.traffic().requests
    }

    /// The same, with what became of it.
    pub fn traffic(&self) -> Traffic {
        let mut traffic = Traffic::default();
        let mut addresses: HashMap<String, String> = HashMap::new();
        for entry in self.log("performance") {
            let message = entry["message"].as_str().unwrap_or_default();
            let Ok(event) = serde_json::from_str::<Value>(message) else { continue };
            let (event, of) = (&event["message"], &event["message"]["params"]);
            let id = of["requestId"].as_str().unwrap_or_default().to_owned();
            match event["method"].as_str() {
                Some("Network.requestWillBeSent") => {
                    let url = of["request"]["url"].as_str().unwrap_or_default();
                    if url.starts_with("http") {
                        traffic.requests.push(url.to_owned());
                        addresses.insert(id, url.to_owned());
                    }
                }
                Some("Network.responseReceived") if of["response"]["status"].as_u64() >= Some(400) => {
                    traffic.failed.push(format!("{} {}", of["response"]["status"], of["response"]["url"]));
                }
                // what the browser itself gives up is no failure: a page that is left, a download that becomes a file
                Some("Network.loadingFailed") if of["canceled"] != true && of["errorText"] != "net::ERR_ABORTED" => {
                    // others are the browser's own
                    if let Some(address) = addresses.get(&id) {
                        traffic.failed.push(format!("{} {address}", of["errorText"]));
                    }
                }
                _ => {}
            }
        }
        traffic
    }
}
