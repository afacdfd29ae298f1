//! bootstorm: fleets of desk phones against a real HTTP(S) file server.
//!
//! The main flow, one line a floor: a [`workload`] file becomes a plan; the `driver` wakes its [`phone`]s, which
//! answer challenges with [`auth`] and speak through `net`; [`metrics`] count what happens; [`report`] tells it.
//! `cli::run` wires them together and reads like a table of contents. [`target`] is the file server to try it on,
//! [`simulate`] the same fleet in virtual time, from which [`predict`] tells what a run will take.
//!
//! Arrows point down only:
//!
//! ```text
//!            cli                one file per verb
//!    report                     text, HTML, JSON, CSV, comparisons: from a saved run
//!    predict                    what a run will take: played in virtual time, at measured costs
//!    driver   simulate          real time on sockets · virtual time on a server model
//!    interop                    one phone at a time, explained and judged
//!    net   target               the client sockets, TLS · the embedded file server
//!    metrics  workload          facts, journal, verdict · file (as typed) → plan (as meant)
//!            phone              pure: the phone machine and its families
//!            auth               pure: challenges, Basic, Digest (both sides), stores
//!            capacity           pure: the search for a server's knee, the law of scalability; on statistics alone
//!            statistics         pure: intervals, comparisons, the check of arrivals; imports nothing of ours
//! ```
//!
//! Without the `live` feature only what is pure is built: no sockets, no clock, no runtime.

pub mod auth;
pub mod capacity;
#[cfg(feature = "live")]
pub mod cli;
#[cfg(feature = "live")]
mod crypto;
pub mod driver;
#[cfg(feature = "live")]
pub mod interop;
pub mod metrics;
#[cfg(feature = "live")]
pub mod net;
pub mod phone;
pub mod predict;
pub mod report;
pub mod simulate;
pub mod statistics;
pub mod target;
pub mod workload;
