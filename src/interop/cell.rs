//! What one cell of the matrix says.

use std::fmt;

use crate::phone::{Failure, Fault, Outcome};

/// How a family fares with one behaviour of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// It works, without a person.
    Works {
        /// Something worth knowing all the same; not compared with expectations.
        note: Option<String>,
    },
    /// It works once a person has done something at the phone.
    Person {
        /// The screen, by name.
        screen: String,
    },
    /// It fails.
    Fails {
        /// Why, in a word that stays the same from run to run.
        why: String,
        /// Who must act.
        fault: Fault,
    },
    /// It does not arise here, or could not be provoked.
    NotApplicable {
        /// Why not.
        reason: String,
    },
}

impl Cell {
    /// It works.
    pub const WORKS: Cell = Cell::Works { note: None };

    /// It works, but.
    pub fn noted(note: impl Into<String>) -> Cell {
        Cell::Works { note: Some(note.into()) }
    }

    /// It fails by the server's doing.
    pub fn server(why: impl Into<String>) -> Cell {
        Cell::Fails { why: why.into(), fault: Fault::Server }
    }

    /// It fails by the phone's doing.
    pub fn phone(why: impl Into<String>) -> Cell {
        Cell::Fails { why: why.into(), fault: Fault::Phone }
    }

    /// It does not arise.
    pub fn none(reason: impl Into<String>) -> Cell {
        Cell::NotApplicable { reason: reason.into() }
    }

    /// It fails as an exchange failed.
    pub fn failed(failure: Failure) -> Cell {
        Cell::Fails { why: failure.name().to_owned(), fault: failure.fault() }
    }

    /// It ends as an operation ended.
    pub fn ended(outcome: Outcome) -> Cell {
        match outcome {
            Outcome::Ok => Cell::WORKS,
            // Whoever asked for a file that must be there can do nothing about it from a phone.
            Outcome::NotFound => Cell::server("not-found"),
            other => Cell::Fails { why: other.name().into_owned(), fault: other.fault() },
        }
    }

    /// It fails with this status.
    pub fn status(status: http::StatusCode) -> Cell {
        Cell::server(format!("http-{}", status.as_u16()))
    }

    /// The state's name, as JSON has it.
    pub const fn state(&self) -> &'static str {
        match self {
            Cell::Works { .. } => "works",
            Cell::Person { .. } => "works-with-a-person",
            Cell::Fails { .. } => "fails",
            Cell::NotApplicable { .. } => "not-applicable",
        }
    }

    /// Whether it fails.
    pub const fn is_failure(&self) -> bool {
        matches!(self, Cell::Fails { .. })
    }
}

/// What is compared with expectations: state, and of a failure why and whose fault.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cell::Works { .. } => f.write_str("works"),
            Cell::Person { screen } => write!(f, "works, with a person ({screen})"),
            Cell::Fails { why, fault } => write!(f, "fails ({why}; {})", fault.name()),
            Cell::NotApplicable { .. } => f.write_str("not applicable"),
        }
    }
}
