//! What phones and connections cost: the one place of these constants.
//!
//! Measured by `scripts/measure-costs` with a release build on Linux x86-64 (glibc's allocator, two cores): the slope of
//! the process's peak memory, or of its processor time, between a smaller and a larger fleet. After a change to what a
//! phone or a connection holds, run it and write down here what it says. What it does not measure says so.

use std::time::Duration;

use crate::simulate::{Effort, Weights};
use crate::workload::KeyKind;

/// Octets of a phone at rest, with its place in the plan and in the queue. Measured at 100,000 and 500,000 phones.
pub const PHONE: u64 = 414;
/// Octets of a connection over plain HTTP.
pub const PLAIN: Weights = Weights { at_work: 40_100, kept: 11_300, server_at_work: 37_000, server_kept: 23_600 };
/// Octets of a connection with TLS.
pub const TLS: Weights = Weights { at_work: 55_200, kept: 21_000, server_at_work: 44_200, server_kept: 31_100 };
/// Octets of the TLS sessions that a phone keeps for a server: two tickets of about 1.2 KB and what names them
/// (reckoned from the store's bound, not measured).
pub const SESSIONS: u64 = 3_000;
/// Octets that a run takes before its first phone, beyond what this program takes to read the workload: threads, their
/// runtimes, the recorder's histograms.
pub const ENGINE: u64 = 3 << 20;
/// The same for TLS, where any is spoken: its tables, its certificates.
pub const ENGINE_TLS: u64 = 2 << 20;
/// Octets that a second of the run leaves behind while it runs, for the live figures: seen in a run of 40 s with few phones.
pub const SECOND: u64 = 25_000;

/// Open files that are no connections: of the program, of each shard, and of the embedded target.
pub const FILES: u64 = 15;
/// See [`FILES`].
pub const FILES_PER_SHARD: u64 = 4;
/// See [`FILES`].
pub const FILES_OF_TARGET: u64 = 4;

/// Processor time of the phones' side; the resumed handshake is an estimate.
pub const CLIENT: Effort = Effort {
    exchange: Duration::from_micros(30),
    full: Duration::from_micros(170),
    resumed: Duration::from_micros(100),
};

/// Beginning an exchange (until the request waits for its answer) is one of so many parts of what it costs the phones' side.
pub const BEGIN_ONE_OF: u32 = 4;

/// Processor time of the embedded target's side, with a certificate of this kind; P-384, RSA and the resumed handshake
/// are estimates.
pub const fn server(key: KeyKind) -> Effort {
    let full = match key {
        KeyKind::EcdsaP256 => 100,
        KeyKind::EcdsaP384 => 420,
        KeyKind::Rsa2048 => 640,
        KeyKind::Rsa3072 => 1_700,
        KeyKind::Rsa4096 => 3_800,
    };
    Effort {
        exchange: Duration::from_micros(24),
        full: Duration::from_micros(full),
        resumed: Duration::from_micros(80),
    }
}
