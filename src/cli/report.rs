//! `bootstorm report`: a saved run, told again from its journal.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::format::FormatArgs;
use super::{Ended, Exit, colour, matrix, note};
use crate::report::capacity;
use crate::report::matrix::Played;
use crate::report::{Folder, Format, Saved, SavedError, Summary, Told};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The folder of a run or of a matrix: results/<UTC>-<workload>, or what --out named
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    format: FormatArgs,
}

/// Reads the journal, rebuilds what is missing or differs, and prints the summary. A journal that breaks off is told as
/// far as it goes: that is a success, and marked.
pub(super) fn run(args: ReportArgs) -> Result<Exit, Ended> {
    let folder = &args.folder;
    if Played::is_in(folder) {
        return matrix::report(folder, args.format.chosen());
    }
    if capacity::is_search(folder) {
        return tell_search(folder, args.format);
    }
    let saved = match Saved::open(folder) {
        Ok(saved) => saved,
        Err(error @ SavedError::SummaryOnly { .. }) => {
            let summary = Folder::read_summary(folder).map_err(Ended::folder)?;
            note(&error.to_string());
            let folder = Some(folder.as_path());
            print(args.format, &Told { summary: &summary, manifest: None, totals: None, folder, colour: false })?;
            return Ok(Exit::Passed);
        }
        Err(error) => return Err(Ended::undone(error)),
    };
    if let Some(caveat) = saved.caveat() {
        note(&caveat);
    }
    let written = Folder::of_saved(folder).write(&saved);
    tell(args.format, &saved, &Summary::of(&saved.record), written.is_ok().then_some(folder))?;
    let written = written.map_err(Ended::folder)?;
    if !written.is_empty() {
        note(&format!("rebuilt {}", written.join(", ")));
    }
    Ok(Exit::Passed)
}

/// A search for capacity: its page and its sheet are made again, and it is printed as it was then.
fn tell_search(folder: &Path, format: FormatArgs) -> Result<Exit, Ended> {
    let json = match format.chosen() {
        Format::Text => false,
        Format::Json => true,
        other => {
            let name = other.name();
            return Err(Ended::usage(format!("--format {name}: a search for capacity is told as text or json")));
        }
    };
    let document = capacity::read(folder).map_err(Ended::folder)?;
    let written = capacity::write(&Folder::of_saved(folder), &document);
    super::capacity::tell(&document, written.is_ok().then_some(folder), json)?;
    let written = written.map_err(Ended::folder)?;
    if !written.is_empty() {
        note(&format!("rebuilt {}", written.join(", ")));
    }
    Ok(Exit::Passed)
}

/// Prints a run in the format that was asked for. `folder`: where it is saved.
pub(super) fn tell(format: FormatArgs, saved: &Saved, summary: &Summary, folder: Option<&Path>) -> Result<(), Ended> {
    let Saved { record, manifest, .. } = saved;
    let totals = Some(&record.tally.totals);
    print(format, &Told { summary, manifest: Some(manifest), totals, folder, colour: false })
}

fn print(format: FormatArgs, told: &Told<'_>) -> Result<(), Ended> {
    let told = Told { colour: colour(&io::stdout()), ..*told };
    super::print(&format.chosen().render(&told).map_err(Ended::undone)?)
}
