//! How much a server can carry: the search for the load at which it stops to meet its thresholds.
//!
//! Pure: no run is made here. A [`Search`] says which load to try next and is told what came of it; whoever holds it makes
//! the runs, on sockets or in virtual time. [`usl`] fits a law of scalability to what was measured, [`Recovery`] tells a
//! collapse that lasts from an overload that passes.
//!
//! ```
//! use bootstorm::capacity::{Answer, Axis, Found, Harder, Rules, Search, Step};
//!
//! // A server that carries 70 of whatever it is.
//! let mut search = Search::new(Axis::new(10.0, 1_000.0, Harder::Larger), Rules { tolerance: 0.05, repeats: 1 });
//! let found = loop {
//!     match search.next() {
//!         Step::Probe(load) => search.tell(load, if load <= 70.0 { Answer::Met } else { Answer::Missed }),
//!         Step::Done(found) => break found,
//!     }
//! };
//! let Found::Knee(knee) = found else { panic!() };
//! assert!(knee.low <= 70.0 && 70.0 < knee.high && knee.high / knee.low <= 1.05);
//! ```

mod axis;
mod knee;
mod recovery;
mod search;
#[cfg(test)]
mod tests;
pub mod usl;

pub use axis::{Axis, Harder};
pub use knee::{Found, Knee};
pub use recovery::{Recovery, Stretch};
pub use search::{Answer, Rules, Search, Step, Tried};
