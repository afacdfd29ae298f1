//! Interoperability: one phone at a time against a live server.
//!
//! ```text
//! Player ── one phone, fast-forwarded ──▶ Transcript ──▶ story (trace)
//! Lab ── reserved names, survey ──▶ Scenario::play ──▶ Transcript ──▶ Scenario::judge ──▶ Cell
//!                                                                  Matrix ──▶ text, JSON, expectation
//! ```

pub mod mask;
mod paint;
pub mod player;
pub mod story;
pub mod transcript;

pub use player::{Player, Stage, Tamper};
pub use story::Cast;
pub use transcript::{Event, Exchange, State, Transcript};
