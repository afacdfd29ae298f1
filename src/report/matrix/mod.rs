//! A matrix: one workload in several variants, their figures side by side, and which of the differences are real.
//!
//! [`Played`] is what its folder says of it, `columns` what it is told by, [`SideBySide`] the table; it is told as text,
//! Markdown, CSV and JSON, and as a page of its own.

mod choices;
mod columns;
mod markdown;
mod played;
mod runs;
mod sheet;
#[cfg(test)]
pub(in crate::report) mod tests;
mod text;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

pub use self::choices::{Change, Choice};
use self::columns::Column;
pub use self::played::{Played, PlayedAxis, PlayedRun, PlayedVariant};
pub use self::runs::{RunState, RunTold};
use super::compare::{Answer, Measured, Ratio, Sense, judge_runs, median};
use super::number::{self, figure};
use super::{Folder, FolderError, Format, html};

/// Figures that differ by less than this share are the same, as `compare` has it by default.
const MARGIN: f64 = 0.05;

/// Said where there are figures of one kind of handshake.
const OF_KIND: &str = "figures of a handshake are of resumed ones where phones resume, else of full ones";

/// So many runs are named in a note; each run's own page tells why it is not valid.
const NAMED: usize = 3;

/// A matrix as a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SideBySide {
    /// What was played.
    pub matrix: Played,
    /// What it is told by.
    pub columns: Vec<Told>,
    /// The variants, in the order of the file.
    pub rows: Vec<Row>,
    /// What each value of each axis changes, where pairs of variants tell.
    pub choices: Vec<Choice>,
    /// What must be known with every figure.
    pub notes: Vec<String>,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Told {
    /// As in `summary.json`, or an expression of several such figures.
    pub key: String,
    /// As a person reads it, with the unit.
    pub name: String,
    /// Which way is worse.
    #[serde(skip)]
    pub sense: Sense,
    /// Whether it counts something: whole numbers are told as such.
    #[serde(skip)]
    pub counts: bool,
}

impl Told {
    /// One of its values as a person reads it.
    pub(in crate::report) fn figure(&self, value: Option<f64>) -> String {
        match value {
            Some(whole) if self.counts => number::value(whole),
            value => figure(value),
        }
    }

    /// Its name without the unit.
    pub(in crate::report) fn plain(&self) -> &str {
        self.name.split_once(',').map_or(self.name.as_str(), |(name, _)| name)
    }

    /// `1.02–1.31`: the lowest and the highest, where they are told apart.
    pub(in crate::report) fn spread(&self, cell: &Cell) -> Option<String> {
        let [low, high] = [cell.lowest, cell.highest].map(|value| self.figure(value));
        (low != high).then(|| format!("{low}–{high}"))
    }
}

/// One variant.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name for people.
    pub name: String,
    /// Its folder.
    pub folder: String,
    /// Its value of each axis.
    pub values: Vec<String>,
    /// Whether the others are compared with it.
    pub baseline: bool,
    /// Its runs, by round.
    pub runs: Vec<RunTold>,
    /// Its figures, one for each column.
    pub cells: Vec<Cell>,
}

/// One figure of one variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// Its value in each run that counts, by round; null where it cannot be told.
    pub values: Vec<Option<f64>>,
    /// The middle one.
    pub median: Option<f64>,
    /// The lowest.
    pub lowest: Option<f64>,
    /// The highest.
    pub highest: Option<f64>,
    /// This ÷ the baseline's, with its interval, if one can be told.
    pub ratio: Option<Ratio>,
    /// What it is, compared with the baseline; null: it is the baseline, or there is nothing to compare.
    pub answer: Option<Answer>,
    /// The answer in words.
    pub words: Option<String>,
    /// Why it cannot be told.
    pub why: Option<String>,
}

impl Row {
    /// What must be known of its runs, in few words; empty if they are all in order.
    pub fn remark(&self, planned: u32) -> String {
        let mut words = Vec::new();
        for state in [RunState::Invalid, RunState::Accepted, RunState::Partial, RunState::Lost] {
            match self.runs.iter().filter(|run| run.state == state).count() {
                0 => {}
                _ if self.runs.len() == 1 => words.push(state.words().to_owned()),
                n => words.push(format!("{n} {}", state.words())),
            }
        }
        match self.runs.iter().filter(|run| run.crossed).count() {
            0 => {}
            _ if self.runs.len() == 1 => words.push("threshold crossed".to_owned()),
            n => words.push(format!("{n} with a threshold crossed")),
        }
        match (self.runs.len(), planned) {
            (0, _) => words.push("not played".to_owned()),
            (played, planned) if played < planned as usize => words.push(format!("{played} of {planned} runs")),
            _ => {}
        }
        words.join(", ")
    }
}

impl SideBySide {
    /// The matrix in this folder: every run that can be read.
    ///
    /// # Errors
    /// If the folder is no matrix's.
    pub fn open(folder: &Path) -> Result<SideBySide, FolderError> {
        let played = Played::read(folder)?;
        let runs = played.variants.iter().map(|variant| runs::read(folder, &played, variant)).collect();
        Ok(SideBySide::of(played, runs))
    }

    /// A matrix whose variants have these runs.
    pub(in crate::report) fn of(played: Played, runs: Vec<Vec<(RunTold, Option<Value>)>>) -> SideBySide {
        let counted: Vec<&Value> =
            runs.iter().flatten().filter_map(|(told, s)| s.as_ref().filter(|_| told.counts())).collect();
        let columns = columns::columns(&played, &counted);
        // By round: what an invalid run is paired with is not compared either.
        let values = |runs: &[(RunTold, Option<Value>)], column: &Column| -> BTreeMap<u32, Option<f64>> {
            let counted = runs.iter().filter(|(told, _)| told.counts());
            counted.filter_map(|(told, s)| s.as_ref().map(|s| (told.round, column.value(s)))).collect()
        };
        let baseline = played.variants.iter().position(|variant| variant.folder == played.baseline).unwrap_or(0);
        let of_baseline: Vec<_> =
            columns.iter().map(|c| runs.get(baseline).map(|r| values(r, c)).unwrap_or_default()).collect();
        let rows = played.variants.iter().zip(runs).enumerate().map(|(n, (variant, runs))| {
            let own: Vec<_> = columns.iter().map(|column| values(&runs, column)).collect();
            let mut cells: Vec<Cell> =
                own.iter().map(|by_round| Cell::of(by_round.values().copied().collect())).collect();
            if n != baseline && played.repeated() {
                judge(&columns, &of_baseline, &own, &mut cells);
            }
            Row {
                name: variant.name.clone(),
                folder: variant.folder.clone(),
                values: variant.values.clone(),
                baseline: n == baseline,
                runs: runs.into_iter().map(|(told, _)| told).collect(),
                cells,
            }
        });
        let rows: Vec<Row> = rows.collect();
        let mut notes = notes(&played, &rows);
        if columns.iter().any(Column::is_of_kind) {
            notes.push(OF_KIND.to_owned());
        }
        let told = |c: Column| {
            let counts = c.counts();
            Told { key: c.key, name: c.name, sense: c.sense, counts }
        };
        let columns: Vec<Told> = columns.into_iter().map(told).collect();
        let axes: Vec<_> = played.axes.iter().map(|axis| (axis.name.as_str(), &axis.values[..])).collect();
        let choices = choices::choices(&axes, &rows, &columns);
        SideBySide { matrix: played, columns, rows, choices, notes }
    }

    /// The table in this format; it ends with a line's end.
    ///
    /// # Errors
    /// If there is no such table in it, or a value cannot be written.
    pub fn render(&self, format: Format, folder: Option<&Path>) -> io::Result<String> {
        match format {
            Format::Text => Ok(text::render(self, folder)),
            Format::Json => Ok(serde_json::to_string_pretty(self)? + "\n"),
            Format::Csv => sheet::render(self),
            Format::Markdown => Ok(markdown::render(self)),
            other => Err(io::Error::new(io::ErrorKind::Unsupported, other.name())),
        }
    }

    /// Whether a matrix can be told in this format.
    pub const fn takes(format: Format) -> bool {
        matches!(format, Format::Text | Format::Json | Format::Csv | Format::Markdown)
    }

    /// Writes the page beside `matrix.json`; says whether it was not there as it should be.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_page(&self, folder: &Folder) -> Result<bool, FolderError> {
        use std::io::Write as _;
        folder.put("report.html", |to| to.write_all(html::matrix_page(self).as_bytes()))
    }

    /// The row with which the others are compared.
    pub fn baseline(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.baseline)
    }

    /// The names of the columns that say which variant it is: the axes, or one for all of them.
    pub(in crate::report) fn heads(&self) -> Vec<&str> {
        match self.matrix.one_at_a_time {
            true => vec!["variant"],
            false => self.matrix.axes.iter().map(|axis| axis.name.as_str()).collect(),
        }
    }

    /// What stands in them.
    pub(in crate::report) fn place<'r>(&self, row: &'r Row) -> Vec<&'r str> {
        match self.matrix.one_at_a_time {
            true => vec![row.name.as_str()],
            false => row.values.iter().map(String::as_str).collect(),
        }
    }

    /// `24 variants, one run each` and such.
    pub(in crate::report) fn extent(&self) -> String {
        let variants = match self.rows.len() {
            1 => "1 variant".to_owned(),
            n => format!("{n} variants"),
        };
        match self.matrix.repeats {
            1 => format!("{variants}, one run each"),
            n => format!("{variants}, {n} runs each"),
        }
    }
}

impl Cell {
    fn of(values: Vec<Option<f64>>) -> Cell {
        let mut known: Vec<f64> = values.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        let (lowest, highest) = (known.first().copied(), known.last().copied());
        Cell { values, median: median(&known), lowest, highest, ..Cell::default() }
    }
}

/// Compares a variant's figures with the baseline's, round by round.
fn judge(
    columns: &[Column],
    baseline: &[BTreeMap<u32, Option<f64>>],
    own: &[BTreeMap<u32, Option<f64>>],
    cells: &mut [Cell],
) {
    let both = |n: usize| -> (Vec<Option<f64>>, Vec<Option<f64>>) {
        own[n].iter().filter_map(|(round, b)| baseline[n].get(round).map(|a| (*a, *b))).unzip()
    };
    // What one of the two never has, such as resumed handshakes, is nothing to compare.
    let has = |values: &[Option<f64>]| values.iter().any(Option::is_some);
    let measured: Vec<(usize, Measured)> = (0..columns.len())
        .map(|n| (n, both(n)))
        .filter(|(_, (a, b))| has(a) && has(b) && a.len() > 1)
        .map(|(n, (a, b))| {
            (n, Measured { key: columns[n].key.clone(), name: columns[n].name.clone(), sense: columns[n].sense, a, b })
        })
        .collect();
    let (places, measured): (Vec<usize>, Vec<Measured>) = measured.into_iter().unzip();
    for (n, row) in places.into_iter().zip(judge_runs(&measured, MARGIN)) {
        cells[n].ratio = row.ratio;
        cells[n].answer = Some(row.answer);
        cells[n].words = Some(row.words.replace(" times A", " times the baseline"));
        cells[n].why = row.why.map(|why| why.replace("--figures", "matrix.show"));
    }
}

/// What must be known with every figure.
fn notes(played: &Played, rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    for (state, words) in [
        (RunState::Invalid, "invalid, and in none of these figures"),
        (RunState::Accepted, "invalid, and counted all the same, as --accept-invalid says: do not quote these figures"),
        (RunState::Degraded, "degraded: part of these figures may tell of the generator"),
        (RunState::Partial, "only a part of a run, and in none of these figures"),
        (RunState::Lost, "cannot be read"),
    ] {
        let runs: Vec<&RunTold> = rows.iter().flat_map(|row| &row.runs).filter(|run| run.state == state).collect();
        let Some(first) = runs.first() else { continue };
        let folders: Vec<&str> = runs.iter().take(NAMED).map(|run| run.folder.as_str()).collect();
        let more = if runs.len() > NAMED { format!(" and {} more", runs.len() - NAMED) } else { String::new() };
        let why = first.reasons.first().map_or_else(String::new, |why| format!("; the first, because {why}"));
        notes.push(format!("{words}: {}{more}{why}", folders.join(", ")));
    }
    let wanted = played.variants.len() * played.repeats as usize;
    if played.runs.len() < wanted {
        notes.push(format!("{} of {wanted} runs were made", played.runs.len()));
    }
    if !played.repeated() && rows.len() > 1 {
        notes.push(
            "one run each: how much of a difference is chance cannot be told (--set matrix.repeats=5 or more tells)"
                .to_owned(),
        );
    } else if played.repeated() {
        notes.push(
            "figures are medians of the runs, beside them the lowest and the highest; each variant is compared with the \
             baseline as `bootstorm compare` would, over all figures of its row"
                .to_owned(),
        );
    }
    let other = |key: &str| {
        let first = key.split('.').next().unwrap_or_default();
        ["phase", "fleet", "run", "seed"].contains(&first)
    };
    let keys: Vec<&str> =
        played.axes.iter().flat_map(|a| &a.keys).map(String::as_str).filter(|key| other(key)).collect();
    if !keys.is_empty() {
        notes.push(format!(
            "variants may differ in what the phones do, not only in how they are served: {}",
            keys.join(", ")
        ));
    }
    notes
}
