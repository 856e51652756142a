//! Where everything of a chart is. No text is measured: labels are few enough to fit at any size of letters.

use super::scale::{Unit, short, ticks};

/// One bar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bar {
    /// Below the axis.
    pub label: String,
    /// What is said of it when the pointer rests on it.
    pub title: String,
    pub value: i64,
    /// What it was in the period before.
    pub before: Option<i64>,
    /// Today is not over yet.
    pub unfinished: bool,
}

pub(super) const WIDTH: i64 = 640;
pub(super) const HEIGHT: i64 = 200;
pub(super) const LEFT: i64 = 64;
pub(super) const RIGHT: i64 = WIDTH - 2;
/// Half of a label at its largest; a label with less room than that ends where its bar ends.
const HALF_LABEL: i64 = 36;
pub(super) const TOP: i64 = 12;
pub(super) const FLOOR: i64 = HEIGHT - 32;
/// A bar is not wider, however few there are.
const WIDEST: i64 = 64;
/// Labels at most.
const LABELS: usize = 7;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub ticks: Vec<Tick>,
    pub slots: Vec<Slot>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub y: i64,
    pub text: String,
}

/// What stands below a bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub text: String,
    /// Its middle, or its end.
    pub x: i64,
    pub at_end: bool,
    /// Left out where letters are large.
    pub minor: bool,
}

/// A bar with the room around it. Lengths across are in tenths, so that four hundred days fit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub x: i64,
    pub width: i64,
    pub bar_x: i64,
    pub bar_width: i64,
    pub height: i64,
    /// The height of the period before.
    pub before: Option<i64>,
    pub title: String,
    pub label: Option<Label>,
    pub unfinished: bool,
}

impl Geometry {
    pub fn of(bars: &[Bar], unit: Unit) -> Self {
        let most = bars.iter().flat_map(|bar| [bar.value, bar.before.unwrap_or(0)]).max().unwrap_or(0);
        let steps = ticks(most, unit);
        let top = steps.last().copied().unwrap_or(1).max(1);
        let height = |value| scaled(value, top, FLOOR - TOP);
        let ticks = steps.iter().map(|tick| Tick { y: FLOOR - height(*tick), text: short(*tick, unit) }).collect();
        let count = i64::try_from(bars.len().max(1)).unwrap_or(1);
        let each = bars.len().div_ceil(LABELS).max(1);
        let slot = |(place, bar): (usize, &Bar)| {
            let edge = |place: i64| LEFT * 10 + (RIGHT - LEFT) * 10 * place / count;
            let at = i64::try_from(place).unwrap_or(0);
            let (x, width) = (edge(at), edge(at + 1) - edge(at));
            let bar_width = (width * 7 / 10).clamp(4, WIDEST * 10);
            // from the end, so that the last day has one
            let label = (bars.len() - 1 - place).is_multiple_of(each).then(|| {
                let (middle, end) = (x + width / 2, x + width);
                let at_end = middle > (RIGHT - HALF_LABEL) * 10;
                let minor = bars.len() > 4 && !((bars.len() - 1 - place) / each).is_multiple_of(2);
                Label { text: bar.label.clone(), x: if at_end { end } else { middle }, at_end, minor }
            });
            Slot {
                x,
                width,
                bar_x: x + (width - bar_width) / 2,
                bar_width,
                height: height(bar.value),
                before: bar.before.map(height),
                title: bar.title.clone(),
                label,
                unfinished: bar.unfinished,
            }
        };
        Self { ticks, slots: bars.iter().enumerate().map(slot).collect() }
    }
}

/// `value` of `top`, in units of the drawing; at least one for what is not zero.
fn scaled(value: i64, top: i64, height: i64) -> i64 {
    let exact = i128::from(value.max(0)) * i128::from(height) / i128::from(top);
    i64::try_from(exact).unwrap_or(height).max(i64::from(value > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_is_a_zero_and_the_smallest_value_is_seen() {
        assert_eq!((scaled(0, 100, 50), scaled(1, 1_000_000, 50), scaled(100, 100, 50)), (0, 1, 50));
    }

    #[test]
    fn nothing_leaves_the_drawing_however_many_bars_there_are() {
        for count in [0_i64, 1, 2, 7, 30, 90, 400] {
            let bar = |value| Bar {
                label: String::new(),
                title: String::new(),
                value,
                before: Some(value * 3),
                unfinished: false,
            };
            let found = Geometry::of(&(0..count).map(bar).collect::<Vec<_>>(), Unit::Count);
            let mut x = LEFT * 10;
            for slot in &found.slots {
                assert!(slot.x == x && slot.bar_x >= slot.x && slot.bar_x + slot.bar_width <= slot.x + slot.width);
                assert!(slot.height <= FLOOR - TOP && slot.before.unwrap() <= FLOOR - TOP);
                x += slot.width;
            }
            assert!(found.slots.is_empty() || x == RIGHT * 10);
            assert!(found.slots.iter().filter(|slot| slot.label.is_some()).count() <= LABELS);
        }
    }
}
