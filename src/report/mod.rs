//! Reports of a finished run: text, JSON, CSV, and the folder they live in. Made from a saved record, never a live one.
#[cfg(test)]
mod fixture;
mod number;
pub mod summary;
mod table;
pub mod text;

pub use summary::Summary;
