//! `bootstorm compare`: is B faster or slower than A, the same, or can nobody tell?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Ended, Exit};
use crate::report::Saved;
use crate::report::compare::{Comparison, Question, Run};
use crate::report::matrix::Played;

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct CompareArgs {
    /// Folders of saved runs: A B, or A B A2 B2 …; or one folder that `run --repeat --against` wrote
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    question: QuestionArgs,
    /// Compare runs of different workloads
    #[arg(long)]
    allow_different: bool,
    /// Compare invalid runs and parts of runs
    #[arg(long)]
    allow_invalid: bool,
}

/// What several verbs let a person ask of a comparison.
#[derive(Clone, Debug, Args)]
pub(super) struct QuestionArgs {
    /// Compare these figures only, each named by its key or the beginning of it, such as operations.restore; name them
    /// before the runs are made: the fewer they are, the less it takes to tell
    #[arg(long, value_name = "KEY", value_delimiter = ',', help_heading = "Comparison")]
    figures: Vec<String>,
    /// Take figures that differ by less than this as the same
    #[arg(long, value_name = "PERCENT", default_value = "5%", value_parser = share, help_heading = "Comparison")]
    same_within: f64,
    /// End with 99 if B is worse in some figure by more than this for sure: its whole interval lies beyond
    #[arg(long, value_name = "PERCENT", value_parser = share, help_heading = "Comparison")]
    fail_on_regression: Option<f64>,
}

const AFTER: &str = "\
One pair is compared by what its seconds show, five or more interleaved pairs by what the runs show. Runs of different
workloads and invalid runs are refused.

Examples:
  bootstorm compare results/monday results/tuesday
  bootstorm run w.toml --repeat 7 --against tls.resumption=per-phone --out series && bootstorm compare series";

impl QuestionArgs {
    /// As the report floor takes it.
    pub(super) fn question(&self) -> Question {
        Question { figures: self.figures.clone(), margin: self.same_within, ..Question::default() }
    }

    /// Whether anything is asked that only a comparison can answer.
    pub(super) fn is_asked(&self) -> bool {
        !self.figures.is_empty() || self.fail_on_regression.is_some()
    }

    /// From which share on a regression fails.
    pub(super) fn fail_on_regression(&self) -> Option<f64> {
        self.fail_on_regression
    }
}

/// Reads the runs, compares them and prints the answer.
pub(super) fn run(args: CompareArgs) -> Result<Exit, Ended> {
    let (a, b) = sides(&args.folders)?;
    let question = Question {
        allow_different: args.allow_different,
        allow_invalid: args.allow_invalid,
        ..args.question.question()
    };
    let comparison = Comparison::of(&read(&a)?, &read(&b)?, &question).map_err(Ended::usage)?;
    tell(&comparison, args.json)?;
    judge(&comparison, args.question.fail_on_regression)
}

/// Prints the comparison.
pub(super) fn tell(comparison: &Comparison, json: bool) -> Result<(), Ended> {
    if comparison.figures.is_empty() {
        return Err(Ended::usage("--figures: the runs have none of these figures; without --figures all are told"));
    }
    let text = match json {
        true => serde_json::to_string_pretty(comparison).map_err(Ended::undone)? + "\n",
        false => comparison.to_text(),
    };
    super::print(&text)
}

/// How a comparison ends.
pub(super) fn judge(comparison: &Comparison, fail_on_regression: Option<f64>) -> Result<Exit, Ended> {
    let Some(share) = fail_on_regression else { return Ok(Exit::Passed) };
    let worse: Vec<_> = comparison.regressions(share).map(|row| format!("{}: {}", row.key, row.words)).collect();
    if worse.is_empty() {
        return Ok(Exit::Passed);
    }
    let message = format!("worse by more than {} %: {}", share * 100.0, worse.join(", "));
    Err(Ended { exit: Exit::Threshold, message })
}

/// The folders of A's and of B's runs.
fn sides(folders: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Ended> {
    if let [series] = folders {
        return series_of(series);
    }
    if !folders.len().is_multiple_of(2) {
        let n = folders.len();
        return Err(Ended::usage(format!("{n} folders are no pairs: write A B, or A B A2 B2 and so on")));
    }
    let mut seen = BTreeSet::new();
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !seen.insert(real) {
            let folder = folder.display();
            return Err(Ended::usage(format!(
                "{folder}: the same run twice tells nothing of how runs vary; name others"
            )));
        }
    }
    let side = |first: usize| folders.iter().skip(first).step_by(2).cloned().collect();
    Ok((side(0), side(1)))
}

/// The pairs `a-1`, `b-1`, `a-2` … in the folder of a series.
fn series_of(series: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Ended> {
    let pairs = (1..)
        .map(|n| (series.join(format!("a-{n}")), series.join(format!("b-{n}"))))
        .take_while(|(a, b)| a.is_dir() && b.is_dir());
    let (a, b): (Vec<_>, Vec<_>) = pairs.unzip();
    if Played::is_in(series) {
        let series = series.display();
        return Err(Ended::usage(format!(
            "{series}: this is a matrix, whose variants `bootstorm report {series}` compares; or name the folders of two runs"
        )));
    }
    if a.is_empty() {
        let right = "name two saved runs, or the folder that `bootstorm run --repeat N --against KEY=VALUE` wrote";
        return Err(Ended::usage(format!("{}: no pairs of runs in it (a-1, b-1); {right}", series.display())));
    }
    Ok((a, b))
}

/// Reads the runs; of several, without their seconds.
pub(super) fn read(folders: &[PathBuf]) -> Result<Vec<Run>, Ended> {
    let one = |folder: &PathBuf| {
        let run = Run { folder: folder.clone(), saved: Saved::open(folder).map_err(Ended::usage)? };
        Ok(if folders.len() > 1 { run.without_seconds() } else { run })
    };
    folders.iter().map(one).collect()
}

/// `5%`, `2.5 %`, `0.05`: a share of one.
fn share(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.trim().strip_suffix('%') {
        Some(number) => (number.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let share = number.parse::<f64>().ok().map(|n| n / unit).filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "write a share such as 5% or 0.05, below 100%".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_or_parts_of_one() {
        for (text, want) in
            [("5%", Some(0.05)), ("2.5 %", Some(0.025)), ("0.05", Some(0.05)), ("5", None), ("-1%", None), ("x", None)]
        {
            assert_eq!(share(text).ok(), want, "{text}");
        }
    }

    #[test]
    fn folders_go_by_turns() {
        let folders = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let (a, b) = sides(&folders(&["a", "b", "c", "d"])).unwrap();
        assert_eq!((a, b), (folders(&["a", "c"]), folders(&["b", "d"])));
        for (names, told) in
            [(&["a", "b", "c"][..], "3 folders are no pairs"), (&["a", "b", "a", "d"], "a: the same run")]
        {
            let error = sides(&folders(names)).unwrap_err().message;
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn a_series_is_read_as_far_as_it_has_whole_pairs() {
        let root = tempfile::tempdir().unwrap();
        for name in ["a-1", "b-1", "b-2", "a-2", "a-3"] {
            std::fs::create_dir(root.path().join(name)).unwrap();
        }
        let (a, b) = series_of(root.path()).unwrap();
        assert_eq!((a.len(), b.len()), (2, 2));
        assert!(b[1].ends_with("b-2"));
        assert!(series_of(&root.path().join("a-1")).unwrap_err().message.contains("no pairs of runs in it"));
    }
}
