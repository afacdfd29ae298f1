//! Reports of a finished run: text, HTML, JSON, CSV, and the folder they live in. Made from a saved record, never a live one.
pub mod compare;
#[cfg(test)]
mod fixture;
mod folder;
mod format;
#[cfg(feature = "live")]
mod hlog;
pub mod html;
mod manifest;
pub mod matrix;
pub(crate) mod number;
mod saved;
mod sheets;
pub mod summary;
mod sureness;
mod table;
mod text;

pub use folder::{Folder, FolderError};
pub use format::{Format, Told, prometheus};
#[cfg(feature = "live")]
pub use hlog::write_hlog;
pub use manifest::{Circumstances, Consent, Limits, Machine, Manifest};
pub use saved::{Saved, SavedError};
pub use sheets::{write_handshakes, write_intervals, write_operations};
pub use summary::Summary;
pub use text::render;
