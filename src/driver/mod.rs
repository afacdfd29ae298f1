//! The driver: phones in real time on sockets.
//!
//! [`run`] starts one thread per shard. Each owns its phones ([`Roster`]), its connections, its timer and its counts,
//! on a current-thread runtime; nothing is shared but the moment the run began, the wish to stop, and whether all
//! have settled. Every half second a shard hands what it counted to the keeper, a thread that writes the journal,
//! looks at the machine and knows how the run stands ([`Live`]). [`Roster`] and [`Pace`] are pure: `simulate` moves
//! them in virtual time.

#[cfg(feature = "live")]
mod assembly;
#[cfg(all(feature = "live", target_os = "linux"))]
mod census;
#[cfg(feature = "live")]
mod control;
#[cfg(feature = "live")]
mod flights;
#[cfg(feature = "live")]
mod handicap;
#[cfg(feature = "live")]
mod keeper;
#[cfg(feature = "live")]
mod lines;
#[cfg(feature = "live")]
mod live;
#[cfg(feature = "live")]
mod monitor;
mod pace;
#[cfg(feature = "live")]
mod ports;
#[cfg(feature = "live")]
mod processes;
mod queue;
mod roster;
#[cfg(feature = "live")]
mod run;
#[cfg(feature = "live")]
mod shard;
#[cfg(feature = "live")]
mod timer;
mod wake_ups;

#[cfg(feature = "live")]
pub use control::Control;
#[cfg(feature = "live")]
pub use handicap::Handicap;
#[cfg(feature = "live")]
pub use keeper::{Durable, JournalError};
#[cfg(feature = "live")]
pub use live::{Known, Live};
pub use pace::Pace;
#[cfg(feature = "live")]
pub use processes::{Processes, WatchError};
pub(crate) use queue::Queue;
pub use roster::{Roster, Share, Wish};
#[cfg(feature = "live")]
pub use run::{Driven, RunError, Setting, TargetGauge, run};
#[cfg(feature = "live")]
pub use timer::timer_floor;
