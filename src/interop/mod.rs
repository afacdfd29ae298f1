//! Interoperability: one phone at a time against a live server.
//!
//! ```text
//! Player ── one phone, fast-forwarded ──▶ Transcript ──▶ story (trace)
//! Lab, Bench ── reserved names ──▶ Scenario::play ──▶ Transcript ──▶ judge ──▶ Cell
//!                                                        Matrix ──▶ text, JSON, summary, Expectation
//! ```
//!
//! Nothing outside the names of [`EXTENSION`] and [`MAC`] is ever written, and what was written is deleted again.

mod act;
pub mod advice;
mod bench;
mod cell;
mod expectation;
mod json;
mod lab;
pub mod mask;
mod matrix;
mod paint;
pub mod player;
mod scenario;
pub mod scenarios;
pub mod story;
mod subject;
pub mod summary;
pub mod text;
pub mod transcript;

pub use act::Act;
pub use bench::{Access, Bench};
pub use cell::Cell;
pub use expectation::{Difference, Expectation, Expected, NoExpectation};
pub use lab::{Ground, Lab, LabError};
pub use matrix::{Clock, Column, Matrix};
pub use player::{Player, Stage, Tamper};
pub use scenario::{Need, Play, Scenario};
pub use story::Cast;
pub use subject::{EXTENSION, Habits, KNOBS, Knobs, MAC, Stored, Subject};
pub use transcript::{Event, Exchange, State, Transcript};
