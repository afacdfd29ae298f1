//! `bootstorm report`: a saved run, told again from its journal.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Ended, Exit, colour};
use crate::report::{self, Folder, Saved, SavedError, Summary};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The run's folder: results/<UTC>-<workload>, or what --out named
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Print summary.json to stdout instead of the summary for people
    #[arg(long)]
    json: bool,
}

/// Reads the journal, rebuilds what is missing or differs, and prints the summary. A journal that breaks off is told as
/// far as it goes: that is a success, and marked.
pub(super) fn run(args: ReportArgs) -> Result<Exit, Ended> {
    let folder = &args.folder;
    let saved = match Saved::open(folder) {
        Ok(saved) => saved,
        Err(error @ SavedError::SummaryOnly { .. }) => {
            let summary = Folder::read_summary(folder).map_err(Ended::folder)?;
            note(&error.to_string());
            print(&args, &summary, Some(folder))?;
            return Ok(Exit::Passed);
        }
        Err(error) => return Err(Ended::undone(error)),
    };
    if let Some(caveat) = saved.caveat() {
        note(&caveat);
    }
    let written = Folder::of_saved(folder).write(&saved);
    print(&args, &Summary::of(&saved.record), written.is_ok().then_some(folder))?;
    let written = written.map_err(Ended::folder)?;
    if !written.is_empty() {
        note(&format!("rebuilt {}", written.join(", ")));
    }
    Ok(Exit::Passed)
}

fn print(args: &ReportArgs, summary: &Summary, folder: Option<&Path>) -> Result<(), Ended> {
    let text = if args.json {
        serde_json::to_string_pretty(summary).map_err(Ended::undone)? + "\n"
    } else {
        report::render(summary, folder, colour(&io::stdout()))
    };
    super::print(&text)
}

/// What a person should know, and no program reads.
fn note(words: &str) {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "bootstorm: {words}");
}
