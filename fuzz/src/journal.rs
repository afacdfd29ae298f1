//! Journals as they are, and with lengths and checksums put right, so that what is in the entries is read.

use std::path::Path;

use bootstorm::metrics::journal::{MAGIC, Reader};
use bootstorm::report::{Saved, Summary};

/// Whatever a journal holds: refused in words, or told as far as it goes.
pub fn journal(data: &[u8]) {
    read(data);
    read(&put_right(data));
    match Saved::read(data, Path::new("journal.bin")) {
        Ok(saved) => {
            let summary = Summary::of(&saved.record);
            assert_eq!(summary.marks.partial, saved.caveat().is_some() || saved.record.marks.partial);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn read(octets: &[u8]) {
    if let Ok(mut reader) = Reader::begin(octets) {
        let entries = reader.by_ref().count() as u64;
        let end = reader.end();
        assert!(end.offset <= octets.len() as u64 && 9 * entries < end.offset, "{end:?}");
    }
}

/// The same with the magic of a journal and right checksums, wherever its own lengths say an entry is.
fn put_right(data: &[u8]) -> Vec<u8> {
    let mut octets = data.to_vec();
    let Some(magic) = octets.get_mut(..MAGIC.len()) else { return octets };
    magic.copy_from_slice(&MAGIC);
    let mut at = MAGIC.len();
    while let Some(length) = octets.get(at..at + 4) {
        // Short ones, so that a changed octet does not swallow all that follows.
        let length = usize::from(length[0]) | usize::from(length[1] & 0x0f) << 8;
        octets[at + 2..at + 4].fill(0);
        octets[at + 1] &= 0x0f;
        let Some(content) = octets.get(at + 8..at + 8 + length) else { return octets };
        let checksum = crc32fast::hash(content);
        octets[at + 4..at + 8].copy_from_slice(&checksum.to_le_bytes());
        at += 8 + length;
    }
    octets
}
