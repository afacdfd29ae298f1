//! The driver: phones in real time on sockets.
//!
//! [`run`] starts one thread per shard. Each owns its phones ([`Roster`]), its connections and its counts,
//! on a current-thread runtime; nothing is shared but the moment the run began, the wish to stop, and
//! whether all have settled. [`Roster`] and [`Pace`] are pure: `simulate` moves them in virtual time.

#[cfg(feature = "live")]
mod control;
#[cfg(feature = "live")]
mod lines;
mod pace;
#[cfg(feature = "live")]
mod queue;
mod roster;
#[cfg(feature = "live")]
mod run;
#[cfg(feature = "live")]
mod shard;

#[cfg(feature = "live")]
pub use control::Control;
pub use pace::Pace;
pub use roster::{Roster, Share, Wish};
#[cfg(feature = "live")]
pub use run::{Driven, RunError, Setting, run};
