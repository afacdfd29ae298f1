//! Exit codes: a contract.

use std::process::ExitCode;

use crate::net::NetError;
use crate::report::FolderError;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Passed.
    Passed,
    /// The run could not be done.
    Undone,
    /// Wrong usage or workload.
    Usage,
    /// The measurement is invalid: the generator, not the server, was the limit.
    Invalid,
    /// Interoperability differs from what was expected.
    Differs,
    /// A threshold was crossed.
    Threshold,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Passed => 0,
            Exit::Undone => 1,
            Exit::Usage => 2,
            Exit::Invalid => 97,
            Exit::Differs => 98,
            Exit::Threshold => 99,
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// An end that needs saying: one message, and the code that goes with it.
#[derive(Debug)]
pub struct Ended {
    /// The code.
    pub exit: Exit,
    /// What is wrong, where, whose fault it is and what to do.
    pub message: String,
}

impl Ended {
    /// Wrong usage or workload.
    pub fn usage(error: impl std::fmt::Display) -> Ended {
        Ended { exit: Exit::Usage, message: error.to_string() }
    }

    /// The network cannot be used so: wrong usage if the workload's own words are at fault, else not to be done here.
    pub fn net(error: NetError) -> Ended {
        if error.is_usage() { Ended::usage(error) } else { Ended::undone(error) }
    }

    /// The results' folder cannot be used: the usage's fault if another should be named, the machine's if not.
    pub fn folder(error: FolderError) -> Ended {
        let exit = match &error {
            FolderError::NotEmpty { .. } | FolderError::NotAFolder { .. } => Exit::Usage,
            _ => Exit::Undone,
        };
        Ended { exit, message: error.to_string() }
    }

    /// The run could not be done.
    pub fn undone(error: impl std::fmt::Display) -> Ended {
        Ended { exit: Exit::Undone, message: error.to_string() }
    }
}
