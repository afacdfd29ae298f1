//! The only client sockets: connect, TLS, one HTTP/1.1 exchange, measured by phase.
//!
//! ```text
//! Connector::exchange(phone, kept, request)
//!   kept and alive? ──no──▶ dial (source address, TCP) ──▶ handshake (TLS) ─┐
//!        └────────yes──────────────────────────────────────────────────────┤
//!                                                                          ▼
//!                            conversation: request out, answer in, body hashed
//!                                                                          │
//!                  Done { facts, answer or failure, connection to keep } ◀─┘
//! ```
//!
//! There is no task per connection: the future of an exchange reads and writes the socket itself, and hands back
//! a bare, unpolled [`Connection`] when both sides allow it to be kept. HTTP/1.1 is spoken by `http1`, of which only
//! taking heads apart is somebody else's (`httparse`). Everything lives on one thread; a shard
//! makes its own [`Connector`]. Before the storm, [`resolve`], [`limits`] and [`preflight`] say in words what
//! would not work.

mod alarm;
mod clock;
mod connection;
mod connector;
pub mod consent;
mod conversation;
mod deadline;
mod device;
mod device_ca;
mod dial;
mod ear;
mod error;
mod failure;
mod handshake;
mod http1;
pub mod limits;
pub mod look;
mod meter;
mod outgoing;
mod patience;
pub mod preflight;
pub mod resolve;
mod scratch;
mod session;
mod source;
mod stream;
mod tls;
mod tls_keys;
mod tls_session;
mod tls_stream;
mod tls_traffic;
mod trust;
mod verifier;
mod wiretap;

pub use clock::take_upkeep;
pub(crate) use clock::thread_cpu;
pub use connection::Connection;
pub use connector::{Connector, Done, Opened, Settings};
pub use device::Devices;
pub use device_ca::DeviceCa;
#[doc(hidden)]
pub use ear::overhear;
pub use error::NetError;
pub use resolve::Addresses;
pub use tls::TlsSettings;
pub use trust::Trust;
