//! The embedded file server: a pure core ([`Site`]) in a hyper shell.
//!
//! ```text
//! core   Site: FilePath → Authenticator (Accounts, Nonces) → Store, Documents; manners of the Likeness
//! shell  start → accept loops → one connection each → Site::respond; Authority, Stats, access log
//! ```
#[cfg(feature = "live")]
mod accept;
#[cfg(feature = "live")]
mod access_log;
mod accounts;
mod authenticate;
#[cfg(feature = "live")]
mod authority;
#[cfg(feature = "live")]
mod certificates;
mod challenge;
#[cfg(feature = "live")]
mod client_auth;
#[cfg(feature = "live")]
mod clock;
#[cfg(feature = "live")]
mod connection;
mod content;
#[cfg(feature = "live")]
mod der;
mod directory;
mod documents;
mod error;
#[cfg(test)]
mod fixture;
mod folder;
#[cfg(feature = "live")]
mod gauge;
#[cfg(feature = "live")]
mod kept;
mod likeness;
#[cfg(feature = "live")]
mod metered;
#[cfg(feature = "live")]
mod ocsp;
mod page;
mod path;
mod served;
#[cfg(feature = "live")]
mod server;
mod site;
#[cfg(feature = "live")]
mod stats;
mod store;
#[cfg(feature = "live")]
mod subject;
mod work;

#[cfg(feature = "live")]
pub use access_log::AccessLog;
pub use accounts::Accounts;
#[cfg(feature = "live")]
pub use authority::Authority;
pub use documents::{Document, Documents};
pub use error::TargetError;
pub use likeness::Patience;
pub use path::{FilePath, PathError};
pub use served::{Mishap, Served};
#[cfg(feature = "live")]
pub use server::{Running, start, start_logged, start_waiting};
pub use site::{AuthenticatedUser, Site};
#[cfg(feature = "live")]
pub use stats::Stats;
pub use store::{Former, Found, MEMORY_CAPACITY, Store, StoreError};
