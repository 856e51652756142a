use crate::Error;
use std::{
    fmt::Write as _,
    fs,
    io::{IsTerminal, Read, Write as _},
    time::{Duration, Instant},
};

/// No archive is larger (the largest known one has 60 MiB); it is held in memory until it is known to be whole.
const LIMIT: u64 = 128 * 1024 * 1024;

/// For the connection, and for every next piece.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole archive, from an address or from a file.
pub(crate) async fn get(from: &str) -> Result<Vec<u8>, Error> {
    let got = if from.starts_with("http://") || from.starts_with("https://") {
        from_address(from).await
    } else {
        from_file(from.strip_prefix("file://").unwrap_or(from))
    };
    got.map_err(|cause| Error::Fetch { from: from.to_owned(), cause })
}

fn from_file(path: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    within_limit(bytes.len() as u64).map(|()| bytes)
}

async fn from_address(address: &str) -> Result<Vec<u8>, String> {
    // TLS needs one for the whole process; whoever was first has chosen
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().connect_timeout(PATIENCE).read_timeout(PATIENCE).build();
    let response = client.map_err(whole_chain)?.get(address).send().await.map_err(whole_chain)?;
    let mut response = response.error_for_status().map_err(whole_chain)?;
    let expected = response.content_length();
    within_limit(expected.unwrap_or_default())?;

    let mut progress = Progress::start(address, expected);
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(whole_chain)? {
        bytes.extend_from_slice(&piece);
        within_limit(bytes.len() as u64)?;
        progress.show(bytes.len() as u64);
    }
    Ok(bytes)
}

fn within_limit(bytes: u64) -> Result<(), String> {
    if bytes > LIMIT { Err(format!("more than {} MiB cannot be right", LIMIT >> 20)) } else { Ok(()) }
}

/// The causes as well: the outermost says little more than that something went wrong.
fn whole_chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a string succeeds");
        cause = error.source();
    }
    text
}

/// A line on standard error: rewritten in place on a terminal, else said once.
struct Progress {
    expected: Option<u64>,
    terminal: bool,
    shown: Instant,
}

impl Progress {
    fn start(address: &str, expected: Option<u64>) -> Self {
        let size = expected.map(|size| format!(" ({} MB)", in_mb(size))).unwrap_or_default();
        eprintln!("No PostgreSQL is installed: fetching one, once, from {address}{size}");
        Self { expected, terminal: std::io::stderr().is_terminal(), shown: Instant::now() }
    }

    fn show(&mut self, got: u64) {
        let done = self.expected == Some(got);
        if !self.terminal || (!done && self.shown.elapsed() < Duration::from_millis(100)) {
            return;
        }
        self.shown = Instant::now();
        let of = self.expected.map(|expected| format!(" of {}", in_mb(expected))).unwrap_or_default();
        eprint!("\r{}{of} MB", in_mb(got));
        if done {
            eprintln!();
        }
        // a terminal that cannot be written is no reason to stop
        std::io::stderr().flush().unwrap_or_default();
    }
}

fn in_mb(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}
