//! Do the arrivals of a phase follow the law they claim?
//!
//! A generator that rounds its starts to ticks, stalls, or drifts puts another load on a server than the one written in
//! the workload, and the figures then answer another question. [`check_arrivals`] says what is off, if it is surely off
//! and if it matters.

mod anderson_darling;
mod check;
mod finding;
mod law;
#[cfg(test)]
mod tests;

pub use anderson_darling::{anderson_darling, anderson_darling_p};
pub use check::{MIN_ARRIVALS, check_arrivals};
pub use finding::Finding;
pub use law::{Law, Window};
