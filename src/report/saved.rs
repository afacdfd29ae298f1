//! A saved run: its folder's journal, read back. The journal is the truth; every report is made from it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Folder, FolderError, Manifest, Summary};
use crate::metrics::journal::{Damage, End, Header, How, Reader, Replay, Unreadable};
use crate::metrics::{Record, ThresholdResult};
use crate::workload::Threshold;

/// A finished run as its folder tells it: all that its reports are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// What happened.
    pub record: Record,
    /// What was run, where and by whose leave.
    pub manifest: Manifest,
    /// How the journal ended.
    pub end: End,
}

/// Why a folder cannot be read as a saved run.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The folder is not there, or is none.
    #[error("{0}: there is no such folder; name one that `bootstorm run` wrote", .path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// There is no journal.
    #[error("{0}: there is no journal.bin in this folder; name a folder that `bootstorm run` wrote", .path.display())]
    NoJournal {
        /// The folder.
        path: PathBuf,
    },
    /// There is no journal, but the summary of a run whose version kept none.
    #[error("{0}: this run kept no journal.bin, only its summary: what takes more cannot be told", .path.display())]
    SummaryOnly {
        /// The folder.
        path: PathBuf,
    },
    /// The journal tells nothing.
    #[error("{0}: {source}", .path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Why.
        source: Unreadable,
    },
    /// The journal does not say what was run.
    #[error("{0}: its header does not say what was run ({source}); was it written by a later bootstorm?", .path.display())]
    Manifest {
        /// The journal.
        path: PathBuf,
        /// What the JSON reader said.
        source: serde_json::Error,
    },
    /// A summary without a journal cannot be read.
    #[error(transparent)]
    Summary(#[from] FolderError),
}

impl Saved {
    /// The journal's name in a run's folder.
    pub const JOURNAL: &'static str = "journal.bin";

    /// Reads a run's folder: its journal, to the end or as far as it goes.
    ///
    /// # Errors
    /// If there is no journal, or nothing can be told from it.
    pub fn open(folder: &Path) -> Result<Saved, SavedError> {
        let path = folder.join(Saved::JOURNAL);
        let file = File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                let path = folder.to_owned();
                match () {
                    () if !folder.is_dir() => SavedError::NoFolder { path },
                    () if folder.join("summary.json").is_file() => SavedError::SummaryOnly { path },
                    () => SavedError::NoJournal { path },
                }
            }
            _ => SavedError::Journal { path: path.clone(), source: error.into() },
        })?;
        Saved::read(BufReader::new(file), &path)
    }

    /// Reads a journal, which errors call `path`.
    ///
    /// # Errors
    /// If nothing can be told from it.
    pub fn read(from: impl Read, path: &Path) -> Result<Saved, SavedError> {
        let unreadable = |source| SavedError::Journal { path: path.to_owned(), source };
        let reader = Reader::begin(from).map_err(unreadable)?;
        let replay = Replay::of(reader).map_err(|error| unreadable(error.into()))?;
        Saved::of(replay).map_err(|source| SavedError::Manifest { path: path.to_owned(), source })
    }

    /// A run as its journal tells it.
    ///
    /// # Errors
    /// If the header's manifest is none.
    pub fn of(replay: Replay) -> serde_json::Result<Saved> {
        let Replay { header, mut record, end } = replay;
        let manifest = Manifest::from_header(&header)?.marked(&record.marks);
        record.thresholds = checked(&header, &record);
        Ok(Saved { record, manifest, end })
    }

    /// The summary of a saved run; where it kept no journal, as it was written then.
    ///
    /// # Errors
    /// If there is neither, or nothing can be told from it.
    pub fn summary(folder: &Path) -> Result<Summary, SavedError> {
        match Saved::open(folder) {
            Ok(saved) => Ok(Summary::of(&saved.record)),
            Err(SavedError::SummaryOnly { .. }) => Ok(Folder::read_summary(folder)?),
            Err(error) => Err(error),
        }
    }

    /// What a person must be told if the journal was not closed by its run.
    pub fn caveat(&self) -> Option<String> {
        let moment = moment(self.end.known_until.as_secs());
        let after = match self.end.how {
            How::Closed => return None,
            How::Cut => "the run was killed or its disk was full (or it is still on)".to_owned(),
            How::Damaged(damage) => words(damage, self.end.offset),
        };
        Some(format!("the journal ends at {moment} after the run began: {after}; what happened later is not known"))
    }
}

fn words(damage: Damage, offset: u64) -> String {
    format!("from octet {offset} on it is damaged ({damage})")
}

/// `00:00:42`.
fn moment(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The thresholds, checked on the figures of this run.
fn checked(header: &Header, record: &Record) -> Vec<ThresholdResult> {
    // A summary is plain data: it always becomes JSON.
    let figures = serde_json::to_value(Summary::of(record)).unwrap_or_default();
    let check = |(figure, comparison): &(String, String)| match Threshold::parse(figure, comparison) {
        Ok(threshold) => ThresholdResult::check(&threshold, &figures, &record.marks),
        // A later version's: what cannot be told does not hold.
        Err(_) => ThresholdResult { text: format!("{figure} {comparison}"), ..ThresholdResult::default() },
    };
    header.thresholds.iter().map(check).collect()
}
