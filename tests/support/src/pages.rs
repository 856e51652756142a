//! Every page that Footfall has for people, for those who look at all of them.

use crate::http;
use std::io;

/// One of them.
pub struct Page {
    /// Also the name of its picture.
    pub name: &'static str,
    /// Its address below the site.
    pub path: String,
    /// Whether it is shown to people who are signed in.
    pub signed_in: bool,
}

/// All of them, on a site where there are sessions and, at `dead_letter`, a dead letter. The objects are those of the
/// newest session that has some.
///
/// # Errors
/// When a list cannot be read.
///
/// # Panics
/// When there is no interaction.
pub fn all(address: &str, dead_letter: (i32, i64)) -> io::Result<Vec<Page>> {
    let first =
        |path: &str| http::send(address, "GET", path, &[], b"").map(|answer| answer.json()["results"][0].clone());
    let interaction = first("/interactions/?session_id_contains=visit&limit=1")?;
    let (session, name) = (&interaction["session"]["id"], interaction["session"]["session_id"].as_str());
    let page_view = first(&format!("/pageviews/?limit=1&session={session}"))?;
    let (interaction, page_view) = (&interaction["id"], &page_view["id"]);
    assert!(page_view.is_number(), "no page view of {name:?}");
    let (partition, offset) = dead_letter;
    let seen = |name, path: &str| Page { name, path: path.to_owned(), signed_in: true };
    let before = |name, path: &str| Page { name, path: path.to_owned(), signed_in: false };
    Ok(vec![
        before("sign-in", "/sign-in/?next=/report/"),
        before("forbidden", "/report/"),
        before("docs", "/docs/"),
        seen("report", "/report/"),
        seen("report-today", "/report/?range=today"),
        seen("report-compared", "/report/?range=30&compare=1&live=1"),
        seen("report-90-days", "/report/?range=90"),
        seen("report-filtered", "/report/?device=phone&compare=1"),
        seen("report-searched", "/report/?search=nothing%20like%20it&url=https://shop.example/products"),
        seen("report-refused", "/report/?range=often"),
        seen("admin", "/admin/"),
        seen("sessions", "/admin/sessions/"),
        seen("sessions-narrowed", "/admin/sessions/?search=Firefox&start_time_in=week&ordering=-start_time"),
        seen("sessions-refused", "/admin/sessions/?start_time_from=often"),
        seen("page-views", "/admin/pageviews/"),
        seen("interactions", "/admin/interactions/?event_type=click"),
        seen("session", &format!("/admin/sessions/{session}/")),
        seen("page-view", &format!("/admin/pageviews/{page_view}/")),
        seen("interaction", &format!("/admin/interactions/{interaction}/")),
        seen("session-add", "/admin/sessions/add/"),
        seen("interaction-add", "/admin/interactions/add/"),
        seen("session-delete", &format!("/admin/sessions/{session}/delete/")),
        seen("dead-letters", "/admin/dead-letters/"),
        seen("dead-letter", &format!("/admin/dead-letters/{partition}/{offset}/")),
        seen("freshness", "/admin/partitions/"),
        // the largest number that there can be
        seen("not-found", "/admin/sessions/9007199254740991/"),
        seen("not-there", "/admin/nothing/"),
    ])
}
