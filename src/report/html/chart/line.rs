//! Lines and areas through points.

use std::fmt::Write;

use super::super::markup::Markup;
use super::{WIDTH, px};

/// A line through points, each a share of both axes.
pub(in crate::report::html) fn line(m: &mut Markup, height: f64, class: &str, points: &[(f64, f64)]) {
    if !points.is_empty() {
        m.empty("path", &[("class", &format!("line {class}")), ("d", &path(height, points))]);
    }
}

/// What lies beneath a line through points.
pub(in crate::report::html) fn area(m: &mut Markup, height: f64, class: &str, points: &[(f64, f64)]) {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else { return };
    let mut d = path(height, points);
    let _ = write!(d, "L{} {}L{} {}Z", px(last * WIDTH), px(height), px(first * WIDTH), px(height));
    m.empty("path", &[("class", &format!("area {class}")), ("d", &d)]);
}

/// Points in the middle of a level stretch are left out: the line is the same without them.
fn path(height: f64, points: &[(f64, f64)]) -> String {
    let placed: Vec<_> = points.iter().map(|(x, y)| (px(x * WIDTH), px((1.0 - y) * height))).collect();
    let mut d = String::new();
    for (i, (x, y)) in placed.iter().enumerate() {
        let same = |other: Option<&(String, String)>| other.is_some_and(|(_, other)| other == y);
        if i > 0 && same(placed.get(i - 1)) && same(placed.get(i + 1)) {
            continue;
        }
        let _ = write!(d, "{}{x} {y}", if d.is_empty() { 'M' } else { 'L' });
    }
    d
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_stretches_are_two_points() {
        let points = [(0.0, 0.0), (0.1, 0.5), (0.2, 0.5), (0.3, 0.5), (1.0, 1.0)];
        assert_eq!(path(100.0, &points), "M0 100L100 50L300 50L1000 0");
    }
}
