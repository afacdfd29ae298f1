//! The command line: one file per verb; nothing but parsing, wiring, printing.
mod progress;

pub use progress::Progress;
