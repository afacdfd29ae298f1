//! Tables that can be heard as well as seen: a caption, and headers that know their scope.

use super::markup::Markup;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// The row's name.
    Head(String),
    /// The name of so many rows, of which this is the first; the others have no cell for it.
    Group(String, usize),
    /// The row's name, and the page it leads to.
    Link(String, String),
    /// Words.
    Words(String),
    /// A number, lined up with those above it.
    Number(String),
    /// A share of all, drawn as a bar.
    Share(f64),
}

impl Cell {
    /// Words.
    pub(super) fn words(text: impl Into<String>) -> Cell {
        Cell::Words(text.into())
    }

    /// The row's name.
    pub(super) fn head(text: impl Into<String>) -> Cell {
        Cell::Head(text.into())
    }

    /// A number, as told.
    pub(super) fn number(text: impl Into<String>) -> Cell {
        Cell::Number(text.into())
    }
}

/// Writes a table. A column's name that begins with `#` is one of numbers, `=` stands over a column of bars; `class` may
/// be empty.
pub(super) fn table(m: &mut Markup, class: &str, caption: &str, columns: &[&str], rows: &[Vec<Cell>]) {
    let name = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", caption)];
    m.within("div", &name, |m| {
        let class = [("class", class)];
        m.within("table", if class[0].1.is_empty() { &[] } else { &class }, |m| {
            m.leaf("caption", &[], caption);
            m.within("thead", &[], |m| {
                m.within("tr", &[], |m| columns.iter().for_each(|column| header(m, column)));
            });
            m.within("tbody", &[], |m| rows.iter().for_each(|cells| row(m, cells)));
        });
    });
}

fn header(m: &mut Markup, column: &str) {
    match column.split_at_checked(1) {
        Some(("#", name)) => m.leaf("th", &[("scope", "col"), ("class", "n")], name),
        Some(("=", _)) => m.leaf("td", &[("class", "share")], ""),
        _ => m.leaf("th", &[("scope", "col")], column),
    }
}

fn row(m: &mut Markup, cells: &[Cell]) {
    m.within("tr", &[], |m| {
        for cell in cells {
            match cell {
                Cell::Head(text) => m.leaf("th", &[("scope", "row")], text),
                Cell::Group(text, rows) => {
                    let rows = rows.to_string();
                    m.leaf("th", &[("scope", "rowgroup"), ("rowspan", &rows)], text);
                }
                Cell::Link(text, to) => m.within("th", &[("scope", "row")], |m| m.leaf("a", &[("href", to)], text)),
                Cell::Words(text) => m.leaf("td", &[], text),
                Cell::Number(text) => m.leaf("td", &[("class", "n")], text),
                Cell::Share(share) => m.within("td", &[("class", "share")], |m| bar(m, *share)),
            }
        }
    });
}

fn bar(m: &mut Markup, share: f64) {
    let wide = format!("{:.1}%", share.clamp(0.0, 1.0) * 100.0);
    let svg = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("class", "share"),
        ("aria-hidden", "true"),
        ("width", "100%"),
        ("height", "8"),
    ];
    m.within("svg", &svg, |m| {
        m.empty("rect", &[("class", "all"), ("width", "100%"), ("height", "8"), ("rx", "2")]);
        if share > 0.0 {
            m.empty("rect", &[("class", "part"), ("width", &wide), ("height", "8"), ("rx", "2")]);
        }
    });
}

/// The figures behind a chart, folded away.
pub(super) fn behind(m: &mut Markup, caption: &str, columns: &[&str], rows: &[Vec<Cell>]) {
    m.within("details", &[("class", "data")], |m| {
        m.leaf("summary", &[], "The figures behind this chart");
        table(m, "dense", caption, columns, rows);
    });
}
