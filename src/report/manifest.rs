//! `manifest.json`: what it takes to understand a run, and to repeat it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::summary::{Marks, SCHEMA_VERSION, Workload};
use crate::metrics::journal::Header;
use crate::metrics::{PlanFacts, Record};

/// What was run, with what, where, and by whose leave. Never holds a password: `effective` is masked before it comes here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// As of `summary.json`.
    pub schema_version: u32,
    /// Version of bootstorm.
    pub version: String,
    /// When the run began: UTC, RFC 3339.
    pub started_at: String,
    /// The workload's name and hash.
    pub workload: Workload,
    /// The effective workload: the file with every override applied, secrets masked (TOML text).
    pub effective: String,
    /// All chance followed from this.
    pub seed: u64,
    /// What the command line and the environment changed, as `KEY=VALUE`, in order.
    pub overrides: Vec<String>,
    /// The origin the phones talked to.
    pub target: String,
    /// Who agreed to the load; null for a loopback target, which needs nobody's leave.
    pub consent: Option<Consent>,
    /// Where it ran.
    pub machine: Machine,
    /// What bounded it.
    pub limits: Limits,
    /// What must be known with every figure.
    pub marks: Marks,
}

/// By whose leave a target that is not on this machine was put under load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// `token` (a file on the target said so) or `authorised-by`.
    pub kind: String,
    /// The token's address, or who authorised it.
    pub by: String,
}

/// The machine of the generator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Processors this process may use.
    pub cores: u32,
    /// Their model, if it is known.
    pub cpu_model: Option<String>,
    /// Operating system and release.
    pub kernel: String,
    /// Main memory, in octets.
    pub memory_bytes: u64,
    /// Its architecture.
    pub architecture: String,
}

/// What bounded the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Most files this process may have open.
    pub open_files: u64,
    /// Most connections open at once; null: as many as open files allow.
    pub max_connections: Option<u64>,
    /// Source addresses the phones connected from; 0: as the system chose.
    pub source_addresses: u64,
    /// Local ports the system gives out per source address; null if that is not known.
    pub local_ports: Option<u64>,
}

/// What a manifest needs that a record does not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Circumstances {
    /// See [`Manifest::effective`].
    pub effective: String,
    /// See [`Manifest::overrides`].
    pub overrides: Vec<String>,
    /// See [`Manifest::target`].
    pub target: String,
    /// See [`Manifest::consent`].
    pub consent: Option<Consent>,
    /// See [`Manifest::machine`].
    pub machine: Machine,
    /// See [`Manifest::limits`].
    pub limits: Limits,
}

impl Manifest {
    /// The manifest of a run that begins under these circumstances.
    pub fn of(plan: &PlanFacts, started_at: SystemTime, circumstances: Circumstances) -> Manifest {
        let Circumstances { effective, overrides, target, consent, machine, limits } = circumstances;
        Manifest {
            schema_version: SCHEMA_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: humantime::format_rfc3339_seconds(started_at).to_string(),
            workload: Workload { name: plan.name.clone(), sha256: plan.sha256.clone() },
            effective,
            seed: plan.seed,
            overrides,
            target,
            consent,
            machine,
            limits,
            marks: Marks::default(),
        }
    }

    /// The same as it is known once the run has ended.
    pub fn of_run(mut self, record: &Record) -> Manifest {
        self.started_at = humantime::format_rfc3339_seconds(record.started_at).to_string();
        self.marks = Marks::of(&record.marks);
        self
    }

    /// As the header of a journal holds it.
    pub fn to_text(&self) -> String {
        // Plain data: it always becomes JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The manifest in the header of a journal.
    ///
    /// # Errors
    /// If there is none.
    pub fn from_header(header: &Header) -> serde_json::Result<Manifest> {
        serde_json::from_str(&header.manifest)
    }
}
