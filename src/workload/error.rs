//! What can be wrong with a workload, told so that it can be put right: where, which key, what, and what instead.

use std::fmt;

/// Everything found wrong with a workload. Never empty; the problems stand in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadError {
    problems: Vec<Problem>,
}

impl WorkloadError {
    /// An error of these problems, put in order; `None` if there are none.
    pub(crate) fn of(mut problems: Vec<Problem>) -> Option<WorkloadError> {
        problems.sort_by(|a, b| (&a.place, &a.key).cmp(&(&b.place, &b.key)));
        problems.dedup();
        (!problems.is_empty()).then_some(WorkloadError { problems })
    }

    /// The problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for WorkloadError {
    fn from(problem: Problem) -> Self {
        WorkloadError { problems: vec![problem] }
    }
}

impl std::error::Error for WorkloadError {}

impl fmt::Display for WorkloadError {
    /// One line a problem.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// One thing wrong: `file:line: key: what; what would be right`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The key it is about, as `--set` would name it (`fleet.0.count`), or the CSV column; empty if about none.
    pub key: String,
    /// What is wrong. Never holds a password.
    pub what: String,
    /// What would be right, if that can be said.
    pub right: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        // `--set` names the key already.
        let named = matches!(&self.place, Place::Flag(flag) if flag.starts_with("--set "));
        if !self.key.is_empty() && !named {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)?;
        match &self.right {
            Some(right) => write!(f, "; {right}"),
            None => Ok(()),
        }
    }
}

/// Where a problem stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// On the command line (or in the environment): the flag, for example `--set fleet.0.count`.
    Flag(String),
    /// On a line of a file.
    Line {
        /// The file, as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// In a file as a whole.
    File(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Flag(flag) => f.write_str(flag),
            Place::File(file) => f.write_str(file),
            Place::Line { file, line } => write!(f, "{file}:{line}"),
        }
    }
}

/// The candidate nearest to what was typed, if it is near enough to be what was meant.
pub(crate) fn nearest<'c>(typed: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |s: &str| s.to_lowercase().replace(['_', ' '], "-");
    let typed = plain(typed);
    candidates
        .into_iter()
        .map(|c| (strsim::damerau_levenshtein(&typed, &plain(c)), strsim::jaro_winkler(&typed, &plain(c)), c))
        .filter(|&(edits, alike, c)| edits <= 1 + c.chars().count() / 4 || alike > 0.92)
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)))
        .map(|(_, _, c)| c)
}

/// ``did you mean `x`?`` if anything is near, else ``known are `x`, `y` ``.
pub(crate) fn suggest<'c>(typed: &str, candidates: impl IntoIterator<Item = &'c str> + Clone) -> String {
    match nearest(typed, candidates.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", list(candidates)),
    }
}

/// `` `a`, `b`, `c` ``
pub(crate) fn list<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    let words: Vec<String> = words.into_iter().map(|w| format!("`{w}`")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_leaves_strangers_alone() {
        let keys = ["count", "family", "starts-on", "backup-size"];
        for (typed, want) in [
            ("cuont", Some("count")),
            ("Count", Some("count")),
            ("starts_on", Some("starts-on")),
            ("backupsize", Some("backup-size")),
            ("zebra", None),
        ] {
            assert_eq!(nearest(typed, keys), want, "{typed}");
        }
    }
}
