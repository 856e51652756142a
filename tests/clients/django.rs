//! A Django site with the middleware.

use crate::{
    examples::{example, save},
    network::Network,
    python::python,
    site::{Site, each},
    up::{eventually, run},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io::Write,
    net::TcpListener,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};
use test_support::http::send;

const SECRET: &str = "a secret of at least 32 bytes, for tests";

/// Pages, and a way to sign in without a form.
const URLS: &str = r#"
from django.contrib.auth import get_user_model, login, logout
from django.http import HttpResponse
from django.urls import path

def sign_in(request):
    ann, _ = get_user_model().objects.get_or_create(username="ann")
    login(request, ann, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponse("signed in")

def broken(request):
    raise ValueError("a view that is broken")

def page(request, **_):
    return HttpResponse("page")

urlpatterns = [path("sign-in/", sign_in), path("broken/", broken), path("healthz", page), path("<slug:name>/", page)]
"#;

/// A running `manage.py runserver`; killed when dropped.
struct Shop {
    child: Child,
    address: String,
    folder: tempfile::TempDir,
}

impl Shop {
    fn open(footfall: &str, token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manage = |arguments: &[&str]| {
            let output = python(folder.path()).args(["-m", "django"]).args(arguments).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        manage(&["startproject", "shop", "."]);
        for file in ["footfall_client.py", "footfall_middleware.py"] {
            save(file, footfall, folder.path());
        }
        append(&folder.path().join("shop/settings.py"), &example("settings.py", footfall));
        fs::write(folder.path().join("shop/urls.py"), URLS).unwrap();
        manage(&["migrate", "--pythonpath", ".", "--settings", "shop.settings"]);

        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = python(folder.path());
        command.args(["manage.py", "runserver", "--noreload", &address]).env("FOOTFALL_TOKEN", token);
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let shop = Self { child, address, folder };
        eventually("Django answers", || {
            send(&shop.address, "GET", "/healthz", &[], b"").ok().filter(|answer| answer.status == 200)
        });
        shop
    }

    /// Ctrl-C, and waits until it is gone.
    fn close(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        eventually("Django ends", || self.child.try_wait().unwrap());
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // it may have ended
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}

fn append(file: &Path, text: &str) {
    File::options().append(true).open(file).unwrap().write_all(text.as_bytes()).unwrap();
}

/// Somebody with a browser that keeps cookies.
struct Visitor<'a> {
    shop: &'a Shop,
    name: &'static str,
    session: String,
}

impl<'a> Visitor<'a> {
    fn new(shop: &'a Shop, name: &'static str) -> Self {
        Self { shop, name, session: String::new() }
    }

    fn goes_to(&mut self, path: &str) -> u16 {
        let cookie = format!("sessionid={}", self.session);
        let headers = [("User-Agent", self.name), ("Cookie", &cookie)];
        let asked = Instant::now();
        let answer = send(&self.shop.address, "GET", path, &headers, b"").unwrap();
        // the client's own time limit is ten seconds
        assert!(asked.elapsed() < Duration::from_secs(9), "{path} took {:?}", asked.elapsed());
        // beside it there may be one of the protection of forms
        if let Some((_, cookie)) = answer.head.split_once("sessionid=") {
            self.session = cookie.split(';').next().unwrap().into();
        }
        answer.status
    }
}

#[test]
fn a_django_site_records_its_visitors_and_never_waits_for_footfall() {
    let site = Site::start(&["--write-access", "user", "--secret-key", SECRET]);
    let network = Network::before(site.address());
    let issued = run(["token", "issue", "--role", "user", "--name", "shop", "--secret-key", SECRET]);
    let shop = Shop::open(&network.address, String::from_utf8(issued.stdout).unwrap().trim());

    let jam = network.jam();
    let mut ann = Visitor::new(&shop, "Ann/1.0");
    let statuses = ["/welcome/", "/sign-in/", "/broken/", "/healthz", "/cart/"].map(|path| ann.goes_to(path));
    assert_eq!(statuses, [200, 200, 500, 200, 200]);
    let mut bob = Visitor::new(&shop, "Bob/1.0");
    assert_eq!(["/welcome/", "/welcome/"].map(|path| bob.goes_to(path)), [200, 200]);
    let cookies = [ann.session.clone(), bob.session.clone()];
    drop(jam);

    let url = |path: &str| format!("http://{}{path}", shop.address);
    let urls = ["/welcome/", "/sign-in/", "/broken/", "/cart/", "/welcome/", "/welcome/"].map(url);
    // what has not been sent yet is sent at its end
    let log = shop.close();
    let [sessions, page_views, _] = site.recorded(2, 6, 0);
    assert_eq!(network.lost(), 1);
    assert_eq!(each(&page_views, "/url"), urls);
    assert_eq!(each(&page_views, "/session/user_agent"), [["Ann/1.0"; 4].as_slice(), &["Bob/1.0"; 2]].concat());
    assert_eq!(each(&sessions, "/user_id"), ["1", "null"]);
    assert_eq!(each(&sessions, "/ip_address"), ["127.0.0.1"; 2]);
    for cookie in cookies {
        assert!(!cookie.is_empty() && !format!("{sessions:?}").contains(&cookie), "a cookie is shown");
    }
    assert!(!log.contains("not recorded") && !log.contains("were dropped"), "{log}");
}
