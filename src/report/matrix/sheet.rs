//! A matrix as CSV: one row for each variant.

use std::io;

use super::SideBySide;

/// The sheet. An unknown figure is an empty cell.
pub(super) fn render(side: &SideBySide) -> io::Result<String> {
    let mut sheet = csv::Writer::from_writer(Vec::new());
    let axes = side.matrix.axes.iter().map(|axis| axis.name.clone());
    let figures = side.columns.iter().flat_map(|column| {
        let name = &column.key;
        [name.clone(), format!("{name} (lowest)"), format!("{name} (highest)"), format!("{name} (compared)")]
    });
    let heads = ["variant", "folder", "runs"].map(str::to_owned);
    sheet.write_record(heads.into_iter().chain(axes).chain(figures))?;
    for row in &side.rows {
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let counted = row.runs.iter().filter(|run| run.counts()).count();
        let own = [row.name.clone(), row.folder.clone(), counted.to_string()];
        let cells = row.cells.iter().flat_map(|cell| {
            let words = cell.words.clone().unwrap_or_default();
            [number(cell.median), number(cell.lowest), number(cell.highest), words]
        });
        sheet.write_record(own.into_iter().chain(row.values.iter().cloned()).chain(cells))?;
    }
    let octets = sheet.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    String::from_utf8(octets).map_err(io::Error::other)
}
