//! A matrix as a person reads it in a terminal: one table, and under it which differences are real.

use std::path::Path;

use super::{Row, SideBySide};
use crate::report::compare::Answer;
use crate::report::table::{Align, Table};

/// Widest head of a column of figures.
const HEAD: usize = 12;
/// Widest table, but for the last column's remarks.
const WIDEST: usize = 140;
/// A line of words is broken here.
const WIDTH: usize = 100;

/// The whole of it.
pub(super) fn render(side: &SideBySide, folder: Option<&Path>) -> String {
    let mut lines =
        vec![format!("{}: {}, seed {}", side.matrix.workload, side.extent(), side.matrix.seed), String::new()];
    lines.extend(table(side));
    let choices = choices(side);
    if !choices.is_empty() {
        lines.push(String::new());
        lines.extend(choices);
    }
    let compared = compared(side);
    if !compared.is_empty() {
        lines.push(String::new());
        lines.extend(compared);
    }
    if !side.notes.is_empty() {
        lines.push(String::new());
        lines.push("To be known with all of this".to_owned());
        side.notes.iter().for_each(|note| lines.extend(broken(note, "  - ", "    ")));
    }
    if let Some(folder) = folder {
        lines.push(String::new());
        lines.push(format!("Saved in {}", folder.display()));
    }
    lines.join("\n") + "\n"
}

/// The table; one that is too wide for a screen goes on below, with the variants' names again.
fn table(side: &SideBySide) -> Vec<String> {
    let heads: Vec<Vec<String>> = side.columns.iter().map(|column| head(&column.name)).collect();
    let width = |n: usize| {
        let told = side.rows.iter().map(|row| &row.cells[n]).flat_map(|cell| {
            let column = &side.columns[n];
            [column.figure(cell.median), column.spread(cell).map_or_else(String::new, |s| format!("({s})"))]
        });
        told.chain(heads[n].iter().cloned()).map(|text| text.chars().count() + 2).max().unwrap_or(0)
    };
    let names = side.heads().into_iter().enumerate().map(|(n, head)| {
        let widest = side.rows.iter().map(|row| side.place(row)[n].chars().count()).max().unwrap_or(0);
        widest.max(axis(head).iter().map(|line| line.chars().count()).max().unwrap_or(0)) + 2
    });
    let names: usize = names.sum();
    let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
    let mut taken = names;
    for n in 0..side.columns.len() {
        if taken + width(n) > WIDEST && blocks.last().is_some_and(|block| !block.is_empty()) {
            blocks.push(Vec::new());
            taken = names;
        }
        taken += width(n);
        if let Some(block) = blocks.last_mut() {
            block.push(n);
        }
    }
    let blocks = blocks.iter().map(|columns| block(side, columns, &heads));
    blocks.collect::<Vec<_>>().join(&String::new())
}

fn block(side: &SideBySide, columns: &[usize], heads: &[Vec<String>]) -> Vec<String> {
    let places = side.heads();
    let mut aligned = vec![(Align::Left, 0); places.len()];
    aligned.extend(vec![(Align::Right, 0); columns.len()]);
    aligned.push((Align::Left, 0));
    let mut table = Table::new(&aligned);
    let mut heads_of: Vec<Vec<String>> = places.iter().map(|name| axis(name)).collect();
    heads_of.extend(columns.iter().map(|n| heads[*n].clone()));
    let deep = heads_of.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..deep {
        // Heads stand on the figures.
        let cell = |head: &Vec<String>| (line + head.len()).checked_sub(deep).and_then(|n| head.get(n)).cloned();
        table.row(heads_of.iter().map(|head| cell(head).unwrap_or_default()));
    }
    for row in &side.rows {
        let names = side.place(row).into_iter().map(str::to_owned);
        let cells = || columns.iter().map(|n| (&row.cells[*n], &side.columns[*n]));
        let figures = cells().map(|(cell, column)| column.figure(cell.median));
        table.row(names.chain(figures).chain([remark(row, side.matrix.repeats)]));
        let spread = cells().map(|(cell, column)| column.spread(cell).map_or_else(String::new, |s| format!("({s})")));
        let spread: Vec<String> = spread.collect();
        if spread.iter().any(|text| !text.is_empty()) {
            table.row(places_of(places.len()).chain(spread));
        }
    }
    table.lines().collect()
}

fn places_of(n: usize) -> impl Iterator<Item = String> {
    std::iter::repeat_n(String::new(), n)
}

fn remark(row: &Row, planned: u32) -> String {
    let remark = row.remark(planned);
    match (row.baseline, remark.is_empty()) {
        (true, true) => "baseline".to_owned(),
        (true, false) => format!("baseline, {remark}"),
        (false, _) => remark,
    }
}

/// An axis' name in short lines: `client-`, `certificate`.
fn axis(name: &str) -> Vec<String> {
    name.split_inclusive('-').map(str::to_owned).collect()
}

/// A column's name in short lines, broken where words end and after the dots of a key.
fn head(name: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in name.split_inclusive([' ', '.']) {
        let last = lines.last_mut().map(|line| line.chars().count()).unwrap_or(0);
        match lines.last_mut() {
            Some(line) if last + word.trim_end().chars().count() <= HEAD || line.is_empty() => line.push_str(word),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).collect()
}

/// What each choice changes, the largest change first.
fn choices(side: &SideBySide) -> Vec<String> {
    if side.choices.is_empty() {
        return Vec::new();
    }
    let words = "What each choice changes: the middle of all pairs of variants that differ in nothing else, the lowest and the \
                 highest. ×1 is no change; what changes by less than 5 % in the middle is left out.";
    let mut lines = broken(words, "", "");
    for choice in &side.choices {
        let known = || side.columns.iter().zip(&choice.changes).filter_map(|(column, c)| Some((column, c.as_ref()?)));
        let pairs = known().map(|(_, change)| change.pairs).max().unwrap_or(0);
        lines.push(format!("  {}: {} instead of {} ({pairs} pairs)", choice.axis, choice.value, choice.instead_of));
        let mut told: Vec<_> = known().filter(|(_, change)| change.is_any()).collect();
        told.sort_by(|(_, a), (_, b)| b.median.ln().abs().total_cmp(&a.median.ln().abs()));
        let told: Vec<String> = told
            .into_iter()
            .map(|(column, change)| {
                let spread = change.spread().map_or_else(String::new, |spread| format!(" ({spread})"));
                format!("{} {}{spread}", column.plain(), change.told())
            })
            .collect();
        let told = if told.is_empty() { "nothing by 5 %".to_owned() } else { told.join("; ") };
        lines.extend(broken(&told, "    ", "    "));
    }
    lines
}

/// What each variant is, compared with the baseline; nothing where nothing was compared.
fn compared(side: &SideBySide) -> Vec<String> {
    let answered = |row: &&Row| row.cells.iter().any(|cell| cell.answer.is_some());
    let rows: Vec<&Row> = side.rows.iter().filter(answered).collect();
    let Some(baseline) = side.baseline().filter(|_| !rows.is_empty()) else { return Vec::new() };
    let name = baseline.name.strip_prefix("baseline: ").unwrap_or(&baseline.name);
    let mut lines = vec![format!("Compared with the baseline ({name})")];
    let mut reasons: Vec<&str> = Vec::new();
    for row in rows {
        lines.push(format!("  {}", row.name));
        // What is said of several figures is said once.
        let mut alike: Vec<(String, Vec<&str>)> = Vec::new();
        for (cell, column) in row.cells.iter().zip(&side.columns) {
            let (Some(answer), Some(words)) = (cell.answer, &cell.words) else { continue };
            let words = match (answer, &cell.why) {
                (Answer::CannotTell, Some(why)) => {
                    let number = reasons.iter().position(|known| known == why).unwrap_or_else(|| {
                        reasons.push(why);
                        reasons.len() - 1
                    });
                    format!("{} ({})", words.strip_prefix("cannot tell; ").unwrap_or(words), number + 1)
                }
                _ => words.clone(),
            };
            match alike.iter_mut().find(|(known, _)| *known == words) {
                Some((_, figures)) => figures.push(&column.name),
                None => alike.push((words, vec![&column.name])),
            }
        }
        // What is told comes before what is not.
        alike.sort_by_key(|(words, _)| {
            (words.starts_with("cannot tell"), words.starts_with("none in") || words.starts_with("the same"))
        });
        for (words, figures) in alike {
            lines.extend(broken(&format!("{words}: {}", figures.join("; ")), "    ", "      "));
        }
    }
    if !reasons.is_empty() {
        lines.push("Cannot tell, because".to_owned());
        for (n, why) in reasons.iter().enumerate() {
            lines.extend(broken(why, &format!("  ({}) ", n + 1), "      "));
        }
    }
    lines
}

/// Words in lines of a bounded width.
fn broken(words: &str, first: &str, others: &str) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    let mut begun = false;
    for word in words.split(' ') {
        let last = lines.len() - 1;
        if begun && lines[last].chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("{others}{word}"));
            continue;
        }
        if begun {
            lines[last].push(' ');
        }
        lines[last].push_str(word);
        begun = true;
    }
    lines
}
