//! A heat map: how many, by time and by value.

use std::fmt::Write;

use super::super::markup::Markup;

/// Shades there are.
pub(in crate::report::html) const LEVELS: usize = 8;

/// Cells in columns from left to right; in each, rows from the bottom up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report::html) struct Heat {
    /// By column, then row.
    pub(in crate::report::html) columns: Vec<Vec<u64>>,
}

impl Heat {
    /// The fullest cell.
    pub(in crate::report::html) fn most(&self) -> u64 {
        self.columns.iter().flatten().copied().max().unwrap_or(0)
    }

    /// The shade of a cell, from 1: by the logarithm of its count, so that a single one is seen beside a thousand. 0: empty.
    fn level(count: u64, most: u64) -> usize {
        if count == 0 {
            return 0;
        }
        if most <= 1 {
            return LEVELS;
        }
        let share = (count as f64).ln() / (most as f64).ln();
        1 + (share * (LEVELS - 1) as f64).round() as usize
    }

    /// Draws the cells as one shape for each shade, in a drawing of its own units: a column wide, a row high.
    pub(in crate::report::html) fn draw(&self, m: &mut Markup) {
        let rows = self.columns.iter().map(Vec::len).max().unwrap_or(0);
        let most = self.most();
        let mut shapes = vec![String::new(); LEVELS + 1];
        for (x, column) in self.columns.iter().enumerate() {
            for (row, count) in column.iter().enumerate() {
                let shape = &mut shapes[Heat::level(*count, most)];
                let _ = write!(shape, "M{x} {}h1v1h-1z", rows - 1 - row);
            }
        }
        let view = format!("0 0 {} {}", self.columns.len().max(1), rows.max(1));
        let attributes =
            [("viewBox", view.as_str()), ("preserveAspectRatio", "none"), ("width", "100%"), ("height", "100%")];
        m.within("svg", &attributes, |m| {
            for (level, shape) in shapes.iter().enumerate().skip(1).filter(|(_, shape)| !shape.is_empty()) {
                m.empty("path", &[("class", &format!("h{level}")), ("d", shape)]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_seen_beside_thousands_and_nothing_is_not() {
        assert_eq!([0, 1, 2, 100, 10_000].map(|n| Heat::level(n, 10_000)), [0, 1, 2, 5, 8]);
        assert_eq!([0, 1].map(|n| Heat::level(n, 1)), [0, 8]);
    }
}
