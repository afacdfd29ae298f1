//! `bootstorm run --repeat N [--against …]`: several runs of one workload, by turns with another setting.
//!
//! The order is A B, B A, A B …: what changes with the hour falls on both alike.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use tokio::runtime::Runtime;

use super::child::Finish;
use super::compare::{self, QuestionArgs};
use super::series::Series;
use super::workload::WorkloadArgs;
use super::{Ended, Exit};
use crate::report::compare::{Comparison, Difference, Differences, Question, Spread};
use crate::report::{Folder, Format};
use crate::workload::Plan;

/// Arguments of `run` that ask for a series.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct SeriesArgs {
    /// Make this many runs, or pairs of runs with --against, each in a folder of its own, and compare them; seven pairs
    /// tell most differences
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Comparison")]
    repeat: Option<u32>,
    /// Compare with this setting: overrides as --set takes them, with spaces between; target=URL names another server
    #[arg(long, value_name = "KEY=VALUE …", requires = "repeat", help_heading = "Comparison")]
    against: Vec<String>,
    #[command(flatten)]
    question: QuestionArgs,
}

/// What a series needs to know of the `run` it repeats.
pub(super) struct Repeated<'a> {
    pub(super) workload: &'a WorkloadArgs,
    /// Makes the folder of the series.
    pub(super) folder: &'a dyn Fn() -> Result<Folder, Ended>,
    pub(super) format: Format,
}

/// One of the two settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    A,
    B,
}

/// A run that was made, or tried.
#[derive(Debug)]
struct Attempt {
    folder: PathBuf,
    side: Side,
    pair: u32,
    finish: Finish,
}

impl SeriesArgs {
    /// Whether a series is asked for.
    ///
    /// # Errors
    /// If it is not, but what only makes sense of one.
    pub(super) fn wanted(&self) -> Result<bool, Ended> {
        if self.repeat.is_none() && self.question.is_asked() {
            return Err(Ended::usage(
                "--figures and --fail-on-regression are about a comparison: add --repeat and --against",
            ));
        }
        Ok(self.repeat.is_some())
    }

    /// How many runs of each variant of a matrix are asked for, if any number is.
    ///
    /// # Errors
    /// If a comparison is asked for, which the matrix makes by itself.
    pub(super) fn of_matrix(&self) -> Result<Option<u32>, Ended> {
        if !self.against.is_empty() {
            return Err(Ended::usage(
                "--against: the workload has a [matrix], which compares its variants already; make this setting one of \
                 its values, or name one variant with --variant",
            ));
        }
        if self.question.is_asked() {
            return Err(Ended::usage(
                "--figures and --fail-on-regression are not for a [matrix]: name figures with matrix.show, and compare \
                 two of its variants with `bootstorm compare`",
            ));
        }
        Ok(self.repeat)
    }

    /// What B's runs are told besides what A's are.
    fn overrides(&self) -> Vec<OsString> {
        self.against.iter().flat_map(|text| assignments(text)).flat_map(|set| as_flag(&set)).collect()
    }

    /// Refuses at once what the comparison would refuse after all the runs.
    fn check(&self, workload: &WorkloadArgs, a: &Plan) -> Result<(), Ended> {
        let sets: Vec<String> = self.against.iter().flat_map(|text| assignments(text)).collect();
        if self.against.is_empty() {
            return Ok(());
        }
        let b = workload.changed(&sets).load()?;
        let differences = Differences::of_texts(&a.effective, &b.effective);
        if !differences.comparable() {
            let lines: Vec<_> = differences.forbidden.iter().map(Difference::to_string).collect();
            return Err(Ended::usage(format!(
                "--against: that is another workload, so every figure would differ for that reason alone: {}",
                lines.join("; ")
            )));
        }
        if a.sha256 == b.sha256 {
            tracing::warn!("--against changes nothing: A and B are the same, and so should be their figures");
        }
        Ok(())
    }
}

/// Checks what is asked for, makes the runs and tells what came of them.
pub(super) fn run(args: &SeriesArgs, of: &Repeated<'_>, plan: &Plan, runtime: &Runtime) -> Result<Exit, Ended> {
    let json = match of.format {
        Format::Text => false,
        Format::Json => true,
        other => {
            let name = other.name();
            return Err(Ended::usage(format!("--format {name}: a series of runs is told as text or json")));
        }
    };
    args.check(of.workload, plan)?;
    let folder = (of.folder)()?;
    let attempts = make(args, folder.path(), runtime).inspect_err(|_| folder.abandon())?;
    let told = tell(args, &attempts, folder.path(), json);
    end(&attempts, told)
}

/// Makes the runs, one after another, until all are made or one says that there is no use in going on.
fn make(args: &SeriesArgs, parent: &Path, runtime: &Runtime) -> Result<Vec<Attempt>, Ended> {
    let order = order(args.repeat.unwrap_or(1), !args.against.is_empty());
    let mut series = Series::begin(runtime, order.len())?;
    let mut attempts = Vec::new();
    for (pair, side) in order {
        let name = if args.against.is_empty() { format!("run-{pair}") } else { format!("{}-{pair}", side.letter()) };
        let folder = parent.join(&name);
        let other = if side == Side::B { args.overrides() } else { Vec::new() };
        let finish = series.run(&name, &folder, &other)?;
        attempts.push(Attempt { folder, side, pair, finish });
        // If even the first ones are invalid, the rest will be no better.
        let first = attempts.iter().filter(|attempt| attempt.pair == 1).count();
        let hopeless = attempts.len() == first && attempts.iter().any(|attempt| attempt.finish == Finish::Invalid);
        if finish == Finish::Interrupted || hopeless {
            break;
        }
    }
    Ok(attempts)
}

/// Tells what the runs came to: those that can be used.
fn tell(args: &SeriesArgs, attempts: &[Attempt], parent: &Path, json: bool) -> Result<Exit, Ended> {
    let made = |attempt: &&Attempt| matches!(attempt.finish, Finish::Made { .. });
    if args.against.is_empty() {
        let folders: Vec<PathBuf> = attempts.iter().filter(made).map(|a| a.folder.clone()).collect();
        if folders.is_empty() {
            return Ok(Exit::Passed);
        }
        let runs: Vec<_> = compare::read(&folders)?.into_iter().map(|run| run.without_seconds()).collect();
        let spread = Spread::of(&runs, true).map_err(Ended::usage)?;
        let text = match json {
            true => serde_json::to_string_pretty(&spread).map_err(Ended::undone)? + "\n",
            false => format!("{}\nSaved in {}\n", spread.to_text(), parent.display()),
        };
        return super::print(&text).map(|()| Exit::Passed);
    }
    let side = |pair: u32, side: Side| {
        let found = attempts.iter().filter(made).find(|a| a.pair == pair && a.side == side);
        found.map(|attempt| attempt.folder.clone())
    };
    let pairs = (1..=args.repeat.unwrap_or(1)).filter_map(|n| side(n, Side::A).zip(side(n, Side::B)));
    let (a, b): (Vec<_>, Vec<_>) = pairs.unzip();
    if a.is_empty() {
        return Ok(Exit::Passed);
    }
    // An invalid run that was accepted is one that was asked for.
    let question = Question { allow_invalid: true, ..args.question.question() };
    let comparison = Comparison::of(&compare::read(&a)?, &compare::read(&b)?, &question).map_err(Ended::usage)?;
    compare::tell(&comparison, json)?;
    if !json {
        super::print(&format!("\nSaved in {}\n", parent.display()))?;
    }
    compare::judge(&comparison, args.question.fail_on_regression())
}

/// How the series ends: what spoils it most comes first.
fn end(attempts: &[Attempt], told: Result<Exit, Ended>) -> Result<Exit, Ended> {
    let named = |which: fn(Finish) -> bool| {
        let names = attempts.iter().filter(|attempt| which(attempt.finish));
        names.map(|a| a.folder.display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let interrupted = named(|finish| finish == Finish::Interrupted);
    if !interrupted.is_empty() {
        let message = format!("interrupted in {interrupted}: only whole pairs before it are compared");
        return Err(Ended { exit: Exit::Interrupted, message });
    }
    let invalid = named(|finish| finish == Finish::Invalid);
    if !invalid.is_empty() {
        let message = format!("invalid, and left out with what it is paired with: {invalid}");
        return Err(Ended { exit: Exit::Invalid, message });
    }
    let exit = told?;
    let crossed = named(|finish| finish == Finish::Made { crossed: true });
    if !crossed.is_empty() {
        let message = format!("thresholds were crossed in {crossed}");
        return Err(Ended { exit: Exit::Threshold, message });
    }
    Ok(exit)
}

impl Side {
    const fn letter(self) -> char {
        match self {
            Side::A => 'a',
            Side::B => 'b',
        }
    }
}

/// Which run comes when: A B, B A, A B … or, without B, one after another. The first pair is 1.
fn order(pairs: u32, both: bool) -> Vec<(u32, Side)> {
    let of_pair = |pair: u32| match (both, pair % 2) {
        (false, _) => vec![(pair, Side::A)],
        (true, 1) => vec![(pair, Side::A), (pair, Side::B)],
        (true, _) => vec![(pair, Side::B), (pair, Side::A)],
    };
    (1..=pairs).flat_map(of_pair).collect()
}

/// `a.b=1 c.d=x y` is `a.b=1` and `c.d=x y`: a new one begins where a word has a key before its `=`.
fn assignments(text: &str) -> Vec<String> {
    let is_key = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_alphabetic())
            && key.chars().all(|c| c.is_ascii_alphanumeric() || ".-_\"".contains(c))
    };
    let mut all: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match all.last_mut() {
            Some(last) if !word.split_once('=').is_some_and(|(key, _)| is_key(key)) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => all.push(word.to_owned()),
        }
    }
    all
}

/// The assignment as `run` takes it: `target=URL` is `--target URL`, all else `--set`.
fn as_flag(set: &str) -> [OsString; 2] {
    match set.strip_prefix("target=") {
        Some(url) => ["--target".into(), url.into()],
        None => ["--set".into(), set.into()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_balanced() {
        let told = |pairs, both| {
            let runs = order(pairs, both);
            runs.iter().map(|(pair, side)| format!("{}{pair}", side.letter())).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(told(3, true), "a1 b1 b2 a2 a3 b3");
        assert_eq!(told(2, false), "a1 a2");
    }

    #[test]
    fn overrides_are_told_apart_by_their_keys() {
        for (text, want) in [
            ("tls.resumption=none", &["tls.resumption=none"][..]),
            ("a.b=1 c-d=2", &["a.b=1", "c-d=2"]),
            ("target.embedded.auth.realm=Our phones x.y=1", &["target.embedded.auth.realm=Our phones", "x.y=1"]),
            ("target=https://h/a?b=c", &["target=https://h/a?b=c"]),
            ("", &[]),
        ] {
            assert_eq!(assignments(text), want, "{text}");
        }
        assert_eq!(as_flag("target=https://h/"), ["--target", "https://h/"]);
        assert_eq!(as_flag("target.url=https://h/"), ["--set", "target.url=https://h/"]);
    }
}
