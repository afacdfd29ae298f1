//! Measured by `scripts/measure-costs`, which writes this file: 22 November 2026, 2 cores, Linux 6.18.44 on x86_64. Not to be edited by hand.

use crate::simulate::Weights;
use crate::workload::KeyKind;

/// Octets of a phone at rest, with its place in the plan and in the queue: from 100,000 to 500,000 phones.
pub const PHONE: u64 = 104;
/// Octets of a connection over plain HTTP.
pub const PLAIN: Weights = Weights {
    at_work: 6_400,
    kept: 1_200,
    server_at_work: 37_000,
    server_kept: 19_300,
    server_grown: 6_700,
    bodies: 2,
};
/// Octets of a connection with TLS.
pub const TLS: Weights = Weights {
    at_work: 10_400,
    kept: 4_500,
    server_at_work: 44_100,
    server_kept: 25_700,
    server_grown: 17_300,
    bodies: 2,
};
/// Octets of the TLS sessions that a phone keeps for a server, and of what names them.
pub const SESSIONS: u64 = 3_100;
/// What a hundred octets of uploads take where they are kept in memory (files of 1 to 40 KB).
pub(super) const UPLOADS_PERCENT: u64 = 121;
/// Octets of a run beyond what the program has for itself once the workload is read, without and with TLS, and of these without
/// and with an embedded target: after some tens of exchanges, and after some thousands.
pub(super) const PROGRAM: [[(u64, u64); 2]; 2] =
    [[(14_003_000, 14_617_000), (14_373_000, 15_341_000)], [(16_329_000, 16_685_000), (17_393_000, 17_709_000)]];
/// Octets that a second of the run leaves behind while it runs, for the live figures: from 20 to 80 seconds.
pub const SECOND: u64 = 8_700;

/// Microseconds of processor time for an exchange over plain HTTP: the phones' side, the server's.
pub(super) const EXCHANGE: (u64, u64) = (11, 11);
/// The same for making and closing a connection.
pub(super) const OPEN: (u64, u64) = (14, 10);
/// The same for a resumed handshake.
pub(super) const RESUMED: (u64, u64) = (72, 77);

/// The same for a full handshake, where the server's certificate and its CA's are of this kind.
pub(super) const fn full(key: KeyKind) -> (u64, u64) {
    match key {
        KeyKind::EcdsaP256 => (149, 94),
        KeyKind::EcdsaP384 => (342, 139),
        KeyKind::Rsa2048 => (108, 284),
        KeyKind::Rsa3072 => (132, 658),
        KeyKind::Rsa4096 => (141, 1_292),
    }
}
