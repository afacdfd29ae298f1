//! The embedded file server: a pure core ([`Site`]) in a hyper shell.
mod accounts;
mod content;
mod documents;
mod error;
#[cfg(test)]
mod fixture;
mod folder;
mod likeness;
mod page;
mod path;
mod store;

pub use accounts::Accounts;
pub use documents::{Document, Documents};
pub use error::TargetError;
pub use likeness::Patience;
pub use path::{FilePath, PathError};
pub use store::{Former, Found, MEMORY_CAPACITY, Store, StoreError};
