//! `matrix.json`: what a matrix varies, and which runs of it there are. Written before the first run and after each, so
//! that whatever is done can be told, however it ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::report::{Folder, FolderError};
use crate::workload::{Formula, Matrix};

/// The version of the form. It changes when a key changes its meaning or goes; never when one is added.
const SCHEMA_VERSION: u32 = 1;

/// A matrix as its folder has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Played {
    /// `report::SCHEMA_VERSION` of the build that wrote it.
    pub schema_version: u32,
    /// Version of bootstorm that wrote it.
    pub version: String,
    /// The workload's name.
    pub workload: String,
    /// All variants are played on this seed, unless they vary it.
    pub seed: u64,
    /// When the first run began: UTC, RFC 3339, whole seconds.
    pub started_at: String,
    /// What is varied.
    pub axes: Vec<PlayedAxis>,
    /// Whether each variant differs from the baseline in one axis at most.
    pub one_at_a_time: bool,
    /// The folder of the variant with which the others are compared.
    pub baseline: String,
    /// How many runs of each there were to be.
    pub repeats: u32,
    /// Whether they were played in rounds, each in an order of its own.
    pub interleaved: bool,
    /// How long the machine rested between two runs, in seconds.
    pub rest_s: f64,
    /// Figures the table is to show; what goes with the workload, if empty.
    pub show: Vec<String>,
    /// The variants, in the order of the file.
    pub variants: Vec<PlayedVariant>,
    /// The runs that were made or tried, in the order in which they were.
    pub runs: Vec<PlayedRun>,
}

/// An axis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlayedAxis {
    /// What it is called.
    pub name: String,
    /// What its values are called.
    pub values: Vec<String>,
    /// The keys any of them sets.
    pub keys: Vec<String>,
}

/// A variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlayedVariant {
    /// Its name for people.
    pub name: String,
    /// Its folder; its runs are `run-1`, `run-2`, … in it.
    pub folder: String,
    /// Its value of each axis.
    pub values: Vec<String>,
    /// What it sets: `KEY=VALUE` each, as `--set` takes it, secrets masked.
    pub sets: Vec<String>,
    /// SHA-256 (hex) of its effective workload.
    pub sha256: String,
}

/// A run that was made or tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlayedRun {
    /// The folder of its variant.
    pub variant: String,
    /// Which round, from 1.
    pub round: u32,
    /// How it ended: `made`, `threshold` (made, and a threshold was crossed), `invalid`, `interrupted`.
    pub ended: String,
}

impl Played {
    /// Its file in the matrix's folder.
    pub const FILE: &'static str = "matrix.json";

    /// A matrix of which nothing is played yet.
    pub fn of(matrix: &Matrix, workload: &str, started_at: SystemTime) -> Played {
        let axis = |axis: &crate::workload::Axis| PlayedAxis {
            name: axis.name.clone(),
            values: axis.values.clone(),
            keys: axis.keys.clone(),
        };
        let variant = |variant: &crate::workload::Variant| PlayedVariant {
            name: variant.name.clone(),
            folder: variant.id.clone(),
            values: variant.values.iter().zip(&matrix.axes).map(|(pick, axis)| axis.values[*pick].clone()).collect(),
            sets: variant.sets.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            sha256: variant.plan.sha256.clone(),
        };
        Played {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workload: workload.to_owned(),
            seed: matrix.seed,
            started_at: humantime::format_rfc3339_seconds(started_at).to_string(),
            axes: matrix.axes.iter().map(axis).collect(),
            one_at_a_time: matrix.one_at_a_time,
            baseline: matrix.variants.get(matrix.baseline).map(|v| v.id.clone()).unwrap_or_default(),
            repeats: matrix.repeats,
            interleaved: matrix.interleaved,
            rest_s: matrix.rest.as_secs_f64(),
            show: matrix.show.iter().map(Formula::to_string).collect(),
            variants: matrix.variants.iter().map(variant).collect(),
            runs: Vec::new(),
        }
    }

    /// Whether this folder is a matrix's.
    pub fn is_in(folder: &Path) -> bool {
        folder.join(Played::FILE).is_file()
    }

    /// Reads it from a matrix's folder.
    ///
    /// # Errors
    /// If it is not there, it is none, or it is of a later version.
    pub fn read(folder: &Path) -> Result<Played, FolderError> {
        let path = folder.join(Played::FILE);
        let read = fs::read_to_string(&path).and_then(|text| Ok(serde_json::from_str::<Played>(&text)?));
        match read {
            Ok(played) if played.schema_version > SCHEMA_VERSION => {
                Err(FolderError::Newer { path, schema_version: played.schema_version })
            }
            Ok(played) => Ok(played),
            Err(source) => Err(FolderError::Unreadable { path, source }),
        }
    }

    /// Writes it into a matrix's folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Folder) -> Result<(), FolderError> {
        folder.put(Played::FILE, |to| {
            serde_json::to_writer_pretty(&mut *to, self)?;
            to.push(b'\n');
            Ok(())
        })?;
        Ok(())
    }

    /// Takes away what a matrix of which no run was made leaves; anything else in its folder stays.
    pub fn abandon(&self, folder: &Folder) {
        let _ = fs::remove_file(folder.path().join(Played::FILE));
        for variant in &self.variants {
            // Only an empty folder goes.
            let _ = fs::remove_dir(folder.path().join(&variant.folder));
        }
        folder.abandon();
    }

    /// The folder of one run, in that of the matrix.
    pub fn run_folder(variant: &str, round: u32) -> PathBuf {
        Path::new(variant).join(format!("run-{round}"))
    }

    /// Whether each variant was to be played more than once.
    pub fn repeated(&self) -> bool {
        self.repeats > 1
    }
}
