//! From the file as typed to the plan as meant: every value checked, every problem told with its line.

mod capacity;
mod fleet;
mod network;
mod phase;
mod target;
mod tls;
mod trouble;

use std::path::Path;

use crate::phone::Registration;

use super::document::Document;
use super::effective;
use super::error::{Problem, WorkloadError};
use super::file::{File, RunSection};
use super::keys::{FamilySettings, Node};
use super::locate::{KeyPath, Step, key};
use super::{End, Overrides, Plan, Threshold, ThresholdError};

/// What is needed to give the file its meaning, and what has been found wrong with it so far.
pub(crate) struct Meaning<'a> {
    /// The file's text with its places.
    pub(crate) doc: &'a Document<'a>,
    /// Every key there is.
    pub(crate) keys: &'a Node,
    /// Every family's settings.
    pub(crate) settings: &'a [FamilySettings],
    /// The families.
    pub(crate) families: &'a [Registration],
    /// What relative paths start from.
    pub(crate) base: &'a Path,
    /// The flags.
    pub(crate) overrides: &'a Overrides,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
}

impl Meaning<'_> {
    /// Tells a problem with the value at `path`.
    pub(crate) fn say(&mut self, path: &KeyPath, what: impl Into<String>, right: impl Into<String>) {
        self.problems.push(self.doc.problem(path, what, right));
    }

    /// The plan a file means. Counts are scaled in the file itself, so that the effective workload says them.
    pub(crate) fn plan(mut self, mut file: File) -> Result<Plan, WorkloadError> {
        let name = self.name(&key!["name"], file.name.as_deref().unwrap_or_default());
        if i64::try_from(file.seed).is_err() {
            self.say(&key!["seed"], format!("{} is too large", file.seed), format!("at most {}", i64::MAX));
        }
        let said = tls::inherit(&mut file);
        let (fleets, lists) = self.fleets(&mut file.fleet);
        let target = self.target(&file.target);
        let fallback = self.fallback(&file.target);
        if let Some(target) = &target {
            self.fit(&fleets, target);
        }
        let phases = self.phases(&file);
        let end = self.end(&file);
        let compression = self.compression(&file.run);
        let timeouts = self.timeouts(&file.timeouts);
        let network = self.network(&file.network, target.as_ref());
        let tls = self.tls(&mut file, &said, &fleets);
        let thresholds = self.thresholds(&file.thresholds);
        let capacity = self.capacity(&file);
        if let (Some(target), true) = (target, self.problems.is_empty()) {
            let (effective, sha256) = effective::text(&file, &lists);
            let seed = file.seed;
            return Ok(Plan {
                name,
                sha256,
                effective,
                seed,
                fleets,
                target,
                fallback,
                phases,
                compression,
                end,
                timeouts,
                network,
                tls,
                thresholds,
                capacity,
            });
        }
        // A target that is missing has been told, so there is a problem.
        let fallback = || WorkloadError::from(self.doc.problem(&key!["target"], "cannot be used", ""));
        Err(WorkloadError::of(std::mem::take(&mut self.problems)).unwrap_or_else(fallback))
    }

    /// A name that may stand in a path and in a figure.
    fn name(&mut self, path: &KeyPath, name: &str) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(fits) || name.starts_with('.') {
            let right = "a name has 1 to 64 letters, digits, `-`, `_` or `.`, and does not begin with `.`";
            self.say(path, format!("`{name}` is no name"), right);
        }
        name.to_owned()
    }

    fn end(&mut self, file: &File) -> End {
        let run = &file.run;
        let (path, time, end) = match run.duration {
            Some(duration) => (key!["run", "duration"], duration.0, End::After(duration.0)),
            None => (key!["run", "limit"], run.limit.0, End::Settled { limit: run.limit.0 }),
        };
        if run.duration.is_some() && run.until.is_some() {
            self.say(&key!["run", "until"], "`until` and `duration` exclude each other", "leave one of them");
        }
        if time.is_zero() {
            self.say(&path, "the run would end at once", "give it some time, for example \"10m\"");
        } else if let Some((n, last)) = file.phase.iter().enumerate().max_by_key(|(_, p)| p.at.0)
            && last.at.0 >= time
        {
            let name = last.name.as_deref().unwrap_or_default();
            let what = format!("the run ends at {}, before phase `{name}` begins", humantime::format_duration(time));
            self.say(&path, what, format!("phase.{n}.at is {}", humantime::format_duration(last.at.0)));
        }
        end
    }

    fn compression(&mut self, run: &RunSection) -> f64 {
        if !(run.compression.is_finite() && run.compression > 0.0 && run.compression <= 100_000.0) {
            let right = "1 is real time, 600 plays ten hours in a minute; at most 100000";
            self.say(&key!["run", "compression"], format!("{} is no factor", run.compression), right);
        }
        run.compression
    }

    /// `phones.failed = "== 0"`, with the figure in quotes or not, alone or as a list; and whole expressions in a list.
    fn thresholds(&mut self, table: &toml::Table) -> Vec<Threshold> {
        let mut found = Vec::new();
        self.thresholds_below(table, &key!["thresholds"], &mut found);
        found
    }

    fn thresholds_below(&mut self, table: &toml::Table, above: &KeyPath, found: &mut Vec<Threshold>) {
        for (key, value) in table {
            let path = above.then(key.as_str());
            if path == key!["thresholds", "expressions"] {
                for (path, text) in each(value, &path) {
                    self.threshold(&path, Threshold::parse_whole(&text), found);
                }
                continue;
            }
            let steps = path.0.iter().skip(1).filter_map(|s| match s {
                Step::Key(key) => Some(key.as_str()),
                Step::Index(_) => None,
            });
            let figure = steps.collect::<Vec<_>>().join(".");
            if let toml::Value::Table(below) = value {
                self.thresholds_below(below, &path, found);
                continue;
            }
            for (_, goal) in each(value, &path) {
                let parsed = Threshold::parse(&figure, &goal);
                let is_known = !matches!(parsed, Err(ThresholdError::NoFigure { .. }));
                self.threshold(&path, parsed, found);
                if !is_known {
                    break;
                }
            }
        }
    }

    fn threshold(&mut self, path: &KeyPath, parsed: Result<Threshold, ThresholdError>, found: &mut Vec<Threshold>) {
        match parsed {
            Ok(threshold) => found.push(threshold),
            Err(ThresholdError::NoFigure { right, .. }) => self.say(path, "the summary has no such figure", right),
            Err(wrong) => {
                let told = wrong.to_string();
                let (what, right) = told.split_once("; ").unwrap_or((&told, ""));
                self.say(path, what, right);
            }
        }
    }
}

/// The texts of a list, or the one text there is, each with its place.
fn each(value: &toml::Value, path: &KeyPath) -> Vec<(KeyPath, String)> {
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match value {
        toml::Value::Array(several) => several.iter().enumerate().map(|(n, v)| (path.then(n), text(v))).collect(),
        one => vec![(path.clone(), text(one))],
    }
}
