//! Rows whose columns line up.

/// How a column lines up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells; each column as wide as its widest cell, at least as wide as it was told to be. A cell alone in its row
/// is as wide as it likes.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(Align, usize)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Columns, each with its alignment and least width.
    pub(super) fn new(columns: &[(Align, usize)]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. Cells it does not have are empty; cells beyond the last column are left out.
    pub(super) fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// The rows as lines, two spaces between columns, none at a line's end.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (_, least))| {
                let beside_others = self.rows.iter().filter(|row| row.len() > 1);
                let widest = beside_others.filter_map(|row| row.get(i)).map(|cell| cell.chars().count()).max();
                widest.unwrap_or(0).max(*least)
            })
            .collect();
        self.rows.iter().map(move |row| {
            let mut line = String::new();
            for (cell, ((align, _), width)) in row.iter().zip(self.columns.iter().zip(&widths)) {
                match align {
                    Align::Left => line.push_str(&format!("{cell:<width$}  ")),
                    Align::Right => line.push_str(&format!("{cell:>width$}  ")),
                }
            }
            line.trim_end().to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_by_characters() {
        let mut table = Table::new(&[(Align::Left, 0), (Align::Right, 4), (Align::Left, 0)]);
        table.row(["restore", "–", "ends"]);
        table.row(["–", "12,345", ""]);
        table.row(["x"]);
        table.row(["a whole line alone"]);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines, ["restore       –  ends", "–        12,345", "x", "a whole line alone"]);
    }
}
