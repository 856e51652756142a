//! Pictures of every page for the documentation, and for the eyes of whoever changes a style.

use crate::{
    cargo::{cargo, root},
    picture, site,
    site::Site,
};
use anyhow::{Context, ensure};
use sqlx::Executor;
use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};
use test_support::{browser::Browser, http, pages, shop::Shop};

/// How a page is looked at: a name, a width, and whether in dark colours.
const LOOKS: [(&str, u32, bool); 3] = [("light", 1_280, false), ("dark", 1_280, true), ("narrow", 390, false)];

/// Longer pages are cut there: Chromium draws no picture that is higher than 16,384 pixels. Of ours the description of the
/// API alone is longer.
const HIGHEST: u32 = 16_000;

/// The README shows no more than this of the report.
const README_HIGHEST: u32 = 1_900;

/// How long all events may take to be seen.
const SEEN: Duration = Duration::from_mins(2);

/// A record that is no event, as the projector keeps it, and its place on the log.
const DEAD_LETTER_AT: (i32, i64) = (3, 17);
const DEAD_LETTER: &str = "INSERT INTO footfall.dead_letter (partition, \"offset\", reason, error, schema_version, key, value) \
     VALUES (3, 17, 'malformed', 'the record is not JSON: expected value at line 1 column 1', 1, 'visit-4711', 'page_view;https://shop.example/cart')";

/// `cargo xtask screenshots`.
pub(crate) async fn alone(interrupted: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    let database = site::engine()?;
    tokio::select! {
        made = make(&database) => made.map(|()| ExitCode::SUCCESS),
        () = interrupted => Ok(ExitCode::FAILURE),
    }
}

async fn make(database: &str) -> anyhow::Result<()> {
    // with all packages, as the tests are compiled: nothing is compiled twice
    cargo(&["build", "--locked", "--workspace", "--bin", "footfall"], &[]).await?;
    let site =
        Site::start(database, "screenshots", &["--accepted-age-days", "120", "--time-zone", "Europe/Berlin"]).await?;
    site.connect().await?.execute(DEAD_LETTER).await?;
    let (link, host) = (site.link.clone(), site.host().to_owned());
    tokio::task::spawn_blocking(move || take_all(&link, &host)).await??;
    site.stop().await
}

/// Takes all of them: first of a site without an event, then of a shop of a few months.
fn take_all(link: &str, host: &str) -> anyhow::Result<()> {
    let folder = root().join("docs/screenshots");
    fs::create_dir_all(&folder)?;
    let (stranger, staff) = (Browser::start(), Browser::start());
    staff.goto(link);
    take(&staff, &folder, "report-empty", &staff.url())?;
    let sent = Shop { days: 95, visits: 150 }.open(host)?;
    let url = format!("http://{host}");
    let load = ["load", "--url", &url, "--events", "400", "--seed", "7", "--connections", "4"];
    let mut command = Command::new(site::program());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOOTFALL_")) {
        command.env_remove(name);
    }
    let loaded = command.args(load).stdout(Stdio::null()).status().context("footfall load")?;
    ensure!(loaded.success(), "footfall load ended with {loaded}");
    until_seen(host)?;
    let pages = pages::all(host, DEAD_LETTER_AT)?;
    for page in &pages {
        let browser = if page.signed_in { &staff } else { &stranger };
        take(browser, &folder, page.name, &format!("{url}{}", page.path))?;
    }
    eprintln!("{sent} events and a load: pictures of {} pages are in {}", pages.len() + 1, folder.display());
    Ok(())
}

fn take(browser: &Browser, folder: &Path, name: &str, address: &str) -> anyhow::Result<()> {
    browser.goto(address);
    for (look, width, dark) in LOOKS {
        browser.resize(width, 800);
        browser.prefer_dark(dark);
        let file = folder.join(format!("{name}-{look}.png"));
        fs::write(file, picture::small(&browser.whole_page(HIGHEST))?)?;
        if (name, look) == ("report", "light") {
            fs::write(folder.join("report.png"), picture::small(&browser.whole_page(README_HIGHEST))?)?;
        }
    }
    Ok(())
}

/// Waits until the lists and the report have everything.
fn until_seen(host: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let status = http::send(host, "GET", "/status/", &[], b"")?;
        if status.status == 200 && status.json()["lag_records"] == 0 {
            return Ok(());
        }
        ensure!(started.elapsed() < SEEN, "not all events are seen within {SEEN:?}: {}", status.text());
        std::thread::sleep(Duration::from_millis(100));
    }
}
