//! A web server of another origin than Footfall's, with the pages under test.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    sync::{Arc, Mutex},
};

type Files = Arc<Mutex<BTreeMap<String, String>>>;

/// Serves what it is given, until the process ends.
pub struct Pages {
    /// `http://127.0.0.1:port`.
    pub origin: String,
    files: Files,
}

impl Pages {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let files = Files::default();
        let served = Arc::clone(&files);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut client, files) = (client.unwrap(), Arc::clone(&served));
                std::thread::spawn(move || {
                    let lines = BufReader::new(client.try_clone().unwrap()).lines().map_while(Result::ok);
                    let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                    let path = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
                    let answer = answer(&files, path.trim_start_matches('/'));
                    // a browser that has changed its mind
                    client.write_all(answer.as_bytes()).unwrap_or_default();
                });
            }
        });
        Self { origin, files }
    }

    /// Serves a page; a fragment gets a whole document around it.
    pub fn serve(&self, name: &str, content: &str) {
        let whole = format!(
            "<!doctype html><html lang=en><meta charset=utf-8><title>Shop</title><link rel=icon href=data:,><body>{content}"
        );
        let content = if is_script(name) { content.to_owned() } else { whole };
        self.files.lock().unwrap().insert(name.to_owned(), content);
    }

    /// Where it is served.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }
}

fn answer(files: &Files, name: &str) -> String {
    let files = files.lock().unwrap();
    let (status, content) = files.get(name).map_or(("404 Not Found", ""), |content| ("200 OK", content));
    let kind = if is_script(name) { "text/javascript" } else { "text/html" };
    let length = content.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{content}"
    )
}

fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "js")
}
