//! The workload and its overrides, as several verbs take them.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{Ended, environment};
use crate::workload::{self, Matrix, Overrides, Place, Plan, WorkloadError};

/// A workload file and what the command line changes about it.
#[derive(Clone, Debug, Args)]
pub(super) struct WorkloadArgs {
    /// The workload file (TOML)
    #[arg(value_name = "WORKLOAD")]
    file: PathBuf,
    /// Play against this server instead of the workload's target, such as https://127.0.0.1:8443/folder
    #[arg(long, value_name = "URL", env = "BOOTSTORM_TARGET", hide_env_values = true, help_heading = "Workload")]
    target: Option<String>,
    /// Of a workload with a matrix, this variant alone, by its name or that of its folder
    #[arg(long, value_name = "NAME", help_heading = "Workload")]
    variant: Option<String>,
    #[command(flatten)]
    changes: Changes,
}

/// What the command line changes about a workload, whatever it is for.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Changes {
    /// Scale the fleets to this many phones in all, such as 500 or 20k
    #[arg(long, value_name = "N", env = "BOOTSTORM_PHONES", hide_env_values = true, value_parser = count)]
    #[arg(help_heading = "Workload")]
    phones: Option<u32>,
    /// Draw all that is random from this seed: the same seed gives the same schedule
    #[arg(long, value_name = "S", env = "BOOTSTORM_SEED", hide_env_values = true, value_parser = seed)]
    #[arg(allow_hyphen_values = true, help_heading = "Workload")]
    seed: Option<u64>,
    /// Override any key of the workload, such as fleet.0.count=500 or tls.resumption=per-phone; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", help_heading = "Workload")]
    sets: Vec<String>,
}

impl WorkloadArgs {
    /// The plan these arguments mean.
    pub(super) fn load(&self) -> Result<Plan, Ended> {
        self.load_with(&self.overrides())
    }

    /// All variants of the workload; none if it has no matrix, or one variant alone is asked for.
    pub(super) fn matrix(&self) -> Result<Option<Matrix>, Ended> {
        match self.variant {
            Some(_) => Ok(None),
            None => workload::load_matrix(&self.file, &self.overrides()).map_err(refused),
        }
    }

    /// The workload file, as it was named.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// All that stands over the file.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { target: self.target.clone(), ..self.changes.overrides() }
    }

    /// The plan of the file under other overrides than these.
    pub(super) fn load_with(&self, overrides: &Overrides) -> Result<Plan, Ended> {
        let loaded = match &self.variant {
            Some(variant) => workload::load_variant(&self.file, overrides, variant),
            None => workload::load(&self.file, overrides),
        };
        loaded.map_err(refused)
    }

    /// The same with these assignments after all others; `target=URL` is what `--target` would be.
    pub(super) fn changed(&self, sets: &[String]) -> WorkloadArgs {
        let mut changed = self.clone();
        for set in sets {
            match set.strip_prefix("target=") {
                Some(url) => changed.target = Some(url.to_owned()),
                None => changed.changes.sets.push(set.clone()),
            }
        }
        changed
    }

    /// What the command line and the environment changed, for the manifest.
    pub(super) fn changes(&self) -> Vec<String> {
        let changes = &self.changes;
        let target = self.target.iter().map(|t| change("--target", t));
        let phones = changes.phones.iter().map(|n| change("--phones", n));
        let seed = changes.seed.iter().map(|s| change("--seed", s));
        let variant = self.variant.iter().map(|name| change("--variant", name));
        variant
            .chain(target)
            .chain(phones)
            .chain(seed)
            .chain(changes.sets.iter().map(|s| format!("--set {s}")))
            .collect()
    }
}

impl Changes {
    /// The same as the workload floor takes them.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides { target: None, phones: self.phones, seed: self.seed, sets: self.sets.clone() }
    }
}

/// `--phones 500`, or `BOOTSTORM_PHONES=500` if that is where it came from.
fn change(flag: &str, value: impl std::fmt::Display) -> String {
    match environment::variable_for(flag) {
        Some(variable) => format!("{variable}={value}"),
        None => format!("{flag} {value}"),
    }
}

/// The workload's problems. Those of a value from the environment name the variable: nobody typed a flag.
pub(super) fn refused(error: WorkloadError) -> Ended {
    let lines = error.problems().iter().map(|problem| {
        let mut problem = problem.clone();
        if let Place::Flag(flag) = &mut problem.place
            && let Some(variable) = environment::variable_for(flag)
        {
            *flag = variable;
        }
        problem.to_string()
    });
    Ended::usage(lines.collect::<Vec<_>>().join("\n"))
}

/// `500`, `20k`, `1M`.
fn count(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let count = digits.parse::<u32>().ok().and_then(|n| n.checked_mul(unit)).filter(|n| *n > 0);
    count.ok_or_else(|| "write a number of phones, such as 500, 20k or 1M".to_owned())
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("write a whole number from 0 to {}", u64::MAX))
}
