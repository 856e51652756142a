//! What the report can be asked for, and that its address says all of it. Contract § 9, and what Footfall adds.

use crate::common::{Setup, Site, events::*, get};
use chrono::{NaiveTime, TimeDelta, Utc};
use schema::InteractionKind;
use serde_json::Value;
use service::access::Role;

const PHONE: &str =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36";

/// Three sessions on two days, of two visitors.
pub async fn site() -> Site {
    let mut site = Site::new().await;
    let (today, before) = (Utc::now(), Utc::now() - TimeDelta::days(7));
    site.project(&[
        announced("phone", today, PHONE, Some(today + TimeDelta::seconds(90)), None),
        page_view("phone", today, "http://a.example/shop/=1+1"),
        page_view("phone", today, "http://a.example/"),
        interaction("phone", today, InteractionKind::Hover, "=cmd", "{}"),
        session("desktop", today, None),
        page_view("desktop", today, "http://a.example/"),
        session("old", before, None),
        page_view("old", before, "http://a.example/"),
    ])
    .await;
    site
}

/// The links of a page, as a browser reads them.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")).collect()
}

#[tokio::test]
async fn every_link_and_form_of_a_page_keeps_what_was_asked() {
    let site = site().await;
    let page = site.get_as_staff("/report/?range=30&compare=1&family=Chrome+Mobile&search=shop").await.body;
    let links: Vec<String> = links(&page).into_iter().filter(|link| link.starts_with("/report/?")).collect();
    assert!(links.len() > 8, "{links:?}");
    for link in &links {
        let asked = ["range=30", "compare=1", "family=Chrome+Mobile", "search=shop"];
        let left_out = asked.iter().filter(|part| !link.contains(*part)).count();
        assert!(left_out <= 1, "each link changes one thing: {link}");
        assert_eq!(site.get_as_staff(link).await.status, 200, "{link}");
    }
    let dates = format!("from={}&to={}", Utc::now().date_naive() - TimeDelta::days(29), Utc::now().date_naive());
    assert!(links.iter().any(|link| link.contains(&dates)), "one link says the days themselves: {links:?}");
    for hidden in
        [r#"name="compare" value="1""#, r#"name="family" value="Chrome Mobile""#, r#"name="range" value="30""#]
    {
        assert!(page.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_said_to_people_and_to_programs() {
    let site = site().await;
    let query = "?from=2026-02-30&to=2026-03-01&browser=Chrome&os=Linux";
    let page = site.get_as_staff(&format!("/report/{query}")).await;
    assert_eq!(page.status, 400);
    assert!(page.body.contains("Enter a valid date.") && page.body.contains("One filter at a time"), "{}", page.body);
    for path in ["data", "csv"] {
        let answer = site.get_as_staff(&format!("/report/{path}/{query}")).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["from"], serde_json::json!(["Enter a valid date."]));
    }
    let table = site.get_as_staff("/report/csv/?table=nothing").await;
    assert_eq!(table.status, 400);
    for path in ["/report/csv/", "/report/data/"] {
        assert_eq!(site.get(path).await.status, 401, "{path} is for staff");
    }
}

#[tokio::test]
async fn each_table_comes_as_csv_with_the_numbers_of_the_page() {
    let site = site().await;
    let day = Utc::now().date_naive();
    for (query, expected) in [
        ("?table=pages", "url,count,percentage\r\nhttp://a.example/,2,66.67\r\nhttp://a.example/shop/=1+1,1,33.33\r\n"),
        ("?table=pages&search=SHOP", "url,count,percentage\r\nhttp://a.example/shop/=1+1,1,33.33\r\n"),
        ("?table=pages&url=http://a.example/shop", "url,count,percentage\r\nhttp://a.example/shop/=1+1,1,100\r\n"),
        ("?table=elements", "element,interaction,count,percentage\r\n\"'=cmd\",hover,1,100\r\n"),
        ("?table=elements&element=CMD", "element,interaction,count,percentage\r\n\"'=cmd\",hover,1,100\r\n"),
        ("?table=elements&element=nothing", "element,interaction,count,percentage\r\n"),
        ("?table=types", "interaction,count,percentage\r\nhover,1,100\r\n"),
        ("?table=browsers", "browser,sessions,percentage\r\nChrome,1,50\r\nFirefox,1,50\r\n"),
        ("?table=families&device=phone", "browser,sessions,percentage\r\nChrome Mobile,1,100\r\n"),
        ("?table=systems", "system,sessions,percentage\r\nAndroid,1,50\r\nLinux,1,50\r\n"),
        ("?table=devices", "device,sessions,percentage\r\ndesktop,1,50\r\nphone,1,50\r\n"),
        ("?table=bots", "bot,sessions,percentage\r\n"),
    ] {
        let answer = site.get_as_staff(&format!("/report/csv/{query}")).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, expected), "{query}");
        assert!(answer.header("content-type").starts_with("text/csv"));
        assert!(answer.header("content-disposition").contains(".csv"), "{query}");
    }
    let days = site.get_as_staff("/report/csv/?range=today").await.body;
    assert!(days.ends_with(&format!("\r\n{day},3,2,1,1,1.5,50,90,90\r\n")), "{days}");
    let week_before = day - TimeDelta::days(7);
    let days = site.get_as_staff("/report/csv/?compare=1").await.body;
    let (names, rows) = days.split_once("\r\n").unwrap();
    assert!(names.ends_with(",mean_seconds_before,median_seconds_before"), "{names}");
    assert!(rows.ends_with(&format!("\r\n{day},3,2,1,1,1.5,50,90,90,{week_before},1,1,0,0,1,100,,\r\n")), "{rows}");
    let hours = site.get_as_staff("/report/csv/?table=hours&range=today").await.body;
    let rows: Vec<Vec<i64>> = hours
        .lines()
        .skip(1)
        .map(|row| row.split(',').skip(1).map(|number| number.parse().unwrap()).collect())
        .collect();
    assert!((1..=25).contains(&rows.len()), "{hours}");
    let sum = |column: usize| rows.iter().map(|row| row[column]).sum::<i64>();
    assert_eq!((sum(0), sum(1), sum(2)), (3, 2, 1), "{hours}");
}

#[tokio::test]
async fn each_chart_has_its_figures_and_a_single_day_is_drawn_by_its_hours() {
    let site = site().await;
    for (query, titles, rows) in [
        ("", &["Page views a day", "Sessions a day", "Interactions a day", "Mean duration a day"][..], 7),
        ("?from=2025-01-01&to=2025-06-30", &["Page views a week", "Mean duration a week"], 27),
        ("?range=yesterday", &["Page views an hour", "Sessions an hour", "Interactions an hour"], 24),
    ] {
        let page = site.get_as_staff(&format!("/report/{query}")).await.body;
        for title in titles {
            let (_, drawn) = page.split_once(&format!("aria-label=\"{title}\"")).unwrap();
            let card = drawn.split("</section>").next().unwrap();
            let (svg, table) = card.split_once("</svg>").unwrap();
            assert_eq!(svg.matches("class=\"room\"").count(), rows, "{title}");
            assert!(table.contains(&format!("<caption class=\"hidden\">{title}</caption>")), "{table}");
            assert_eq!(table.matches("<th scope=\"row\">").count(), rows, "{title}");
            let link = links(table).pop().unwrap();
            let csv = site.get_as_staff(&link).await;
            assert!(csv.status == 200 && csv.header("content-type").starts_with("text/csv"), "{link}");
        }
    }
    let today = site.get_as_staff("/report/data/?range=today&compare=1").await.json();
    let sum =
        |hours: &Value| hours.as_array().unwrap().iter().map(|hour| hour["page_views"].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum(&today["hours"]), sum(&today["before"]["hours"])), (3, 0));
    let phone = site.get_as_staff("/report/?range=today&device=phone").await.body;
    let (_, head) = phone.split_once("\">Page views an hour").unwrap();
    assert!(head.split("</h2>").next().unwrap().contains("whole site"), "hours are of everybody");
    assert_eq!(site.get_as_staff("/report/data/").await.json()["hours"], serde_json::json!([]));
}

#[tokio::test]
async fn elements_can_be_searched() {
    let site = site().await;
    let found = site.get_as_staff("/report/?element=CM").await.body;
    assert!(found.contains("With “<bdi>CM</bdi>” in them.") && found.contains("=cmd"), "{found}");
    let none = site.get_as_staff("/report/data/?element=nothing").await.json();
    assert_eq!(none["elements"], serde_json::json!({"rows": [], "more": 0, "total": 1}));
    assert_eq!(none["pages"]["rows"].as_array().unwrap().len(), 2, "pages are not searched by it");
}

#[tokio::test]
async fn a_report_that_has_not_changed_is_not_sent_again() {
    let mut site = site().await;
    for path in ["/report/", "/report/data/"] {
        let ask = async |site: &Site, path: &str, tag: &str| {
            let staff = site.token(Role::Staff);
            site.send(get(path).header("authorization", staff).header("if-none-match", tag)).await
        };
        let tag = ask(&site, path, "").await.header("etag").to_owned();
        assert!(!tag.is_empty());
        let again = ask(&site, path, &format!("W/\"other\", {tag}")).await;
        assert_eq!((again.status.as_u16(), again.body.as_str(), again.header("etag")), (304, "", tag.as_str()));
        if path == "/report/" {
            let as_of = again.header("footfall-as-of");
            assert!(NaiveTime::parse_from_str(as_of, "%H:%M:%S").is_ok(), "the page says it anew: {as_of:?}");
        }
        assert_eq!(ask(&site, &format!("{path}?compare=1"), &tag).await.status, 200, "another question");
        site.project(&[page_view("more", Utc::now(), "http://a.example/")]).await;
        let changed = ask(&site, path, &tag).await;
        assert_eq!(changed.status, 200);
        assert_ne!(changed.header("etag"), tag);
    }
}

#[tokio::test]
async fn a_live_page_renews_itself_with_and_without_a_script() {
    let site = Site::with(Setup { base_path: "/below", ..Setup::default() }).await;
    let still = site.get_as_staff("/below/report/").await.body;
    assert!(!still.contains("<script src") && !still.contains("http-equiv"));
    let live = site.get_as_staff("/below/report/?live=1").await.body;
    assert!(live.contains(r#"<script src="/below/assets/report.js" defer>"#), "{live}");
    assert!(live.contains(r#"<noscript><meta http-equiv="refresh""#));
}

#[tokio::test]
async fn an_empty_page_tells_how_to_send_to_the_address_that_was_asked() {
    let site = Site::with(Setup { base_path: "/below", ..Setup::default() }).await;
    let page = site.get_as_staff("/below/report/").await.body;
    assert!(page.contains("curl -X POST http://footfall.example:8080/below/pageviews/"), "{page}");
}

/// The numbers of a whole page: with their tails they are one object, as the data are.
#[tokio::test]
async fn the_numbers_are_whole_however_many_urls_there_are() {
    let mut site = Site::new().await;
    for day in 0..2 {
        let at = Utc::now() - TimeDelta::days(day);
        let views: Vec<_> = (0..3_000)
            .map(|url| page_view("s", at, &format!("http://a.example/\"{url:04}\\{}", "x".repeat(40))))
            .collect();
        site.project(&views).await;
    }
    let found: Value = site.get_as_staff("/report/data/").await.json();
    for day in found["page_views"].as_array().unwrap() {
        let urls = day["urls"].as_array().unwrap();
        assert_eq!((urls.len(), &day["count"]), (3_000, &3_000.into()));
        assert!(urls.iter().map(|of| of["url"].as_str().unwrap()).is_sorted());
    }
    assert_eq!(found["pages"]["more"], 2_975);
    let csv = site.get_as_staff("/report/csv/?table=pages").await.body;
    assert_eq!(csv.lines().count(), 3_001);
}
