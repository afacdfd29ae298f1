//! From an offset to a line of the file or a flag, and keys as paths.

use std::fmt;
use std::ops::Range;

use super::error::Place;

/// The texts a workload is made of, as one line of offsets: first the file, then every flag.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    file: String,
    text: String,
    flags: Vec<(Range<usize>, String)>,
}

impl Sources {
    /// The sources with no flag yet.
    pub(crate) fn new(file: &str, text: &str) -> Sources {
        Sources { file: file.to_owned(), text: text.to_owned(), flags: Vec::new() }
    }

    /// Makes room for a flag's value of `len` octets; gives the offset where it begins.
    pub(crate) fn add_flag(&mut self, flag: &str, len: usize) -> usize {
        let start = self.flags.last().map_or(self.text.len() + 1, |(r, _)| r.end) + 1;
        self.flags.push((start..start + len + 1, flag.to_owned()));
        start
    }

    /// Where an offset stands.
    pub(crate) fn place(&self, offset: usize) -> Place {
        match self.flags.iter().find(|(range, _)| range.contains(&offset)) {
            Some((_, flag)) => Place::Flag(flag.clone()),
            None => {
                let before = self.text.as_bytes().iter().take(offset);
                Place::Line { file: self.file.clone(), line: 1 + before.filter(|&&b| b == b'\n').count() }
            }
        }
    }

    /// The file as a whole.
    pub(crate) fn whole_file(&self) -> Place {
        Place::File(self.file.clone())
    }
}

/// One step down the tree of keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Into a table.
    Key(String),
    /// Into an array, from 0.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Step {
        Step::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Step {
        Step::Index(index)
    }
}

/// A key with all the keys above it, written as `--set` takes it: `fleet.0.count`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyPath(pub(crate) Vec<Step>);

impl KeyPath {
    /// This path and one step more.
    pub(crate) fn then(&self, step: impl Into<Step>) -> KeyPath {
        let mut steps = self.0.clone();
        steps.push(step.into());
        KeyPath(steps)
    }

    /// Whether the last step is a key whose value nobody should see.
    pub(crate) fn is_secret(&self) -> bool {
        self.0.iter().any(|s| matches!(s, Step::Key(k) if is_secret_key(k)))
    }
}

/// Whether a key of this name holds a secret. `sb` to `sd` are the secret macros of `cisco-mpp`.
pub(crate) fn is_secret_key(key: &str) -> bool {
    // A share of passwords, and no password.
    if key == "password-change" {
        return false;
    }
    let key = key.to_lowercase();
    ["sb", "sc", "sd"].contains(&key.as_str())
        || ["password", "passwd", "pwd", "secret"].iter().any(|word| key.contains(word))
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            match step {
                Step::Index(n) => write!(f, "{n}")?,
                Step::Key(k) if is_bare(k) => f.write_str(k)?,
                Step::Key(k) => write!(f, "{k:?}")?,
            }
        }
        Ok(())
    }
}

/// Whether TOML takes the key without quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A [`KeyPath`] of these steps.
macro_rules! key {
    ($($step:expr),* $(,)?) => {
        $crate::workload::locate::KeyPath(vec![$($crate::workload::locate::Step::from($step)),*])
    };
}
pub(crate) use key;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_fall_on_lines_and_flags() {
        let mut s = Sources::new("w.toml", "a = 1\nb = 2\n");
        let at = s.add_flag("--set a", 3);
        let next = s.add_flag("--seed", 2);
        let line = |line| Place::Line { file: "w.toml".into(), line };
        assert_eq!([s.place(0), s.place(5), s.place(6), s.place(12)], [line(1), line(1), line(2), line(3)]);
        assert_eq!([s.place(at), s.place(at + 3)], [Place::Flag("--set a".into()), Place::Flag("--set a".into())]);
        assert_eq!(s.place(next), Place::Flag("--seed".into()));
    }

    #[test]
    fn keys_are_written_as_set_takes_them() {
        assert_eq!(key!["fleet", 0usize, "settings", "a b"].to_string(), "fleet.0.settings.\"a b\"");
    }
}
