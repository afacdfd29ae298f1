//! What a run will take of the machine, before it is made: the plan played in virtual time, and measured costs.
//!
//! ```text
//! plan ──▶ (scaled, if large) ──▶ simulate::play against the target's own law ──▶ Usage ──▶ × cost ──▶ Forecast
//! scripts/measure-costs ──▶ measured ──▶ cost
//! ```
//!
//! Pure: the machine's own figures come in as a [`Scene`]. Nothing is sent.

pub mod cost;
mod forecast;
mod measured;
mod scaled;

pub use forecast::{Forecast, MemoryParts, Scene, at_least, forecast};
