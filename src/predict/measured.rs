//! Measured by `scripts/measure-costs`, which writes this file: 22 November 2026, 2 cores, Linux 6.18.44 on x86_64. Not to be edited by hand.

use crate::simulate::Weights;
use crate::workload::KeyKind;

/// Octets of a phone at rest, with its place in the plan and in the queue: from 100,000 to 500,000 phones.
pub const PHONE: u64 = 399;
/// Octets of a connection over plain HTTP.
pub const PLAIN: Weights = Weights {
    at_work: 8_000,
    kept: 2_000,
    server_at_work: 36_300,
    server_kept: 19_400,
    server_grown: 10_000,
    bodies: 2,
};
/// Octets of a connection with TLS.
pub const TLS: Weights = Weights {
    at_work: 16_600,
    kept: 10_500,
    server_at_work: 44_300,
    server_kept: 26_900,
    server_grown: 15_100,
    bodies: 2,
};
/// Octets of the TLS sessions that a phone keeps for a server, and of what names them.
pub const SESSIONS: u64 = 3_000;
/// What a hundred octets of uploads take where they are kept in memory (files of 1 to 40 KB).
pub(super) const UPLOADS_PERCENT: u64 = 128;
/// Octets of a run beyond what the program has for itself once the workload is read, without and with TLS, and of these without
/// and with an embedded target: after some tens of exchanges, and after some thousands.
pub(super) const PROGRAM: [[(u64, u64); 2]; 2] =
    [[(14_489_000, 16_719_000), (15_046_000, 17_398_000)], [(17_186_000, 20_118_000), (17_924_000, 20_043_000)]];
/// Octets that a second of the run leaves behind while it runs, for the live figures: from 20 to 80 seconds.
pub const SECOND: u64 = 13_700;

/// Microseconds of processor time for an exchange over plain HTTP: the phones' side, the server's.
pub(super) const EXCHANGE: (u64, u64) = (23, 19);
/// The same for making and closing a connection.
pub(super) const OPEN: (u64, u64) = (16, 9);
/// The same for a resumed handshake.
pub(super) const RESUMED: (u64, u64) = (88, 98);

/// The same for a full handshake, where the server's certificate and its CA's are of this kind.
pub(super) const fn full(key: KeyKind) -> (u64, u64) {
    match key {
        KeyKind::EcdsaP256 => (154, 98),
        KeyKind::EcdsaP384 => (346, 144),
        KeyKind::Rsa2048 => (115, 299),
        KeyKind::Rsa3072 => (132, 660),
        KeyKind::Rsa4096 => (158, 1_299),
    }
}
