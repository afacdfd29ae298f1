//! A search's folder: what is made from `capacity.json`, beside it. Its probes' folders lie in it.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::{Document, write_curve};
use crate::report::summary::SCHEMA_VERSION;
use crate::report::{Folder, FolderError, html};

/// The whole of a search.
const NAME: &str = "capacity.json";

/// Whether the folder is that of a search.
pub fn is_search(folder: &Path) -> bool {
    folder.join(NAME).is_file()
}

/// Writes `capacity.csv`, `report.html` and, last, `capacity.json`. Returns the names of those it wrote: what says the same
/// already is left alone.
///
/// # Errors
/// If a file cannot be written.
pub fn write(folder: &Folder, document: &Document) -> Result<Vec<&'static str>, FolderError> {
    let json = |to: &mut Vec<u8>| -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *to, document)?;
        to.push(b'\n');
        Ok(())
    };
    let mut written = Vec::new();
    if folder.put("capacity.csv", |to| Ok(write_curve(document, to)?))? {
        written.push("capacity.csv");
    }
    if folder.put("report.html", |to| to.write_all(html::capacity_page(document).as_bytes()))? {
        written.push("report.html");
    }
    if folder.put(NAME, json)? {
        written.push(NAME);
    }
    Ok(written)
}

/// Reads a search that was saved.
///
/// # Errors
/// If there is none, it cannot be read, or it is of a later schema.
pub fn read(folder: &Path) -> Result<Document, FolderError> {
    let path = folder.join(NAME);
    let read = fs::read_to_string(&path).and_then(|text| Ok(serde_json::from_str::<Document>(&text)?));
    match read {
        Ok(document) if document.schema_version > SCHEMA_VERSION => {
            Err(FolderError::Newer { path, schema_version: document.schema_version })
        }
        Ok(document) => Ok(document),
        Err(source) => Err(FolderError::Unreadable { path, source }),
    }
}
