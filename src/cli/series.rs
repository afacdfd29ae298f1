//! Several runs one after another, each a process of its own: none starts with a warm cache, used ports or grown memory
//! of the one before, and each is just what `bootstorm run` alone would be.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::Ended;
use super::child::{Children, Finish, without};

/// Runs that are made from this process's own command line.
pub(super) struct Series<'r> {
    children: Children<'r>,
    /// What all runs are told.
    shared: Vec<OsString>,
    /// How many runs there will be.
    all: usize,
    begun: usize,
}

impl Series<'_> {
    /// A series of so many runs.
    pub(super) fn begin(runtime: &Runtime, all: usize) -> Result<Series<'_>, Ended> {
        let own: Vec<OsString> = std::env::args_os().skip(1).collect();
        let shared = without(&own, &OF_SERIES).into_iter().filter(|argument| argument != "--json").collect();
        Ok(Series { children: Children::new(runtime)?, shared, all, begun: 0 })
    }

    /// Makes one run with these arguments besides those of all, and waits for its end.
    pub(super) fn run(&mut self, name: &str, folder: &Path, more: &[OsString]) -> Result<Finish, Ended> {
        self.begun += 1;
        // With stderr gone there is nobody to tell.
        let _ = writeln!(io::stderr(), "run {} of {}: {name}", self.begun, self.all);
        let replaced: &[&str] = if more.iter().any(|flag| flag == "--target") { &["--target"] } else { &[] };
        let mut arguments = without(&self.shared, replaced);
        arguments.extend(["--out".into(), folder.into()]);
        arguments.extend_from_slice(more);
        self.children.run(name, &arguments, Stdio::inherit())
    }

    /// Waits for so long; says whether nobody interrupted it.
    pub(super) fn rest(&mut self, how_long: Duration) -> bool {
        self.children.rest(how_long)
    }
}

/// Flags with a value that a single run of a series is not told.
const OF_SERIES: [&str; 7] =
    ["--repeat", "--against", "--out", "--format", "--figures", "--same-within", "--fail-on-regression"];

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn what_makes_a_series_is_not_handed_on() {
        let line = "run w.toml --repeat 5 --against=a=1 --set b=2 --out x --format=json -v --seed 3";
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let kept = without(&arguments, &OF_SERIES);
        assert_eq!(kept.join(OsStr::new(" ")), "run w.toml --set b=2 -v --seed 3");
        assert_eq!(without(&kept, &["--seed"]).join(OsStr::new(" ")), "run w.toml --set b=2 -v");
    }
}
