//! From geometry to SVG.

use super::geometry::{FLOOR, Geometry, HEIGHT, LEFT, RIGHT, Slot, TOP, WIDTH};
use std::fmt::Write;

/// The drawing, as it stands in the page.
pub(super) fn draw(geometry: &Geometry, name: &str) -> String {
    let mut svg = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
        escape(name)
    );
    for tick in &geometry.ticks {
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {0}H{RIGHT}\"/><text class=\"tick\" x=\"{1}\" y=\"{2}\">{3}</text>",
            tick.y,
            LEFT - 8,
            tick.y + 4,
            escape(&tick.text)
        );
    }
    for slot in &geometry.slots {
        bar(&mut svg, slot);
    }
    svg + "</svg>"
}

/// A bar, what it was before, its label, and the room in which the pointer finds its title: a zero has no other.
fn bar(svg: &mut String, slot: &Slot) {
    let Slot { x, width, bar_x, bar_width, height, .. } = slot;
    let class = if slot.unfinished { " class=\"unfinished\"" } else { "" };
    let _ = write!(svg, "<path{class} d=\"M{} {FLOOR}v-{height}h{}v{height}z\"/>", tenths(*bar_x), tenths(*bar_width));
    if let Some(before) = slot.before {
        let _ = write!(
            svg,
            "<path class=\"halo\" d=\"M{0} {1}h{2}\"/><path class=\"before\" d=\"M{0} {1}h{2}\"/>",
            tenths(*x + *width / 10),
            FLOOR - before,
            tenths(*width * 8 / 10)
        );
    }
    if let Some(label) = &slot.label {
        let _ = write!(
            svg,
            "<text class=\"label{}{}\" x=\"{}\" y=\"{}\">{}</text>",
            if label.at_end { " end" } else { "" },
            if label.minor { " minor" } else { "" },
            tenths(label.x),
            HEIGHT - 8,
            escape(&label.text)
        );
    }
    let _ = writeln!(
        svg,
        "<path class=\"room\" d=\"M{0} {TOP}h{1}v{2}h-{1}z\"><title>{3}</title></path>",
        tenths(*x),
        tenths(*width),
        FLOOR - TOP,
        escape(&slot.title)
    );
}

/// Tenths as a number that is no longer than it has to be.
fn tenths(length: i64) -> String {
    if length % 10 == 0 { (length / 10).to_string() } else { format!("{}.{}", length / 10, length % 10) }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
