//! What makes a phone one of its family, and the register of families.

use std::fmt;
use std::sync::Arc;

/// What makes a phone one of its family.
pub trait Family: fmt::Debug + Send + Sync {
    /// The family's name in workloads and output.
    fn name(&self) -> &'static str;
}

/// One family in the register: how workloads name it and how its settings are read.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The name in workloads, for example `avaya-96xx`.
    pub name: &'static str,
    /// Reads the family's settings (the workload's `[fleet.settings]`).
    pub read: fn(&toml::Table) -> Result<Arc<dyn Family>, SettingsError>,
    /// Every setting's name (for "nearest right one").
    pub settings: fn() -> Vec<String>,
}

/// A family setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// The setting, if it is about one.
    pub key: Option<String>,
    /// What is wrong with it and what would be right.
    pub message: String,
}

/// Every family this build knows. A new family adds its file and one line here.
pub const FAMILIES: &[Registration] = &[];
