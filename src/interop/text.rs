//! The matrix as a person reads it.

use super::paint::{Paint, wrap};
use super::player::spoken;
use super::scenarios::GROUPS;
use super::{Cell, Matrix, summary};
use crate::phone::Fault;

const ROW: usize = 58;
const COLUMN: usize = 44;
const WIDTH: usize = 100;

/// The matrix, its footnotes and the summary.
pub fn render(matrix: &Matrix, colour: bool) -> String {
    let paint = Paint::new(colour);
    let mut out = String::new();
    let mut notes = Vec::new();
    let mut line = |text: &str| {
        out.push_str(text.trim_end());
        out.push('\n');
    };
    line(&format!("{} {}", paint.strong("Interoperability with"), paint.strong(&matrix.target)));
    for column in &matrix.columns {
        let offers = if column.offers.is_empty() { "no challenge".to_owned() } else { column.offers.join(", ") };
        let realm = column.realm.as_ref().map_or_else(String::new, |realm| format!(", realm {realm:?}"));
        let stored = match &column.stored_realm {
            Some(stored) => format!("; its phones have stored realm {stored:?}"),
            None if column.realm.is_some() => "; taken for the realm its phones have stored".to_owned(),
            None => String::new(),
        };
        line(&format!("{}: the server offers {offers}{realm}{stored}", column.family));
    }
    let mut head = " ".repeat(ROW + 2);
    for column in &matrix.columns {
        head.push_str(&format!("{:<COLUMN$}", column.family));
    }
    for group in GROUPS {
        line("");
        line(&format!("{}{}", paint.strong(&format!("{:<width$}", group.title, width = ROW + 2)), head.trim_start()));
        for scenario in group.scenarios {
            let mut row = format!("  {:<ROW$}", scenario.about);
            for column in &matrix.columns {
                let Some(cell) = column.cell(scenario.key) else { continue };
                let number = footnote(cell, &mut notes).map_or_else(String::new, |n| format!(" [{n}]"));
                let words = format!("{}{number}", short(cell));
                let padding = " ".repeat(COLUMN.saturating_sub(words.chars().count()).max(1));
                row.push_str(&coloured(paint, cell, &words));
                row.push_str(&padding);
            }
            line(&row);
        }
    }
    if !notes.is_empty() {
        line("");
        for (number, note) in notes.iter().enumerate() {
            let text = wrap(note, WIDTH - 6, "      ");
            line(&paint.faint(&format!("{:>4}  {text}", format!("[{}]", number + 1))));
        }
    }
    line("");
    line(&paint.strong("In plain language"));
    for sentence in summary::of(matrix) {
        line(&format!("- {}", wrap(&sentence, WIDTH - 2, "  ")));
    }
    line("");
    line(&paint.faint(&format!("One phone of each family, played in {}.", spoken(matrix.took))));
    out
}

fn short(cell: &Cell) -> String {
    match cell {
        Cell::Works { .. } => "works".to_owned(),
        Cell::Person { .. } => "works, with a person".to_owned(),
        Cell::Fails { why, fault: Fault::None } => format!("fails ({why})"),
        Cell::Fails { why, fault } => format!("fails ({why}; {})", fault.name()),
        Cell::NotApplicable { .. } => "not applicable".to_owned(),
    }
}

/// The number of the note to this cell, if it has one; equal notes share a number.
fn footnote(cell: &Cell, notes: &mut Vec<String>) -> Option<usize> {
    let note = match cell {
        Cell::Works { note } => note.clone()?,
        Cell::Person { screen } => format!("a person types at the {screen} screen"),
        Cell::NotApplicable { reason } => reason.clone(),
        Cell::Fails { .. } => return None,
    };
    let at = notes.iter().position(|known| *known == note).unwrap_or_else(|| {
        notes.push(note);
        notes.len() - 1
    });
    Some(at + 1)
}

fn coloured(paint: Paint, cell: &Cell, words: &str) -> String {
    match cell {
        Cell::Works { .. } => paint.good(words),
        Cell::Person { .. } => paint.warning(words),
        Cell::Fails { .. } => paint.bad(words),
        Cell::NotApplicable { .. } => paint.faint(words),
    }
}
