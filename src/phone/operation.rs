//! The jobs a phone does, and what sets one off.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One job a person would name. It owns all its challenges and retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Settings or profile download (Avaya: upgrade and settings files; Cisco: profile rules).
    Resync,
    /// Download of this phone's own backup file.
    Restore,
    /// Upload of this phone's own backup file.
    Backup,
    /// Upload of the phone's configuration report (Cisco).
    Report,
    /// Firmware download.
    Firmware,
    /// Removal of this phone's own backup file.
    Delete,
}

impl Operation {
    /// Every operation, in the order figures are printed.
    pub const ALL: [Operation; 6] = [
        Operation::Resync,
        Operation::Restore,
        Operation::Backup,
        Operation::Report,
        Operation::Firmware,
        Operation::Delete,
    ];

    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Resync => "resync",
            Operation::Restore => "restore",
            Operation::Backup => "backup",
            Operation::Report => "report",
            Operation::Firmware => "firmware",
            Operation::Delete => "delete",
        }
    }

    /// Position in [`Operation::ALL`], for tables.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the arrival plan does to a phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Power returns: the phone boots, whatever it was doing.
    PowerUp,
    /// A user changes something; the family backs up or reports after its own delay.
    Change,
    /// A user asks for a backup (Avaya) or a report (Cisco) by menu, at once.
    Backup,
    /// A user asks for a restore by menu (Avaya), or a resync where the family has no restore.
    Restore,
    /// The phone is told to fetch its settings or profile now.
    Resync,
    /// The phone's backup file is to be deleted (Avaya).
    Delete,
    /// The phone is told to restart: it uploads what its family uploads then, and reboots.
    Restart,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Trigger; 7] = [
        Trigger::PowerUp,
        Trigger::Change,
        Trigger::Backup,
        Trigger::Restore,
        Trigger::Resync,
        Trigger::Delete,
        Trigger::Restart,
    ];

    /// Whether the phone boots.
    pub const fn boots(self) -> bool {
        matches!(self, Trigger::PowerUp | Trigger::Restart)
    }

    /// The word used in workload files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Trigger::PowerUp => "power-up",
            Trigger::Change => "change",
            Trigger::Backup => "backup",
            Trigger::Restore => "restore",
            Trigger::Resync => "resync",
            Trigger::Delete => "delete",
            Trigger::Restart => "restart",
        }
    }
}

/// Why a planned operation was never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum DropCause {
    /// The phone was still busy with an operation of the same kind.
    PhoneBusy,
    /// The phone had no power, or lost it before the operation's turn.
    PoweredOff,
    /// An earlier step of the boot chain failed or stands at a prompt, so this one never had its turn.
    BootIncomplete,
    /// The run ended first (its duration was over).
    RunEnded,
    /// The run was interrupted.
    Interrupted,
}

impl DropCause {
    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            DropCause::PhoneBusy => "phone-busy",
            DropCause::PoweredOff => "powered-off",
            DropCause::BootIncomplete => "boot-incomplete",
            DropCause::RunEnded => "run-ended",
            DropCause::Interrupted => "interrupted",
        }
    }
}
