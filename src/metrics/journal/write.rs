//! Writing a journal.

use std::io::{self, Write};

use super::{Entry, LONGEST_ENTRY, MAGIC};

/// Writes entries, each whole in one call.
#[derive(Debug)]
pub struct Writer<W> {
    to: W,
}

impl<W: Write> Writer<W> {
    /// Begins a journal.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub fn begin(mut to: W) -> io::Result<Writer<W>> {
        to.write_all(&MAGIC)?;
        Ok(Writer { to })
    }

    /// Appends an entry. What fails leaves at most a part of one behind, which readers recognise.
    ///
    /// # Errors
    /// If it cannot be written: then nothing more should be.
    pub fn put(&mut self, entry: &Entry) -> io::Result<()> {
        self.to.write_all(&frame(entry)?)?;
        self.to.flush()
    }

    /// What it writes to.
    pub fn into_inner(self) -> W {
        self.to
    }
}

/// An entry as it stands in the journal: its length, its checksum (CRC-32), itself.
fn frame(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(entry, vec![0; 8]).map_err(io::Error::other)?;
    let length = u32::try_from(frame.len() - 8).unwrap_or(u32::MAX);
    if length > LONGEST_ENTRY {
        return Err(io::Error::other(format!("an entry of {length} octets is too long for a journal")));
    }
    let checksum = crc32fast::hash(&frame[8..]);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(frame)
}
