//! An operator adds, corrects and deletes.

use crate::site::{Site, click, firefox, page_view};
use chrono::{TimeDelta, Utc};

#[tokio::test]
async fn a_correction_is_seen_in_the_list_in_the_report_and_in_the_history() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let ids = site.append(&[firefox("s-1", now), page_view("s-1", now, "https://shop.example/wrong")]).await;
    let list = site.page("/admin/pageviews/?search=wrong").await;
    let path = format!("/admin/pageviews/{}/", ids[1]);
    assert!(list.contains(&format!("href=\"{path}?list=search%3Dwrong\"")), "{list}");
    let answer = site.fill(&path, &[("url", "https://shop.example/right")]).await;
    let page = site.page(&answer.location()).await;
    assert!(page.contains("Saved.") && page.contains("https://shop.example/right</textarea>"), "{page}");
    assert!(page.contains("<bdi>ann</bdi>") && page.contains("https://shop.example/wrong</bdi></del>"), "{page}");
    assert!(site.page("/admin/pageviews/").await.contains("https://shop.example/right"));
    let report = site.page("/report/data/").await;
    assert!(report.contains("/right") && !report.contains("/wrong"), "{report}");
    site.assert_accounted_for().await;
    assert!(site.page(&path).await.contains("/wrong</bdi></del>"), "the history is there after a rebuild");
}

#[tokio::test]
async fn a_session_is_corrected_in_what_was_touched_and_in_nothing_else() {
    let mut site = Site::new().await;
    let ids = site.append(&[firefox("s-1", Utc::now())]).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let answer = site.fill(&path, &[("user_id", "bob"), ("end_time", "2026-10-25 02:30:00+01:00")]).await;
    assert_eq!(site.get(&answer.location()).await.status, 200);
    let corrected = "SELECT corrected::bigint FROM session";
    assert_eq!(site.number(corrected).await, 4 + 8, "user and end");
    let end = "SELECT extract(epoch FROM end_time)::bigint FROM session";
    assert_eq!(site.number(end).await, 1_792_891_800, "the second half past two of that night");
    let page = site.page(&path).await;
    assert!(page.contains("value=\"2026-10-25 02:30:00+01:00\""), "{page}");
    let again = site.fill(&path, &[]).await;
    assert!(again.location().contains("done=nothing"), "what is shown can be saved without changing anything");
    let emptied = site.fill(&path, &[("user_id", ""), ("end_time", " ")]).await;
    assert!(emptied.location().contains("done=changed"));
    assert_eq!(site.number("SELECT count(*) FROM session WHERE user_id IS NULL AND end_time IS NULL").await, 1);
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn a_session_takes_its_events_along() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let mut events = vec![firefox("s-1", now), firefox("other", now), page_view("other", now, "http://a.example/")];
    events.extend((0..3).map(|_| page_view("s-1", now, "http://a.example/")));
    events.push(click("s-1", now, "#buy", "{}"));
    let ids = site.append(&events).await;
    let path = format!("/admin/sessions/{}/", ids[0]);
    let ask = site.page(&format!("{path}delete/")).await;
    assert!(ask.contains("3 page views and 1 interaction."), "{ask}");
    assert_eq!(site.number("SELECT count(*) FROM session").await, 2, "asking deletes nothing");
    let answer = site.fill(&format!("{path}delete/"), &[]).await;
    site.until("SELECT count(*) FROM session", 1).await;
    let list = site.page(&answer.location()).await;
    assert!(list.contains("Deleted.") && !list.contains("s-1"), "{list}");
    assert_eq!(site.number("SELECT count(*) FROM page_view").await, 1);
    assert_eq!(site.number("SELECT count(*) FROM interaction").await, 0);
    let gone = site.get(&path).await;
    assert_eq!(gone.status, 404);
    assert!(gone.body.contains("deleted") && gone.body.contains("<bdi>ann</bdi>"), "its history stays: {}", gone.body);
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn a_deletion_takes_no_more_along_than_it_told() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let ids =
        site.append(&[firefox("s", now), page_view("s", now, "http://a.example/"), click("s", now, "#a", "{}")]).await;
    let path = format!("/admin/sessions/{}/delete/", ids[0]);
    let told = site.page(&path).await;
    assert!(told.contains("1 page view and 1 interaction."), "{told}");
    site.append(&[page_view("s", now, "http://a.example/2"), click("s", now, "#b", "{}")]).await;
    let refused = site.submit(&path, &told, &[]).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("Nothing was deleted: more has come"), "{}", refused.body);
    assert!(refused.body.contains("2 page views and 2 interactions."), "{}", refused.body);
    for untold in [("page_views", ""), ("page_views", "1"), ("interactions", "-1"), ("interactions", "all")] {
        assert_eq!(site.submit(&path, &told, &[untold]).await.status, 409, "{untold:?}");
    }
    assert_eq!(site.number("SELECT count(*) FROM session").await, 1, "it is still there");
    // fewer than were told are no surprise
    let fewer = site.append(&[firefox("t", now), page_view("t", now, "http://a.example/t")]).await;
    let two = site.page(&format!("/admin/sessions/{}/delete/", fewer[0])).await;
    site.fill(&format!("/admin/pageviews/{}/delete/", fewer[1]), &[]).await.location();
    site.until("SELECT count(*) FROM page_view", 2).await;
    let gone = site.submit(&format!("/admin/sessions/{}/delete/", fewer[0]), &two, &[]).await;
    assert!(gone.location().contains("done=deleted"));
    site.until("SELECT count(*) FROM session", 1).await;
    // who has been told once that more comes is not asked for ever
    site.append(&[page_view("s", now, "http://a.example/3")]).await;
    assert!(site.submit(&path, &refused.body, &[]).await.location().contains("done=deleted"));
    site.until("SELECT count(*) FROM session", 0).await;
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn what_is_added_is_there_once_however_often_the_form_is_sent() {
    let mut site = Site::new().await;
    let session =
        [("session_id", "new one"), ("user_agent", "curl/8"), ("ip_address", "::ffff:192.0.2.9"), ("user_id", "")];
    let empty = site.page("/admin/sessions/add/").await;
    site.submit("/admin/sessions/add/", &empty, &session).await.location();
    site.until("SELECT count(*) FROM session", 1).await;
    let again = site.submit("/admin/sessions/add/", &empty, &session).await;
    let page = site.page(&again.location()).await;
    assert!(page.contains("Added.") && page.contains("192.0.2.9"), "{page}");
    let refused = site.fill("/admin/sessions/add/", &session).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("There is a session with this ID already."));

    let form = site.page("/admin/pageviews/add/").await;
    let fields = [("session", "new one"), ("url", "https://shop.example/")];
    let (one, two) = tokio::join!(
        site.submit("/admin/pageviews/add/", &form, &fields),
        site.submit("/admin/pageviews/add/", &form, &fields)
    );
    site.until("SELECT count(*) FROM page_view", 1).await;
    for answer in [one, two] {
        assert!(site.page(&answer.location()).await.contains("https://shop.example/</textarea>"));
    }
    let interaction = [
        ("session", "new one"),
        ("event_type", "hover"),
        ("element", "#menu\r\n li"),
        ("metadata", "{\"n\": 12345678901234567890123}"),
    ];
    let answer = site.fill("/admin/interactions/add/", &interaction).await;
    let page = site.page(&answer.location()).await;
    assert!(page.contains("#menu\n li</textarea>") && page.contains("12345678901234567890123"), "{page}");
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn wrong_fields_are_marked_and_what_was_typed_stays() {
    let site = Site::new().await;
    site.append(&[firefox("s-1", Utc::now())]).await;
    let typed = [("session", "nobody's"), ("event_type", ""), ("element", "  "), ("metadata", "{broken")];
    let answer = site.fill("/admin/interactions/add/", &typed).await;
    assert_eq!(answer.status, 422);
    let page = answer.body;
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 4, "{page}");
    for text in [
        "value=\"nobody&#39;s\"",
        "{broken</textarea>",
        "aria-describedby=\"metadata-error-1 metadata-hint\"",
        "id=\"metadata-error-1\"",
        "<details open>",
        "href=\"#element\"",
        "There is no session with this ID",
        "Value must be valid JSON.",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let mended = site
        .submit(
            "/admin/interactions/add/",
            &page,
            &[("session", "s-1"), ("event_type", "click"), ("element", "#a"), ("metadata", "")],
        )
        .await;
    assert!(mended.location().contains("done=added"));
    for (field, value, message) in [
        ("url", "shop", "Enter a valid URL."),
        ("url", &format!("http://a.example/{}", "x".repeat(2_000)), "no more than 2000 characters"),
        ("url", "", "This field may not be blank."),
        ("session", "", "This field is required."),
    ] {
        let answer =
            site.fill("/admin/pageviews/add/?session=s-1", &[("url", "http://a.example/"), (field, value)]).await;
        assert_eq!(answer.status, 422, "{field} {value}");
        assert!(answer.body.contains(message), "{message}: {}", answer.body);
    }
    assert_eq!(site.number("SELECT count(*) FROM page_view").await, 0);
}

#[tokio::test]
async fn sessions_are_found_and_picked_without_a_script() {
    let site = Site::new().await;
    site.append(&[firefox("basket-1", Utc::now()), firefox("basket-2", Utc::now()), firefox("x", Utc::now())]).await;
    let found = site.fill("/admin/pageviews/add/", &[("session", "ASKET"), ("url", "typed"), ("find", "1")]).await;
    assert_eq!(found.status, 200);
    assert!(found.body.contains("name=\"pick\" value=\"basket-1\"") && found.body.contains("value=\"basket-2\""));
    assert!(found.body.contains("typed</textarea>") && !found.body.contains("value=\"x\""), "{}", found.body);
    let picked = site.submit("/admin/pageviews/add/", &found.body, &[("pick", "basket-2")]).await;
    assert!(picked.body.contains("name=\"session\" value=\"basket-2\""), "{}", picked.body);
    assert!(site.page("/admin/session-names/?part=basket").await.contains("\"basket-1\""));
}

#[tokio::test]
async fn a_form_that_somebody_overtook_says_so_and_keeps_what_was_typed() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let ids = site.append(&[firefox("s", now), click("s", now, "#first", "{}")]).await;
    let path = format!("/admin/interactions/{}/", ids[1]);
    let mine = site.page(&path).await;
    site.fill(&path, &[("element", "#theirs")]).await.location();
    let conflict = site.submit(&path, &mine, &[("event_type", "hover")]).await;
    assert_eq!(conflict.status, 409);
    assert!(conflict.body.contains("Somebody has changed this") && conflict.body.contains("#theirs</textarea>"));
    let saved = site.submit(&path, &conflict.body, &[]).await;
    assert!(saved.location().contains("done=changed"));
    let both = "SELECT count(*) FROM interaction JOIN element e ON e.id = element_id WHERE event_type = 'hover' AND text = '#theirs'";
    assert_eq!(site.number(both).await, 1, "neither change is lost");
    // the way back in the browser, and the same once more
    let again = site.submit(&path, &conflict.body, &[]).await;
    assert_eq!(again.location(), format!("{path}?done=changed"));
    site.assert_accounted_for().await;
}

#[tokio::test]
async fn what_is_not_seen_yet_is_said_and_never_shown_as_old_without_a_word() {
    let mut site = Site::new().await;
    let now = Utc::now();
    let ids = site.append(&[firefox("s", now), page_view("s", now, "http://a.example/old")]).await;
    site.stop_projector().await;
    let path = format!("/admin/pageviews/{}/", ids[1]);
    let answer = site.fill(&path, &[("url", "http://a.example/new")]).await.location();
    let page = site.page(&answer).await;
    assert!(page.contains("visible in a moment") && page.contains("http://a.example/old</textarea>"), "{page}");
    site.go_on();
    site.until("SELECT count(*) FROM page_view JOIN url u ON u.id = url_id WHERE u.text LIKE '%/new'", 1).await;
    let page = site.page(&answer).await;
    assert!(page.contains(">Saved.<") && page.contains("http://a.example/new</textarea>"), "{page}");
}

#[tokio::test]
async fn a_metadata_that_is_not_touched_stays_to_the_letter() {
    let site = Site::new().await;
    let now = Utc::now();
    let ids = site
        .append(&[firefox("s", now - TimeDelta::minutes(1)), click("s", now, "a\n\n b", "[1.50, \"x\\ny\"]")])
        .await;
    let path = format!("/admin/interactions/{}/", ids[1]);
    site.fill(&path, &[("event_type", "scroll")]).await.location();
    let kept = "SELECT count(*) FROM interaction JOIN element e ON e.id = element_id
                WHERE event_type = 'scroll' AND metadata = '[1.50, \"x\\ny\"]' AND text = E'a\\n\\n b'";
    assert_eq!(site.number(kept).await, 1);
    let touched = "SELECT jsonb_array_length(changes)::bigint FROM admin_change";
    assert_eq!(site.number(touched).await, 1, "the history names one field");
}

#[tokio::test]
async fn after_saving_the_list_is_as_it_was_left() {
    let site = Site::new().await;
    let now = Utc::now();
    let mut events = vec![firefox("s", now), firefox("other", now)];
    events.extend((0..12).map(|number| page_view("s", now, &format!("http://a.example/{number}"))));
    let ids = site.append(&events).await;
    let list = "/admin/pageviews/?search=a.example&ordering=url&page=2&timestamp_in=week";
    let page = site.page(list).await;
    let link = page.split("<th scope=\"row\"><a href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = link.replace("&#38;", "&");
    let kept = "list=ordering%3Durl%26page%3D2%26search%3Da.example%26timestamp_in%3Dweek";
    assert!(link.ends_with(&format!("/?{kept}")), "{link}");
    let back = "/admin/pageviews/?ordering=url&#38;page=2&#38;search=a.example&#38;timestamp_in=week";
    assert!(site.page(&link).await.contains(&format!("href=\"{back}\"")), "the way back");

    let stays = site.fill(&link, &[("url", "http://a.example/stays")]).await.location();
    assert!(stays.contains(kept) && stays.contains("done=changed"), "{stays}");
    let to_list = site.fill(&stays, &[("url", "http://a.example/listed"), ("then", "list")]).await.location();
    assert!(to_list.starts_with("/admin/pageviews/?") && to_list.contains("search=a.example&"), "{to_list}");
    let page = site.page(&to_list).await;
    assert!(page.contains("Saved.") && page.contains("http://a.example/listed"), "{page}");
    let another = site.fill(&link, &[("url", "http://a.example/another"), ("then", "another")]).await.location();
    assert!(another.starts_with("/admin/pageviews/add/?") && another.contains(kept), "{another}");
    let form = site.page(&another).await;
    assert!(form.contains("Saved.") && !form.contains("http://a.example/another"), "an empty form: {form}");
    let added =
        site.submit(&another, &form, &[("session", "other"), ("url", "http://b.example/"), ("then", "list")]).await;
    assert!(added.location().contains("done=added") && added.location().contains("page=2"));
    let nothing = site.fill(&link, &[("then", "list")]).await.location();
    assert!(nothing.contains("done=nothing") && nothing.contains("page=2"), "{nothing}");

    let asked = link.replacen("/?", "/delete/?", 1);
    assert!(site.page(&asked).await.contains(&format!("href=\"{back}\"")));
    let deleted = site.fill(&asked, &[]).await.location();
    assert!(deleted.contains("done=deleted") && deleted.contains("page=2"), "{deleted}");
    assert_eq!(ids.len(), 14);
}
