//! The workload file as typed: one struct a section, nothing checked but shape and words.
//!
//! The doc comments here are the reference of the format: `docs/workload.md` and the lists of known
//! keys in error messages are derived from them through the JSON schema.

mod capacity;
mod fleet;
mod matrix;
mod network;
mod phase;
mod run;
mod target;
mod tls;
mod trouble;

pub(crate) use capacity::{CapacitySection, RecoverySection};
pub(crate) use fleet::{CredentialsSection, FleetSection, PeopleSection};
pub(crate) use matrix::{Combine, MatrixSection};
pub(crate) use network::{NetworkSection, TimeoutsSection};
pub(crate) use phase::{ArrivalSection, PhaseSection, PoissonSection, PowerReturnSection, RampSection};
pub(crate) use run::{RunSection, Until};
pub(crate) use target::{AuthSection, EmbeddedSection, OfferName, OnOff, TargetSection};
pub(crate) use tls::{ConnectionsWord, DeviceCertificatesSection, EmbeddedTlsSection, TlsSection};
pub(crate) use trouble::{EventSection, FaultsSection, WorkSection};

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

/// A whole workload file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct File {
    /// The workload's name, as it appears in reports and in the name of the results folder: letters, digits,
    /// `-`, `_` and `.`. Default: the file's name without `.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// All chance follows from this number: the same seed gives the same schedule, on any machine and on any
    /// number of cores.
    pub(crate) seed: u64,
    /// When the run is over, and how fast phone time passes.
    pub(crate) run: RunSection,
    /// What the phones talk to: a server that is there already (`url`), or the embedded one (`embedded`).
    pub(crate) target: TargetSection,
    /// The phones: one `[[fleet]]` for each group of like phones, at least one.
    pub(crate) fleet: Vec<FleetSection>,
    /// What happens to the phones: one `[[phase]]` for each arrival plan.
    pub(crate) phase: Vec<PhaseSection>,
    /// How long a phone waits for what; real time, never compressed.
    pub(crate) timeouts: TimeoutsSection,
    /// Where connections come from, and how many there may be.
    pub(crate) network: NetworkSection,
    /// What the TLS of all phones does, as far as a fleet says nothing else under `[fleet.tls]`.
    pub(crate) tls: TlsSection,
    /// Goals that can fail the run (exit code 99): a figure of `summary.json` on the left, a comparison, or a
    /// list of comparisons, on the right: `phones.failed = "== 0"`, `storm.drain_s = "< 2m"`. The key `expressions` takes
    /// a list of whole expressions: `"exchanges.failed / exchanges.total < 0.1%"`. Bare numbers are in the unit of the
    /// figure's name.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub(crate) thresholds: toml::Table,
    /// The same workload in several variants, side by side.
    #[serde(skip_serializing)]
    pub(crate) matrix: Option<MatrixSection>,
    /// What `bootstorm capacity` searches: the hardest value of one key at which the thresholds are still met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<CapacitySection>,
}

impl Default for File {
    fn default() -> Self {
        File {
            name: None,
            seed: 1,
            run: RunSection::default(),
            target: TargetSection::default(),
            fleet: Vec::new(),
            phase: Vec::new(),
            timeouts: TimeoutsSection::default(),
            network: NetworkSection::default(),
            tls: TlsSection::default(),
            thresholds: toml::Table::new(),
            matrix: None,
            capacity: None,
        }
    }
}

/// The JSON schema of workload files, for editors and for the reference.
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator().into_root_schema_for::<File>()
}
