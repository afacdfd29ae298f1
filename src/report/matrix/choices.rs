//! What each choice changes: one value of an axis against the baseline's, over all pairs of variants that differ in
//! nothing else.

use serde::Serialize;

use super::{MARGIN, Row, Told, median};
use crate::report::compare::Sense;
use crate::report::number::figure;

/// One value of an axis, against the baseline's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// The axis.
    pub axis: String,
    /// Its value.
    pub value: String,
    /// The baseline's value.
    pub instead_of: String,
    /// What it changes of each column's figure; null where no two pairs can be told.
    pub changes: Vec<Option<Change>>,
}

/// By how much a figure changes with a choice: ratios, 1 is no change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Pairs of variants that differ in this choice alone.
    pub pairs: usize,
    /// The middle of their ratios.
    pub median: f64,
    /// The lowest.
    pub lowest: f64,
    /// The highest.
    pub highest: f64,
}

impl Change {
    fn of(mut ratios: Vec<f64>) -> Option<Change> {
        ratios.sort_by(f64::total_cmp);
        let ([lowest, .., highest], Some(median)) = (&ratios[..], median(&ratios)) else { return None };
        Some(Change { pairs: ratios.len(), median, lowest: *lowest, highest: *highest })
    }

    /// Whether the middle pair differs by more than what counts as the same.
    pub(in crate::report) fn is_any(&self) -> bool {
        self.median > 1.0 + MARGIN || self.median < 1.0 - MARGIN
    }

    /// Whether every pair is better, or every pair worse; `None` if pairs go both ways or hardly any way.
    pub(in crate::report) fn is_better(&self, sense: Sense) -> Option<bool> {
        let (more, less) = (self.lowest > 1.0 + MARGIN, self.highest < 1.0 - MARGIN);
        (more || less).then_some(less != (sense == Sense::Speed))
    }

    /// The middle, as it stands in a table: `×2.05`.
    pub(in crate::report) fn told(&self) -> String {
        format!("×{}", figure(Some(self.median)))
    }

    /// The range, where there is one: `0.98–3.14`.
    pub(in crate::report) fn spread(&self) -> Option<String> {
        let [low, high] = [self.lowest, self.highest].map(|ratio| figure(Some(ratio)));
        (low != high).then(|| format!("{low}–{high}"))
    }
}

/// The choices of these axes (name and values) that can be told from the rows.
pub(super) fn choices(axes: &[(&str, &[String])], rows: &[Row], columns: &[Told]) -> Vec<Choice> {
    let Some(baseline) = rows.iter().find(|row| row.baseline) else { return Vec::new() };
    let mut choices = Vec::new();
    for (n, (axis, values)) in axes.iter().enumerate() {
        let Some(usual) = baseline.values.get(n) else { continue };
        for value in values.iter().filter(|value| *value != usual) {
            let pairs = pairs(rows, n, value, usual);
            let change = |column: usize| {
                let known = |row: &Row| row.cells[column].median.filter(|figure| *figure > 0.0);
                Change::of(pairs.iter().filter_map(|(a, b)| Some(known(b)? / known(a)?)).collect())
            };
            let changes: Vec<_> = (0..columns.len()).map(change).collect();
            if changes.iter().any(Option::is_some) {
                choices.push(Choice {
                    axis: (*axis).to_owned(),
                    value: value.clone(),
                    instead_of: usual.clone(),
                    changes,
                });
            }
        }
    }
    choices
}

/// Rows that differ in this axis alone: the one with the usual value, and the one with this.
fn pairs<'r>(rows: &'r [Row], axis: usize, value: &str, usual: &str) -> Vec<(&'r Row, &'r Row)> {
    let has = |row: &Row, what: &str| row.values.get(axis).is_some_and(|own| own == what);
    let alike = |a: &Row, b: &Row| a.values.iter().zip(&b.values).enumerate().all(|(n, (a, b))| n == axis || a == b);
    let chosen = rows.iter().filter(|row| has(row, value));
    let of = |b: &'r Row| rows.iter().find(|a| has(a, usual) && alike(a, b)).map(|a| (a, b));
    chosen.filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    fn row(values: [&str; 2], figure: f64) -> Row {
        let cell = Cell { median: Some(figure), ..Cell::default() };
        Row {
            name: values.join(", "),
            folder: values.join("_"),
            values: values.map(str::to_owned).into(),
            baseline: values == ["ecdsa", "1.3"],
            runs: Vec::new(),
            cells: vec![cell],
        }
    }

    #[test]
    fn a_choice_is_told_by_the_pairs_that_differ_in_nothing_else() {
        let rows = [
            row(["ecdsa", "1.3"], 100.0),
            row(["rsa", "1.3"], 300.0),
            row(["ecdsa", "1.2"], 80.0),
            row(["rsa", "1.2"], 160.0),
            // Left out: ecdsa with 1.1.
            row(["rsa", "1.1"], 1.0),
        ];
        let names = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        let (keys, versions) = (names(&["ecdsa", "rsa"]), names(&["1.3", "1.2", "1.1"]));
        let column = Told { key: "x".into(), name: "x".into(), sense: Sense::Amount, counts: false };
        let told = choices(&[("certificate", &keys), ("version", &versions)], &rows, &[column]);
        let of = |n: usize| (told[n].value.as_str(), told[n].instead_of.as_str(), told[n].changes[0].unwrap());
        assert_eq!(of(0), ("rsa", "ecdsa", Change { pairs: 2, median: 2.5, lowest: 2.0, highest: 3.0 }));
        let (value, _, change) = of(1);
        assert_eq!((value, change.pairs, change.told().as_str()), ("1.2", 2, "×0.667"));
        assert_eq!(told.len(), 2, "one pair alone is what the table tells already: {told:?}");
    }

    #[test]
    fn better_is_what_every_pair_says() {
        let change = |lowest, highest| Change { pairs: 4, median: 1.0, lowest, highest };
        assert_eq!(change(1.2, 1.4).is_better(Sense::Amount), Some(false));
        assert_eq!(change(1.2, 1.4).is_better(Sense::Speed), Some(true));
        assert_eq!(change(0.5, 0.9).is_better(Sense::Time), Some(true));
        assert_eq!(change(0.5, 1.4).is_better(Sense::Time), None);
        assert!(!change(0.98, 1.2).is_any() && Change { median: 0.9, ..change(0.8, 1.2) }.is_any());
    }
}
