//! What lies over the shapes and is never stretched: names at the ends of lines, flags, read-outs under the pointer.

use super::super::markup::Markup;
use super::{percent, px};

/// The name of a line, at its right end.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report::html) struct End {
    /// Class of the series.
    pub(in crate::report::html) class: &'static str,
    /// Where the line ends, as a share of the vertical axis.
    pub(in crate::report::html) at: f64,
    /// What to say.
    pub(in crate::report::html) name: String,
}

/// Least distance between two names.
const APART: f64 = 15.0;

/// Names the lines at the right edge; names that would lie on each other move apart.
pub(in crate::report::html) fn ends(m: &mut Markup, height: f64, names: &[End]) {
    let wished: Vec<f64> = names.iter().map(|end| (1.0 - end.at) * height).collect();
    for (end, y) in names.iter().zip(apart(&wished, height)) {
        let class = format!("end {}", end.class);
        let y = px(y);
        m.leaf("text", &[("class", &class), ("x", "100%"), ("dx", "8"), ("y", &y), ("dy", ".32em")], &end.name);
    }
}

/// Positions at least [`APART`] from each other, in the order of the wishes and near them.
fn apart(wished: &[f64], height: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wished.len()).collect();
    order.sort_by(|a, b| wished[*a].total_cmp(&wished[*b]).then(a.cmp(b)));
    let mut placed = wished.to_vec();
    let mut above = f64::NEG_INFINITY;
    for i in &order {
        placed[*i] = placed[*i].max(above + APART);
        above = placed[*i];
    }
    // Whatever was pushed out at the bottom pushes back.
    let mut below = height + APART;
    for i in order.iter().rev() {
        placed[*i] = placed[*i].min(below - APART);
        below = placed[*i];
    }
    placed
}

/// The same names as a list above the chart, where there is no room at its edge.
pub(in crate::report::html) fn legend(m: &mut Markup, class: &str, names: &[(&str, &str)]) {
    m.within("ul", &[("class", &format!("legend {class}"))], |m| {
        for (series, name) in names {
            m.within("li", &[], |m| {
                m.leaf("span", &[("class", &format!("key {series}")), ("aria-hidden", "true")], "");
                m.text(name);
            });
        }
    });
}

/// A moment that is marked by a line from top to bottom and a word above it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report::html) struct Flag {
    /// When, as a share of the horizontal axis.
    pub(in crate::report::html) at: f64,
    /// What to say.
    pub(in crate::report::html) name: String,
}

/// Marks moments. `row` is the row of the first word, counted upwards from the chart; the next goes one row higher
/// each, so that words never lie on each other.
pub(in crate::report::html) fn flags(m: &mut Markup, height: f64, class: &str, row: usize, flags: &[Flag]) {
    for (i, flag) in flags.iter().enumerate() {
        let top = -12.0 - (row + flags.len() - 1 - i) as f64 * 16.0;
        let (x, y, bottom) = (percent(flag.at), px(top - 5.0), px(height));
        let class = format!("flag {class}");
        m.empty("line", &[("class", &class), ("x1", &x), ("x2", &x), ("y1", &y), ("y2", &bottom)]);
        let (side, dx) = if flag.at > 0.5 { ("left", "-5") } else { ("right", "5") };
        let class = format!("{class} {side}");
        m.leaf("text", &[("class", &class), ("x", &x), ("dx", dx), ("y", &px(top + 4.0))], &flag.name);
    }
}

/// Columns of equal width, each of which tells its text when pointed at.
pub(in crate::report::html) fn hover(m: &mut Markup, height: f64, columns: usize, text: impl Fn(usize) -> String) {
    let wide = percent(1.0 / columns.max(1) as f64);
    let height = px(height);
    m.within("g", &[("class", "hover")], |m| {
        for i in 0..columns {
            let x = percent(i as f64 / columns as f64);
            m.within("rect", &[("x", &x), ("width", &wide), ("height", &height)], |m| m.leaf("title", &[], &text(i)));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_move_apart_and_stay_in_order_and_inside() {
        assert_eq!(apart(&[10.0, 60.0], 100.0), [10.0, 60.0]);
        assert_eq!(apart(&[98.0, 99.0, 100.0], 100.0), [70.0, 85.0, 100.0]);
        assert_eq!(apart(&[50.0, 50.0], 100.0), [50.0, 65.0]);
        assert_eq!(apart(&[], 100.0), Vec::<f64>::new());
    }
}
