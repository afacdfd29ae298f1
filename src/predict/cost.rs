//! What phones and connections cost: measured figures and what is made of them. Beside `measured.rs`, which a script
//! writes, the one place of such constants.

use std::time::Duration;

use super::measured;
use crate::simulate::Effort;
use crate::workload::KeyKind;

pub use super::measured::{PHONE, PLAIN, SECOND, SESSIONS, TLS};

/// Open files that are no connections: of the program, of each shard, and of the embedded target.
pub const FILES: u64 = 15;
/// See [`FILES`].
pub const FILES_PER_SHARD: u64 = 4;
/// See [`FILES`].
pub const FILES_OF_TARGET: u64 = 4;

/// Beginning an exchange (until the request waits for its answer) is one of so many parts of what it costs the phones' side.
pub const BEGIN_ONE_OF: u32 = 4;

/// After so many exchanges every thread's part of the allocator is in use, and keeps what it keeps.
const WARM_AFTER: u64 = 2_000;

/// Octets that a run takes beyond what this program has of its own once it has read the workload, phones and connections apart: its code, threads
/// and their runtimes, histograms, tables, and what the allocator keeps ready once there have been some `exchanges`.
pub fn program(tls: bool, embedded: bool, exchanges: u64) -> u64 {
    let (cold, warm) = measured::PROGRAM[usize::from(tls)][usize::from(embedded)];
    cold + warm.saturating_sub(cold) * exchanges.min(WARM_AFTER) / WARM_AFTER
}

/// Octets that uploads of so many octets take where they are kept in memory: the allocator rounds up.
pub fn uploads(octets: u64) -> u64 {
    octets * measured::UPLOADS_PERCENT / 100
}

/// Processor time of the phones' side, where the server's certificate is of this kind.
pub const fn client(key: KeyKind) -> Effort {
    let (full, resumed) = (measured::full(key).0, measured::RESUMED.0);
    effort(measured::EXCHANGE.0, measured::OPEN.0, full, resumed)
}

/// Processor time of the embedded target's side.
pub const fn server(key: KeyKind) -> Effort {
    let (full, resumed) = (measured::full(key).1, measured::RESUMED.1);
    effort(measured::EXCHANGE.1, measured::OPEN.1, full, resumed)
}

const fn effort(exchange: u64, open: u64, full: u64, resumed: u64) -> Effort {
    Effort {
        exchange: Duration::from_micros(exchange),
        open: Duration::from_micros(open),
        full: Duration::from_micros(full),
        resumed: Duration::from_micros(resumed),
    }
}
