//! A saved run: its folder's journal, read back. The journal is the truth; every report is made from it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{Folder, FolderError, Manifest, Summary, number};
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
    /// How the journal ended; `None` if the run had none to read and told this itself.
    pub end: Option<End>,
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
    /// There is no journal, but the summary of a run whose version kept none, or whose disk was full.
    #[error("{0}: there is no whole journal.bin of this run, only its summary: what takes more cannot be told", .path.display())]
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
        let manifest = Manifest::from_header(&header)?.of_run(&record);
        record.thresholds = checked(&header, &record);
        Ok(Saved { record, manifest, end: Some(end) })
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
        let end = self.end?;
        let moment = number::moment(end.known_until.as_secs_f64());
        let after = match end.how {
            How::Closed => return None,
            How::Cut => "the run was killed or its disk was full (or it is still on)".to_owned(),
            How::Damaged(damage) => words(damage, end.offset),
        };
        Some(format!("the journal ends {moment} after the run began: {after}; what happened later is not known"))
    }
}

fn words(damage: Damage, offset: u64) -> String {
    format!("from octet {offset} on it is damaged ({damage})")
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::metrics::journal::{Closing, Entry, MAGIC, Writer};
    use crate::metrics::{Marks, PlanFacts, Recorder};
    use crate::phone::{Action, Moment, Operation, Outcome};
    use crate::report::Circumstances;

    const WALL: Duration = Duration::from_millis(2_800);

    /// A journal of twelve phones, one of which reports every 200 ms. Entry by entry, so that it can be cut between them.
    fn entries() -> Vec<Entry> {
        let mut recorder = Recorder::new(12, 1.0);
        for phone in 0..12 {
            let at = Duration::from_millis(200) * phone;
            let intended = Moment::from_micros(at.as_micros() as u64);
            recorder.action(at, phone, &Action::Planned(Operation::Report));
            recorder.action(at, phone, &Action::Started { operation: Operation::Report, intended });
            let ended = at + Duration::from_millis(30);
            recorder.action(ended, phone, &Action::Finished(Operation::Report, Outcome::Ok));
        }
        let mut header = Header {
            version: "0.1.0".into(),
            started_at_ms: 1_795_293_834_125,
            plan: PlanFacts { name: "reports".into(), phones: 12, compression: 1.0, ..PlanFacts::default() },
            thresholds: [("operations.report.started", "== 12"), ("phones.total", "< 12"), ("gone.by", "< 1")]
                .map(|(figure, comparison)| (figure.to_owned(), comparison.to_owned()))
                .into(),
            marks: Marks { tls_not_verified: true, ..Marks::default() },
            ..Header::default()
        };
        let started_at = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(header.started_at_ms);
        let circumstances = Circumstances { effective: "seed = 1\n".into(), ..Circumstances::default() };
        header.manifest = Manifest::of(&header.plan, started_at, circumstances).to_text();
        let closing = Closing { wall_us: WALL.as_micros() as u64, marks: header.marks, ..Closing::default() };
        let slices = recorder.finish_slices(WALL).into_iter().map(Entry::Slice);
        std::iter::once(Entry::Header(header)).chain(slices).chain([Entry::Closing(closing)]).collect()
    }

    fn written(entries: &[Entry]) -> Vec<u8> {
        let mut writer = Writer::begin(Vec::new()).unwrap();
        entries.iter().for_each(|entry| writer.put(entry).unwrap());
        writer.into_inner()
    }

    fn folder_with(journal: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(Saved::JOURNAL), journal).unwrap();
        folder
    }

    fn files(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
        let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
        fs::read_dir(folder).unwrap().flatten().map(|e| (name(&e), fs::read(e.path()).unwrap())).collect()
    }

    #[test]
    fn a_whole_journal_tells_the_whole_run() {
        let folder = folder_with(&written(&entries()));
        let saved = Saved::open(folder.path()).unwrap();
        assert_eq!((saved.record.wall, saved.caveat()), (WALL, None));
        assert_eq!(saved.record.tally.totals.operation(Operation::Report).started, 12);
        assert_eq!(saved.manifest.started_at, "2026-11-21T20:43:54Z");
        assert!(saved.manifest.marks.tls_not_verified && !saved.manifest.marks.partial);
        let thresholds: Vec<_> =
            saved.record.thresholds.iter().map(|t| (t.text.as_str(), t.value, t.judgement.passed())).collect();
        assert_eq!(
            thresholds,
            [
                ("operations.report.started == 12", Some(12.0), true),
                ("phones.total < 12", Some(12.0), false),
                ("gone.by < 1", None, false)
            ]
        );
        assert_eq!(Saved::summary(folder.path()).unwrap(), Summary::of(&saved.record));
    }

    /// Whatever was lost or spoilt of the other files, the journal makes them again, octet for octet.
    #[test]
    fn what_is_missing_or_differs_is_rebuilt_as_it_was() {
        let folder = folder_with(&written(&entries()));
        let run = Folder::of_saved(folder.path());
        let all = run.write(&Saved::open(folder.path()).unwrap()).unwrap();
        let before = files(folder.path());
        assert_eq!(before.len(), all.len() + 1);
        for (n, name) in all.iter().enumerate() {
            let path = folder.path().join(name);
            if n % 2 == 0 {
                fs::remove_file(&path).unwrap()
            } else {
                fs::write(&path, "half").unwrap()
            }
            assert_eq!(run.write(&Saved::open(folder.path()).unwrap()).unwrap(), [*name]);
            assert_eq!(files(folder.path()), before);
        }
    }

    /// For every octet: what lies wholly before the cut is told, with a mark that says where it ends, or nothing can be
    /// told and the words say so.
    #[test]
    fn cut_at_any_octet_a_report_is_made_or_refused_in_words() {
        let entries = entries();
        let octets = written(&entries);
        let header_ends = written(&entries[..1]).len();
        let mut told = 0;
        for cut in 0..octets.len() {
            let read = Saved::read(&octets[..cut], Path::new("x/journal.bin"));
            let Ok(saved) = read else {
                let words = read.unwrap_err().to_string();
                assert!(cut < header_ends, "{cut}: {words}");
                assert!(words.starts_with("x/journal.bin: it ends before it says what was run"), "{words}");
                continue;
            };
            assert!(cut >= header_ends);
            let summary = Summary::of(&saved.record);
            assert!(summary.marks.partial && summary.marks.ends_at_s == Some(summary.wall_s), "{cut}");
            let caveat = saved.caveat().unwrap();
            assert!(caveat.contains("the run was killed or its disk was full"), "{caveat}");
            let started = saved.record.tally.totals.operation(Operation::Report).started;
            assert!(started >= told, "{cut}: what is longer tells no less");
            told = started;
        }
        assert_eq!(told, 12);
        assert!(Saved::read(&octets[..], Path::new("x")).unwrap().caveat().is_none());
    }

    #[test]
    fn a_damaged_journal_says_where_and_is_used_up_to_there() {
        let entries = entries();
        let (at, mut octets) = (written(&entries[..3]).len(), written(&entries));
        octets[at + 20] ^= 1;
        let saved = Saved::read(&octets[..], Path::new("x")).unwrap();
        let words = format!(
            "the journal ends 00:00:01.0 after the run began: from octet {at} on it is damaged (the checksum is wrong); \
             what happened later is not known"
        );
        assert_eq!(saved.caveat(), Some(words));
        assert_eq!(saved.record.tally.totals.operation(Operation::Report).started, 5);
    }

    #[test]
    fn what_is_no_saved_run_is_refused_in_clear_words() {
        let root = tempfile::tempdir().unwrap();
        let says = |folder: &Path, words: &str| {
            let said = Saved::open(folder).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        };
        says(&root.path().join("gone"), "gone: there is no such folder; name one that `bootstorm run` wrote");
        says(root.path(), "there is no journal.bin in this folder");
        fs::write(root.path().join("summary.json"), "{}").unwrap();
        says(root.path(), "there is no whole journal.bin of this run, only its summary");
        says(&root.path().join("summary.json"), "there is no such folder");
        let other = [MAGIC.as_slice()[..9].to_vec(), vec![9]].concat();
        for (journal, words) in [
            (b"PK\x03\x04 something else".to_vec(), "journal.bin: this is no journal of bootstorm"),
            (other, "its form is version 9, this bootstorm reads version 2"),
            (Vec::new(), "it ends before it says what was run: the run was killed as it began"),
            (written(&[Entry::Header(Header::default())]), "its header does not say what was run"),
        ] {
            fs::write(root.path().join(Saved::JOURNAL), journal).unwrap();
            says(root.path(), words);
        }
    }

    #[test]
    fn a_run_of_a_version_without_journals_reads_as_it_was_written() {
        let folder = folder_with(&written(&entries()));
        let summary = Saved::summary(folder.path()).unwrap();
        Folder::of_saved(folder.path()).write(&Saved::open(folder.path()).unwrap()).unwrap();
        fs::remove_file(folder.path().join(Saved::JOURNAL)).unwrap();
        assert_eq!(Saved::summary(folder.path()).unwrap(), summary);
    }
}
