//! Pages of another origin in a real browser.

use crate::{
    examples::example,
    network::{Network, Trouble},
    pages::Pages,
    site::{Site, each},
    up::eventually,
};
use test_support::browser::Browser;

/// A page to leave for.
const ELSEWHERE: &str = "elsewhere.html";

struct Shop {
    pages: Pages,
    site: Site,
    network: Network,
    browser: Browser,
}

impl Shop {
    fn open() -> Self {
        Self::behind(&[Trouble::Lost])
    }

    /// With this trouble on the way to it.
    fn behind(troubles: &[Trouble]) -> Self {
        let pages = Pages::start();
        let site = Site::start(&["--allowed-origins", &pages.origin]);
        let network = Network::troubled(site.address(), troubles);
        pages.serve(ELSEWHERE, "<p>Elsewhere");
        Self { pages, site, network, browser: Browser::start() }
    }

    /// Shows an example that sends to this address.
    fn show(&self, name: &str, address: &str) {
        self.pages.serve("footfall.js", &example("footfall.js", address));
        self.pages.serve(name, &(example(name, address) + "<button id=buy>Buy</button>"));
        self.browser.goto(&self.pages.url(name));
    }

    fn leave(&self) {
        self.browser.goto(&self.pages.url(ELSEWHERE));
        assert_eq!(self.browser.run("return document.body.innerText"), "Elsewhere");
    }

    /// Nothing was complained about, and nobody asked but the page's own server and Footfall.
    fn was_quiet(&self) {
        assert_eq!(self.browser.console(), [""; 0]);
        let requests = self.browser.requests();
        let known = [format!("{}/", self.pages.origin), format!("http://{}/", self.site.address())];
        let foreign = |url: &&String| !known.iter().any(|known| url.starts_with(known));
        assert_eq!(requests.iter().find(foreign), None);
        assert!(requests.iter().any(|url| url.starts_with(&known[1])), "{requests:?}");
    }
}

#[test]
fn a_page_records_its_view_with_fetch_and_its_end_with_a_beacon() {
    let shop = Shop::open();
    shop.show("one-page-view.html", shop.site.address());
    shop.site.recorded(1, 1, 0);
    shop.leave();
    shop.site.all_ended();
    shop.was_quiet();
    let [sessions, page_views, _] = shop.site.recorded(1, 1, 0);
    assert_eq!(each(&page_views, "/url"), [shop.pages.url("one-page-view.html")]);
    assert_eq!(each(&sessions, "/ip_address"), ["127.0.0.1"]);
    assert!(each(&sessions, "/user_agent")[0].contains("Chrome/"), "{sessions:?}");
    let kept = shop.browser.run("return sessionStorage.footfall");
    assert_eq!(sessions[0]["session_id"], kept);
}

#[test]
fn a_site_records_views_and_clicks_in_batches() {
    let shop = Shop::open();
    shop.show("page.html", shop.site.address());
    shop.browser.click("#buy");
    // by itself, without anybody leaving
    shop.site.recorded(1, 1, 1);
    shop.browser.click("#buy");
    shop.leave();
    shop.site.all_ended();
    shop.was_quiet();
    let [sessions, page_views, interactions] = shop.site.recorded(1, 1, 2);
    assert_eq!(each(&page_views, "/url"), [shop.pages.url("page.html")]);
    assert_eq!(each(&interactions, "/element"), ["buy", "buy"]);
    assert_eq!(each(&interactions, "/metadata/text"), ["Buy", "Buy"]);
    // left to right, as they happened and not as they arrived
    let times = [&page_views[0], &interactions[0], &interactions[1]].map(|event| event["timestamp"].as_str().unwrap());
    assert!(times.is_sorted() && times[2] <= sessions[0]["end_time"].as_str().unwrap(), "{times:?} {sessions:?}");
}

#[test]
fn a_site_records_each_event_once_though_answers_get_lost() {
    let shop = Shop::open();
    shop.show("page.html", &shop.network.address);
    shop.browser.click("#buy");
    eventually("it is sent again", || (shop.network.posts() > 1).then_some(()));
    shop.browser.click("#buy");
    shop.leave();
    shop.site.all_ended();
    assert_eq!(shop.network.lost(), 1);
    shop.site.recorded(1, 1, 2);
    let console = shop.browser.console();
    assert!(console.iter().all(|line| line.contains("503")) && console.len() == 1, "{console:?}");
}

#[test]
fn a_site_waits_when_it_is_throttled_and_sends_again_only_what_was_not_taken() {
    let shop = Shop::behind(&[Trouble::Throttled, Trouble::Partly]);
    let jam = shop.network.jam();
    shop.show("page.html", &shop.network.address);
    shop.browser.click("#buy");
    drop(jam);
    eventually("all is sent", || (shop.network.posts() == 3).then_some(()));
    shop.site.recorded(1, 1, 1);
    assert_eq!(shop.network.events()[1..], [2, 1], "whether the click was there in time or not");
    let console = shop.browser.console();
    assert!(console.iter().all(|line| line.contains("429")) && console.len() == 1, "{console:?}");
}

#[test]
fn a_page_without_scripts_is_recorded_by_its_pixel() {
    let shop = Shop::open();
    shop.show("pixel.html", shop.site.address());
    assert_eq!(shop.browser.run("return document.images[0].naturalWidth"), 1);
    shop.was_quiet();
    let [sessions, page_views, _] = shop.site.recorded(1, 1, 0);
    assert_eq!(each(&page_views, "/url"), [shop.pages.url("pixel.html")]);
    assert_eq!(each(&sessions, "/session_id"), ["reader-17"]);
}
