//! A run's folder: made before the run begins, so that no figure is lost to a full or forbidden disk afterwards.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sheets::{write_handshakes, write_intervals, write_operations};
use super::summary::SCHEMA_VERSION;
use super::{Saved, Summary, html};

/// The folder of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// What can go wrong with a run's folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The named folder has something in it.
    #[error("{0}: the folder is not empty; name a new one with --out, or empty it", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is a file where the folder should be.
    #[error("{0}: this is a file; name a folder with --out", .path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The folder cannot be made or looked into.
    #[error("{0}: the folder for the results cannot be used ({source}); name another with --out", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{0}: cannot be written ({source}); make room or give leave to write there", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A saved run cannot be read.
    #[error("{0}: cannot be read as a run's summary ({source}); name a folder that `bootstorm run` wrote", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system, or the JSON reader, said.
        source: io::Error,
    },
    /// A saved run was written by a later version, whose figures may mean something else.
    #[error("{0}: written in schema {schema_version} by a later bootstorm; read it with that version", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema.
        schema_version: u32,
    },
}

impl Folder {
    /// Makes the folder a person named. It must not be there yet, or be empty.
    ///
    /// # Errors
    /// If something is in it, it is a file, or it cannot be made.
    pub fn named(path: &Path) -> Result<Folder, FolderError> {
        let path = path.to_owned();
        match fs::read_dir(&path) {
            Ok(mut entries) => match entries.next() {
                None => match try_to_write(&path) {
                    Ok(()) => Ok(Folder { path }),
                    Err(source) => Err(FolderError::Unusable { path, source }),
                },
                Some(_) => Err(FolderError::NotEmpty { path }),
            },
            Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
                // It may be a folder above that is a file.
                let path = path.ancestors().find(|above| above.is_file()).unwrap_or(&path).to_owned();
                Err(FolderError::NotAFolder { path })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => match fs::create_dir_all(&path) {
                Ok(()) => Ok(Folder { path }),
                Err(source) => Err(FolderError::Unusable { path, source }),
            },
            Err(source) => Err(FolderError::Unusable { path, source }),
        }
    }

    /// Makes `<root>/<UTC>-<workload>`, with a number after it if that is there already.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn under(root: &Path, started_at: SystemTime, workload: &str) -> Result<Folder, FolderError> {
        let unusable = |path: &Path, source| FolderError::Unusable { path: path.to_owned(), source };
        fs::create_dir_all(root).map_err(|e| unusable(root, e))?;
        let name = folder_name(started_at, workload);
        let mut path = root.join(&name);
        for n in 2_u32.. {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => path = root.join(format!("{name}-{n}")),
                Err(e) => return Err(unusable(&path, e)),
            }
        }
        Ok(Folder { path })
    }

    /// The folder of a run that was saved.
    pub fn of_saved(path: &Path) -> Folder {
        Folder { path: path.to_owned() }
    }

    /// Takes the folder away again, with the journal that was begun in it: a run that was never made leaves no trace.
    pub fn abandon(&self) {
        let _ = fs::remove_file(self.path.join(Saved::JOURNAL));
        // Only an empty folder goes; if this one does not, a person sees it and loses nothing.
        let _ = fs::remove_dir(&self.path);
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file the run's journal goes to. There is none yet.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make_journal(&self) -> Result<fs::File, FolderError> {
        let path = self.path.join(Saved::JOURNAL);
        fs::File::create_new(&path).map_err(|source| FolderError::Unwritable { path, source })
    }

    /// Takes a journal that does not tell the whole run out of the way of the files that do: it is `journal.cut.bin` now.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn set_journal_aside(&self) -> Result<(), FolderError> {
        let path = self.path.join(Saved::JOURNAL);
        fs::rename(&path, self.path.join("journal.cut.bin")).map_err(|source| FolderError::Unwritable { path, source })
    }

    /// Writes all files but the journal, each whole or not at all: `manifest.json`, `operations.csv`, `intervals.csv`,
    /// `handshakes.csv`, `histograms.hlog`, `report.html` and, last, `summary.json`. What is there already and says the same is left alone.
    ///
    /// Returns the names of those it wrote.
    ///
    /// # Errors
    /// If a file cannot be written, or the journal not be read again.
    pub fn write(&self, saved: &Saved) -> Result<Vec<&'static str>, FolderError> {
        let (manifest, summary) = (&saved.manifest, &Summary::of(&saved.record));
        let mut written = Vec::new();
        let mut put = |name: &'static str, content: &dyn Fn(&mut Vec<u8>) -> io::Result<()>| {
            if self.put(name, content)? {
                written.push(name);
            }
            Ok::<(), FolderError>(())
        };
        put("manifest.json", &|to| json(manifest, to))?;
        put("operations.csv", &|to| Ok(write_operations(summary, to)?))?;
        put("intervals.csv", &|to| Ok(write_intervals(&saved.record.tally.intervals, to)?))?;
        put("handshakes.csv", &|to| Ok(write_handshakes(summary, to)?))?;
        #[cfg(feature = "live")]
        put("histograms.hlog", &|to| super::hlog::write_saved(saved, &self.path, to))?;
        put("report.html", &|to| to.write_all(html::page(&saved.record, summary, manifest).as_bytes()))?;
        // The summary is the last, so that a folder that has one has them all.
        put("summary.json", &|to| json(summary, to))?;
        Ok(written)
    }

    /// Reads the summary of a saved run.
    ///
    /// # Errors
    /// If there is none, it is not one, or it is of a later schema.
    pub fn read_summary(path: &Path) -> Result<Summary, FolderError> {
        let path = path.join("summary.json");
        let read = fs::read_to_string(&path).and_then(|text| Ok(serde_json::from_str::<Summary>(&text)?));
        match read {
            Ok(summary) if summary.schema_version > SCHEMA_VERSION => {
                Err(FolderError::Newer { path, schema_version: summary.schema_version })
            }
            Ok(summary) => Ok(summary),
            Err(source) => Err(FolderError::Unreadable { path, source }),
        }
    }

    /// Writes beside the final name and renames: who looks sees the whole file or none. Says whether it wrote: not if
    /// the same is there already.
    pub(super) fn put(
        &self,
        name: &str,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
    ) -> Result<bool, FolderError> {
        let path = self.path.join(name);
        let beside = self.path.join(format!(".{name}.part"));
        let mut content = Vec::new();
        let put = write(&mut content).and_then(|()| {
            if fs::read(&path).is_ok_and(|there| there == content) {
                return Ok(false);
            }
            let mut file = fs::File::create(&beside)?;
            let written = file.write_all(&content).and_then(|()| file.sync_all());
            let put = written.and_then(|()| fs::rename(&beside, &path));
            if put.is_err() {
                // A disk that is full is the likeliest reason: what is half done goes.
                let _ = fs::remove_file(&beside);
            }
            put.map(|()| true)
        });
        put.map_err(|source| FolderError::Unwritable { path, source })
    }
}

/// Whether a file can be written there: asked before the run, not after it.
fn try_to_write(folder: &Path) -> io::Result<()> {
    let file = folder.join(".bootstorm.part");
    fs::File::create(&file)?.write_all(b"\n")?;
    fs::remove_file(&file)
}

fn json<T: serde::Serialize>(value: &T, to: &mut Vec<u8>) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *to, value)?;
    to.push(b'\n');
    Ok(())
}

/// `20261121T204354Z-mass-reboot`: sorts by time, and needs no quoting in a shell.
fn folder_name(started_at: SystemTime, workload: &str) -> String {
    let utc = humantime::format_rfc3339_seconds(started_at).to_string().replace(['-', ':'], "");
    let name: String =
        workload.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    format!("{utc}-{name}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::metrics::Record;
    use crate::report::Manifest;
    use crate::report::fixture::mass_reboot;
    use crate::report::manifest::{Circumstances, Limits, Machine};

    fn manifest(record: &Record) -> Manifest {
        let machine = Machine {
            cores: 2,
            cpu_model: None,
            kernel: "Linux 6.12".into(),
            memory_bytes: 4_000_000_000,
            architecture: "x86_64".into(),
        };
        let limits =
            Limits { open_files: 1_048_576, max_connections: None, source_addresses: 8, local_ports: Some(28_232) };
        Manifest::of(
            &record.plan,
            record.started_at,
            Circumstances {
                effective: "phones = \"2k\"\n".into(),
                overrides: vec!["phones=2k".into()],
                target: "https://127.0.0.1:8443".into(),
                consent: None,
                machine,
                limits,
            },
        )
    }

    #[test]
    fn a_run_is_written_and_its_summary_read_back() {
        let root = tempfile::tempdir().unwrap();
        let record = mass_reboot();
        let folder = Folder::under(&root.path().join("results"), record.started_at, &record.plan.name).unwrap();
        assert!(folder.path().ends_with("results/20261121T204354Z-mass-reboot"));
        let (summary, manifest) = (Summary::of(&record), manifest(&record));
        let saved = Saved { record, manifest: manifest.clone(), end: None };
        assert_eq!(folder.write(&saved).unwrap().len(), 7);
        assert_eq!(folder.write(&saved).unwrap(), [""; 0], "all of it is there");

        let mut names: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "handshakes.csv",
                "histograms.hlog",
                "intervals.csv",
                "manifest.json",
                "operations.csv",
                "report.html",
                "summary.json"
            ],
            "and nothing half done"
        );
        assert_eq!(Folder::read_summary(folder.path()).unwrap(), summary);
        let text = fs::read_to_string(folder.path().join("manifest.json")).unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&text).unwrap(), manifest);
        assert!(text.contains("\"consent\": null"));
    }

    #[test]
    fn two_runs_of_one_second_do_not_meet() {
        let root = tempfile::tempdir().unwrap();
        let at = SystemTime::UNIX_EPOCH;
        let names = [(); 3].map(|()| {
            let folder = Folder::under(root.path(), at, "a").unwrap();
            folder.path().file_name().unwrap().to_str().unwrap().to_owned()
        });
        assert_eq!(names, ["19700101T000000Z-a", "19700101T000000Z-a-2", "19700101T000000Z-a-3"]);
    }

    #[test]
    fn a_named_folder_is_new_or_empty() {
        let root = tempfile::tempdir().unwrap();
        let named = root.path().join("some/where");
        assert_eq!(Folder::named(&named).unwrap().path(), named);
        assert!(Folder::named(&named).is_ok(), "empty is fine");
        fs::write(named.join("x"), "").unwrap();
        let table = [(named.clone(), "is not empty"), (named.join("x"), "this is a file")];
        for (path, words) in table {
            let error = Folder::named(&path).unwrap_err().to_string();
            assert!(error.starts_with(&path.display().to_string()) && error.contains(words), "{error}");
            assert!(error.contains("--out"), "{error}");
        }
        let beneath = Folder::named(&named.join("x/y")).unwrap_err();
        assert!(
            matches!(&beneath, FolderError::NotAFolder { path } if *path == named.join("x")),
            "the file is named: {beneath}"
        );
    }

    #[test]
    fn an_abandoned_folder_goes_unless_something_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::named(&root.path().join("a")).unwrap();
        folder.abandon();
        assert!(!folder.path().exists());
        let folder = Folder::named(&root.path().join("b")).unwrap();
        fs::write(folder.path().join("x"), "").unwrap();
        folder.abandon();
        assert!(folder.path().join("x").exists());
    }

    #[test]
    fn what_cannot_be_written_or_read_is_named() {
        let root = tempfile::tempdir().unwrap();
        let record = mass_reboot();
        let folder = Folder::named(&root.path().join("gone")).unwrap();
        fs::remove_dir(folder.path()).unwrap();
        let error = folder.write(&Saved { manifest: manifest(&record), record, end: None }).unwrap_err();
        assert!(error.to_string().contains("gone/manifest.json"), "{error}");
        let error = Folder::read_summary(root.path()).unwrap_err().to_string();
        assert!(error.contains("summary.json") && error.contains("bootstorm run"), "{error}");
    }

    #[test]
    fn an_earlier_summary_reads_and_a_later_one_does_not() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("summary.json");
        let summary = Summary::of(&mass_reboot());
        let mut value = serde_json::to_value(&summary).unwrap();
        value["storm"].as_object_mut().unwrap().remove("provisioned_100_s");
        fs::write(&file, value.to_string()).unwrap();
        assert_eq!(Folder::read_summary(root.path()).unwrap(), summary, "it was null anyway");
        value["schema_version"] = 2.into();
        fs::write(&file, value.to_string()).unwrap();
        assert!(matches!(Folder::read_summary(root.path()), Err(FolderError::Newer { schema_version: 2, .. })));
    }

    #[test]
    fn names_need_no_quoting() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
        assert_eq!(folder_name(at, "a b/../ü.x"), "19700101T000001Z-a-b-..--.x");
    }
}
