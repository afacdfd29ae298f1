//! Reports of a finished run: text, JSON, CSV, and the folder they live in. Made from a saved record, never a live one.
#[cfg(test)]
mod fixture;
pub mod summary;

pub use summary::Summary;
