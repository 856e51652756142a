//! The tables of the Django package, brought along.

use crate::{
    examples::save,
    network::Network,
    python::python,
    site::{Site, each},
};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

/// What a site had recorded with the package, over years.
const OLD_ROWS: &str = r##"
from datetime import datetime, timedelta, timezone
import django
django.setup()
from user_behavior.models import PageView, UserInteraction, UserSession

first = datetime(2019, 2, 28, 23, 59, 59, 123456, tzinfo=timezone.utc)

def session(n, **fields):
    row = UserSession.objects.create(session_id=f"old-{n}", user_agent=f"Browser/{n}", **fields)
    UserSession.objects.filter(pk=row.pk).update(start_time=first + timedelta(days=400 * n))
    return row

a = session(0, ip_address="192.0.2.1", user_id="42", end_time=first + timedelta(hours=1))
b = session(1, ip_address="2001:db8::1")
for n in range(90):
    row = PageView.objects.create(session=(a, b)[n % 2], url=f"https://shop.example/{n}")
    PageView.objects.filter(pk=row.pk).update(timestamp=first + timedelta(days=n, microseconds=n))
for n, metadata in enumerate([{"price": 9.5, "name": "Tür"}, {}, [1, None]]):
    row = UserInteraction.objects.create(session=a, event_type="click", element=f"#{n}", metadata=metadata)
    UserInteraction.objects.filter(pk=row.pk).update(timestamp=first + timedelta(seconds=n))
UserInteraction.objects.create(session=b, event_type="scroll", element="x" * 2001)
"##;

/// A Django site with the package and these rows.
fn old_site(folder: &Path) {
    let done = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    done(python(folder).args(["-m", "django", "startproject", "shop", "."]));
    let settings = folder.join("shop/settings.py");
    let standard = fs::read_to_string(&settings).unwrap();
    fs::write(settings, standard + "\nINSTALLED_APPS += [\"rest_framework\", \"user_behavior\"]\n").unwrap();
    done(python(folder).args(["manage.py", "migrate"]));
    done(python(folder).args(["-c", OLD_ROWS]).env("DJANGO_SETTINGS_MODULE", "shop.settings"));
}

fn import(folder: &Path) -> (Output, String) {
    let mut command = python(folder);
    command.arg("import_user_behavior.py").env("DJANGO_SETTINGS_MODULE", "shop.settings");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    (output, said)
}

#[test]
fn the_old_tables_come_along_once_with_their_times_and_what_cannot_be_taken_is_said() {
    let site = Site::start(&["--accepted-age-days", "36500"]);
    let network = Network::before(site.address());
    let folder = tempfile::tempdir().unwrap();
    old_site(folder.path());
    save("import_user_behavior.py", &network.address, folder.path());

    for run in 1..=2 {
        let (output, said) = import(folder.path());
        assert_eq!(output.status.code(), Some(1), "run {run}: {said}");
        for line in ["session: 2 of 2", "pageview: 90 of 90", "interaction: 3 of 4", "not taken: {"] {
            assert!(said.contains(line), "run {run}, {line}: {said}");
        }
        if run == 1 {
            assert_eq!(network.lost(), 1);
        }
    }
    let [sessions, page_views, interactions] = site.recorded(2, 90, 3);
    assert_eq!(each(&sessions, "/session_id"), ["old-0", "old-1"]);
    assert_eq!(each(&sessions, "/user_agent"), ["Browser/0", "Browser/1"]);
    assert_eq!(each(&sessions, "/ip_address"), ["192.0.2.1", "2001:db8::1"]);
    assert_eq!(each(&sessions, "/user_id"), ["42", "null"]);
    assert_eq!(each(&sessions, "/start_time"), ["2019-02-28T23:59:59.123456Z", "2020-04-03T23:59:59.123456Z"]);
    assert_eq!(each(&sessions, "/end_time"), ["2019-03-01T00:59:59.123456Z", "null"]);
    assert_eq!(page_views[89]["url"], "https://shop.example/89");
    assert_eq!(page_views[89]["session"]["session_id"], "old-1");
    assert_eq!(page_views[89]["timestamp"], "2019-05-28T23:59:59.123545Z");
    assert_eq!(each(&interactions, "/element"), ["#0", "#1", "#2"]);
    assert_eq!(interactions[0]["metadata"], serde_json::json!({"price": 9.5, "name": "Tür"}));
    assert_eq!(interactions[2]["metadata"], serde_json::json!([1, null]));
}
