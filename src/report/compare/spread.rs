//! Several runs of one thing: how far apart their figures lie.

use serde::Serialize;

use super::{Refusal, Run, figures, refuse_invalid};
use crate::report::number::{UNKNOWN, figure};
use crate::report::table::{Align, Table};

/// The figures of runs that were made alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many runs.
    pub runs: usize,
    /// One row for each figure.
    pub figures: Vec<SpreadRow>,
}

/// One figure over all runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpreadRow {
    /// As in `summary.json`.
    pub key: String,
    /// As a person reads it, with the unit.
    pub name: String,
    /// Its value in each run, in order; null where too few samples can tell.
    pub values: Vec<Option<f64>>,
    /// The lowest.
    pub lowest: Option<f64>,
    /// The middle one, or the mean of the two middle ones.
    pub median: Option<f64>,
    /// The highest.
    pub highest: Option<f64>,
}

impl Spread {
    /// Puts the runs' figures beside each other.
    ///
    /// # Errors
    /// If one is invalid and `invalid` are not allowed.
    pub fn of(runs: &[Run], invalid: bool) -> Result<Spread, Refusal> {
        if !invalid {
            runs.iter().try_for_each(refuse_invalid)?;
        }
        let all: Vec<_> = runs.iter().map(|run| figures(&run.saved)).collect();
        let mut names: Vec<(String, String)> = Vec::new();
        for figure in all.iter().flatten() {
            if figure.value.is_some() && !names.iter().any(|(key, _)| *key == figure.key) {
                names.push((figure.key.clone(), figure.name.clone()));
            }
        }
        let rows = names.into_iter().map(|(key, name)| {
            let value = |run: &Vec<super::Figure<'_>>| run.iter().find(|f| f.key == key).and_then(|f| f.value);
            let values: Vec<Option<f64>> = all.iter().map(value).collect();
            let mut known: Vec<f64> = values.iter().flatten().copied().collect();
            known.sort_by(f64::total_cmp);
            let (lowest, highest) = (known.first().copied(), known.last().copied());
            SpreadRow { key, name, values, lowest, median: median(&known), highest }
        });
        Ok(Spread { runs: runs.len(), figures: rows.collect() })
    }

    /// As a person reads it.
    pub fn to_text(&self) -> String {
        let right = (Align::Right, 8);
        let mut table = Table::new(&[(Align::Left, 0), right, right, right, right]);
        let runs = if self.runs == 1 { "1 run".to_owned() } else { format!("{} runs", self.runs) };
        table.row([&runs, "lowest", "median", "highest", "apart"].map(str::to_owned));
        for row in &self.figures {
            let apart = match (row.lowest, row.median, row.highest) {
                (Some(low), Some(median), Some(high)) if median > 0.0 => {
                    format!("{:.1} %", (high - low) / median * 100.0)
                }
                _ => UNKNOWN.to_owned(),
            };
            table.row([row.name.clone(), figure(row.lowest), figure(row.median), figure(row.highest), apart]);
        }
        let lines: Vec<String> = table.lines().collect();
        lines.join("\n") + "\n\napart: from the lowest to the highest, as a share of the median\n"
    }
}

/// The middle of sorted values.
pub(in crate::report) fn median(sorted: &[f64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) { (sorted[middle - 1] + upper) / 2.0 } else { *upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_in_the_middle() {
        for (values, want) in
            [(vec![], None), (vec![3.0], Some(3.0)), (vec![1.0, 2.0], Some(1.5)), (vec![1.0, 2.0, 9.0], Some(2.0))]
        {
            assert_eq!(median(&values), want);
        }
    }
}
