//! A comparison as a person reads it: what is compared, a table, and what could not be told and why.

use super::judge::Answer;
use super::{Comparison, Row};
use crate::report::number::{UNKNOWN, figure};
use crate::report::table::{Align, Table};

/// The whole page.
pub(super) fn render(c: &Comparison) -> String {
    let mut lines = head(c);
    lines.push(String::new());
    let (reasons, table) = table(c);
    lines.extend(table);
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.push("Cannot tell, because".into());
        lines.extend(reasons.iter().enumerate().map(|(i, why)| format!("  ({}) {why}", i + 1)));
    }
    if !c.notes.is_empty() {
        lines.push(String::new());
        lines.push("To be known with all of this".into());
        lines.extend(c.notes.iter().map(|note| format!("  - {note}")));
    }
    lines.push(String::new());
    lines.push(in_short(c));
    lines.join("\n") + "\n"
}

fn head(c: &Comparison) -> Vec<String> {
    let pairs = if c.pairs == 1 { "one pair of runs".to_owned() } else { format!("{} pairs of runs", c.pairs) };
    let mut lines = vec![format!("{}: B compared with A, {pairs}", c.workload)];
    for (side, folders) in [('A', &c.a), ('B', &c.b)] {
        let first = folders.first().map(|f| f.display().to_string()).unwrap_or_default();
        let more = if folders.len() > 1 { format!(" and {} more", folders.len() - 1) } else { String::new() };
        lines.push(format!("  {side}  {first}{more}"));
    }
    lines.push(String::new());
    match c.differences.len() {
        0 => lines.push("The effective workloads do not differ.".into()),
        _ => lines.push("What differs".into()),
    }
    lines.extend(c.differences.iter().map(|difference| format!("  {difference}")));
    lines
}

/// The reasons in the order in which they are first given, and the table that refers to them.
fn table(c: &Comparison) -> (Vec<String>, Vec<String>) {
    let mut reasons: Vec<String> = Vec::new();
    let right = (Align::Right, 7);
    let mut table = Table::new(&[(Align::Left, 0), right, right, right, (Align::Left, 0), (Align::Left, 0)]);
    let interval = format!("{:.0} % interval", c.confidence * 100.0);
    table.row(["Figure", "A", "B", "B ÷ A", &interval, "B is"]);
    for row in &c.figures {
        let (ratio, interval) = match row.ratio {
            Some(r) => (format!("{:.3}", r.value), format!("{:.3} to {:.3}", r.low, r.high)),
            None => (plain_ratio(row).map_or(UNKNOWN.to_owned(), |r| format!("{r:.3}")), UNKNOWN.to_owned()),
        };
        let words = match &row.why {
            Some(why) => {
                let number = reasons.iter().position(|known| known == why).unwrap_or_else(|| {
                    reasons.push(why.clone());
                    reasons.len() - 1
                });
                format!("{} ({})", row.words, number + 1)
            }
            None => row.words.clone(),
        };
        table.row([row.name.clone(), figure(row.a), figure(row.b), ratio, interval, words]);
    }
    (reasons, table.lines().collect())
}

fn plain_ratio(row: &Row) -> Option<f64> {
    row.a.zip(row.b).filter(|(a, _)| *a > 0.0).map(|(a, b)| b / a)
}

fn in_short(c: &Comparison) -> String {
    let count = |of: Answer| c.figures.iter().filter(|row| row.answer == of).count();
    let named = [Answer::Faster, Answer::Slower, Answer::Less, Answer::More, Answer::Same, Answer::CannotTell]
        .map(|answer| (count(answer), answer.name()));
    let words: Vec<_> = named.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}")).collect();
    format!("In short: {} of {} figures.", words.join(", "), c.figures.len())
}
