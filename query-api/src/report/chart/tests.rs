//! Drawings against those that somebody has looked at: `golden/*.svg`, which open in any browser. After a change that
//! is meant, `FOOTFALL_WRITE_GOLDEN=1` writes them anew.

use super::{Bar, Unit, columns};
use std::{env, fs, path::PathBuf};

fn bars(values: &[i64]) -> Vec<Bar> {
    let bar = |(day, value): (usize, &i64)| Bar {
        label: format!("{} Nov", day + 1),
        title: format!("{} November: {value} page views", day + 1),
        value: *value,
        before: None,
        unfinished: day + 1 == values.len(),
    };
    values.iter().enumerate().map(bar).collect()
}

fn is_golden(name: &str, found: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/report/chart/golden").join(format!("{name}.svg"));
    if env::var_os("FOOTFALL_WRITE_GOLDEN").is_some() {
        fs::write(&path, found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(&path).unwrap(), "{}", path.display());
}

#[test]
fn a_week_with_a_zero_and_an_unfinished_day() {
    is_golden("week", &columns(&bars(&[120, 0, 1, 37, 400, 380, 64]), "Page views a day", Unit::Count));
}

#[test]
fn nothing_at_all() {
    is_golden("nothing", &columns(&bars(&[0; 7]), "Page views a day", Unit::Count));
}

#[test]
fn two_days_beside_the_two_before_in_seconds() {
    let mut bars = bars(&[200, 90]);
    bars[0].before = Some(310);
    bars[1].before = Some(0);
    is_golden("before", &columns(&bars, "Mean duration", Unit::Seconds));
}

#[test]
fn ninety_days_have_seven_labels() {
    let values: Vec<i64> = (0..90).map(|day| (day * day) % 1_300 * 40).collect();
    let svg = columns(&bars(&values), "Page views a day", Unit::Count);
    assert_eq!(svg.matches("class=\"label").count(), 7);
    is_golden("ninety", &svg);
}

#[test]
fn labels_are_text() {
    let mut bars = bars(&[3]);
    bars[0].label = "<b>\"&".into();
    bars[0].title = "</title><script>".into();
    let svg = columns(&bars, "\"><i>", Unit::Count);
    assert!(!svg.contains("<b>") && !svg.contains("<i>") && !svg.contains("<script>"), "{svg}");
}
