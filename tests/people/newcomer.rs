//! From the first start to the way out.

use crate::{
    person::Person,
    up::{Up, eventually},
};
use test_support::TestDatabase;

#[test]
fn a_newcomer_is_shown_how_to_send_the_first_event_and_sees_it_in_the_report() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(TestDatabase::create());
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--database-url", &database.url()]);
    let newcomer = Person::at(&up.address);
    newcomer.goto(&up.link);
    assert_eq!(newcomer.path(), "/report/");
    assert_eq!(newcomer.reads_in("main h2"), "Nothing has arrived yet");

    // pasted as it stands there
    let command = newcomer.reads_in("main pre");
    let sent = std::process::Command::new("sh").args(["-c", &command]).output().unwrap();
    assert!(String::from_utf8_lossy(&sent.stdout).contains("\"event_id\""), "{command}: {sent:?}");
    eventually("the event is in the report", || {
        newcomer.goto("/report/");
        (newcomer.reads_in("main h2") != "Nothing has arrived yet").then_some(())
    });
    assert_eq!(newcomer.reads_in(".totals .card"), "Page views\n1");
    assert_eq!(newcomer.reads_in("#pages ~ table tbody tr").split_whitespace().last(), Some("%"));

    newcomer.clicks("Sign out");
    assert_eq!(newcomer.path(), "/sign-in/");
    newcomer.all_was_quiet();
    newcomer.goto("/report/");
    assert_eq!(newcomer.reads_in("h1"), "This page is for staff");
}
