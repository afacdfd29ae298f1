//! A matrix in Markdown, for a pull request or a wiki.

use super::{Cell, SideBySide, Told};
use crate::report::compare::Answer;
use crate::report::format::escaped;

/// The whole page.
pub(super) fn render(side: &SideBySide) -> String {
    let mut lines = vec![format!("# {}", escaped(&side.matrix.workload)), String::new()];
    lines.push(format!("{}, seed {}.", side.extent(), side.matrix.seed));
    lines.push(String::new());
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let places = side.heads();
    let heads = places.iter().copied().chain(side.columns.iter().map(|column| column.name.as_str())).chain([""]);
    lines.push(row(heads.map(escaped).collect()));
    let rules = places.iter().map(|_| "---").chain(side.columns.iter().map(|_| "---:")).chain(["---"]);
    lines.push(row(rules.map(str::to_owned).collect()));
    for variant in &side.rows {
        let remark = variant.remark(side.matrix.repeats);
        let remark = if variant.baseline { format!("**baseline** {}", escaped(&remark)) } else { escaped(&remark) };
        let places = side.place(variant).into_iter().map(escaped);
        lines.push(row(places
            .chain(variant.cells.iter().zip(&side.columns).map(|(c, column)| cell(c, column)))
            .chain([remark.trim().to_owned()])
            .collect()));
    }
    lines.push(String::new());
    lines.extend(side.notes.iter().map(|note| format!("- {}", escaped(note))));
    lines.join("\n").trim_end().to_owned() + "\n"
}

/// The median, the lowest and the highest, and what it is compared with the baseline.
fn cell(cell: &Cell, column: &Told) -> String {
    let mut text = column.figure(cell.median);
    if let Some(spread) = column.spread(cell) {
        text.push_str(&format!(" ({spread})"));
    }
    match (cell.answer, &cell.words) {
        (None | Some(Answer::Same), _) | (_, None) => text,
        (Some(Answer::CannotTell), Some(words)) => format!("{text}<br>{}", escaped(words)),
        (Some(_), Some(words)) => format!("{text}<br>**{}**", escaped(words)),
    }
}
