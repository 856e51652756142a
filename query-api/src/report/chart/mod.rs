//! Charts: numbers → geometry → SVG, each a pure function. Colours come from the style sheet by class.

mod geometry;
mod scale;
mod svg;

pub(crate) use geometry::Bar;
pub(crate) use scale::Unit;

use geometry::Geometry;

/// Upright bars with an axis. `name` is what a screen reader says; the numbers stand in the table beside it.
pub(crate) fn columns(bars: &[Bar], name: &str, unit: Unit) -> String {
    svg::draw(&Geometry::of(bars, unit), name)
}

#[cfg(test)]
mod tests;
