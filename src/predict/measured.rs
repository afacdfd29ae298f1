//! Measured by `scripts/measure-costs`, which writes this file: 22 November 2026, 2 cores, Linux 6.18.44 on x86_64. Not to be edited by hand.

use crate::simulate::Weights;
use crate::workload::KeyKind;

/// Octets of a phone at rest, with its place in the plan and in the queue: from 100,000 to 500,000 phones.
pub const PHONE: u64 = 398;
/// Octets of a connection over plain HTTP.
pub const PLAIN: Weights = Weights {
    at_work: 8_100,
    kept: 1_800,
    server_at_work: 36_400,
    server_kept: 19_200,
    server_grown: 7_800,
    bodies: 2,
};
/// Octets of a connection with TLS.
pub const TLS: Weights = Weights {
    at_work: 17_000,
    kept: 11_300,
    server_at_work: 45_100,
    server_kept: 26_200,
    server_grown: 17_000,
    bodies: 2,
};
/// Octets of the TLS sessions that a phone keeps for a server, and of what names them.
pub const SESSIONS: u64 = 2_900;
/// What a hundred octets of uploads take where they are kept in memory (files of 1 to 40 KB).
pub(super) const UPLOADS_PERCENT: u64 = 123;
/// Octets of a run beyond what the program has for itself once the workload is read, without and with TLS, and of these without
/// and with an embedded target: after some tens of exchanges, and after some thousands.
pub(super) const PROGRAM: [[(u64, u64); 2]; 2] =
    [[(15_203_000, 17_384_000), (15_323_000, 18_111_000)], [(17_498_000, 19_461_000), (18_209_000, 20_569_000)]];
/// Octets that a second of the run leaves behind while it runs, for the live figures: from 20 to 80 seconds.
pub const SECOND: u64 = 11_200;

/// Microseconds of processor time for an exchange over plain HTTP: the phones' side, the server's.
pub(super) const EXCHANGE: (u64, u64) = (23, 19);
/// The same for making and closing a connection.
pub(super) const OPEN: (u64, u64) = (30, 16);
/// The same for a resumed handshake.
pub(super) const RESUMED: (u64, u64) = (84, 91);

/// The same for a full handshake, where the server's certificate and its CA's are of this kind.
pub(super) const fn full(key: KeyKind) -> (u64, u64) {
    match key {
        KeyKind::EcdsaP256 => (151, 98),
        KeyKind::EcdsaP384 => (347, 144),
        KeyKind::Rsa2048 => (113, 292),
        KeyKind::Rsa3072 => (146, 666),
        KeyKind::Rsa4096 => (160, 1_310),
    }
}
