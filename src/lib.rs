//! bootstorm: fleets of desk phones against a real HTTP(S) file server.
//!
//! Floors, lowest first; arrows point down only:
//! [`auth`] → [`phone`] → [`workload`], [`metrics`] → `target`, `net` → `driver` → `report` → `cli`.

pub mod auth;
pub mod metrics;
pub mod phone;
pub mod report;
pub mod workload;
