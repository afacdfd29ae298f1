//! A search for capacity, told: `capacity.json` is the whole of it, and everything else is made from that.

mod blame;
mod document;
mod figures;
mod folder;
mod sheet;
mod stretch;
#[cfg(test)]
pub(super) mod tests;
mod text;
pub(super) mod words;

pub use blame::{Broke, Whose};
pub use document::{Bound, Document, Point, Probe, Recovered, Sought};
pub use figures::Figures;
pub use folder::{is_search, read, write};
pub use sheet::write_curve;
pub use stretch::stretch;
pub use text::render;
pub(super) use text::{failed_share, thresholds};
