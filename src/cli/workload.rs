//! The workload and its overrides, as several verbs take them.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use crate::workload::{self, Overrides, Plan};

/// A workload file and what the command line changes about it.
#[derive(Clone, Debug, Args)]
pub(super) struct WorkloadArgs {
    /// The workload file (TOML)
    #[arg(value_name = "WORKLOAD")]
    pub(super) file: PathBuf,
    /// Play against this server instead of the workload's target, such as https://127.0.0.1:8443/folder
    #[arg(long, value_name = "URL", env = "BOOTSTORM_TARGET")]
    target: Option<String>,
    /// Scale the fleets to this many phones in all, such as 500 or 20k
    #[arg(long, value_name = "N", env = "BOOTSTORM_PHONES", value_parser = count)]
    phones: Option<u32>,
    /// Let all chance follow from this number
    #[arg(long, value_name = "S", env = "BOOTSTORM_SEED")]
    seed: Option<u64>,
    /// Override any key, such as fleet.0.count=500 or tls.resumption=per-phone; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    sets: Vec<String>,
}

impl WorkloadArgs {
    /// The plan these arguments mean.
    pub(super) fn load(&self) -> Result<Plan, Ended> {
        workload::load(&self.file, &self.overrides()).map_err(Ended::usage)
    }

    /// What the command line changed, for the manifest.
    pub(super) fn changes(&self) -> Vec<String> {
        let target = self.target.iter().map(|t| format!("--target {t}"));
        let phones = self.phones.iter().map(|n| format!("--phones {n}"));
        let seed = self.seed.iter().map(|s| format!("--seed {s}"));
        target.chain(phones).chain(seed).chain(self.sets.iter().map(|s| format!("--set {s}"))).collect()
    }

    fn overrides(&self) -> Overrides {
        Overrides { target: self.target.clone(), phones: self.phones, seed: self.seed, sets: self.sets.clone() }
    }
}

/// `500`, `20k`, `1M`.
fn count(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let count = digits.parse::<u32>().ok().and_then(|n| n.checked_mul(unit)).filter(|n| *n > 0);
    count.ok_or_else(|| format!("`{text}` is no number of phones; write 500, 20k or 1M"))
}
