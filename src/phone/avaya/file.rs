//! Reading a backup file as the phone does: `name=value` lines in either encoding.

use std::collections::BTreeMap;

/// Octets that are no backup file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Neither UTF-8 nor UTF-16.
    #[error("the file is no text in UTF-8, nor in UTF-16LE with a byte order mark; another program wrote or cut it")]
    NotText,
    /// UTF-16 of an odd number of octets.
    #[error("the file is UTF-16LE and ends in the middle of a character; it was cut")]
    Cut,
}

/// Names a phone knows [doc]; `000` stands for three digits, `00` for two.
const NAMES: [&str; 11] = [
    "ABKNAME000",
    "ABKNUMBER000",
    "LOGACTIVE",
    "OPTAUDIOPATH",
    "OPTCLICKS",
    "PERSONALRING",
    "PHNREDIAL",
    "PHNSCRONCALL",
    "PHNTIMERS",
    "PHNVISUALALERT",
    "PHNLABEL00",
];

/// The settings in a backup file. UTF-16LE is known by its byte order mark, all else is UTF-8. Unknown and blank lines
/// are ignored, the last duplicate wins \[doc\].
///
/// # Errors
/// [`FileError`] if it is no text.
pub fn read_file(octets: &[u8]) -> Result<BTreeMap<String, String>, FileError> {
    let text = match octets.strip_prefix(&[0xff, 0xfe]) {
        Some(wide) if wide.len() % 2 != 0 => return Err(FileError::Cut),
        Some(wide) => {
            let units = wide.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<String, _>>().map_err(|_| FileError::NotText)?
        }
        None => {
            let narrow = octets.strip_prefix("\u{feff}".as_bytes()).unwrap_or(octets);
            std::str::from_utf8(narrow).map_err(|_| FileError::NotText)?.to_owned()
        }
    };
    let lines = text.lines().filter_map(|line| line.split_once('='));
    let known = lines.map(|(name, value)| (name.trim(), value)).filter(|(name, _)| is_known(name));
    Ok(known.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn is_known(name: &str) -> bool {
    NAMES.iter().any(|known| {
        let digits = known.bytes().rev().take_while(|b| *b == b'0').count();
        let (stem, _) = known.split_at(known.len() - digits);
        let number = name.strip_prefix(stem);
        number.is_some_and(|number| number.len() == digits && number.bytes().all(|b| b.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::backup::{Encoding, avaya_file};
    use super::super::super::{Identity, Upload};
    use super::*;

    fn wide(text: &str) -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    }

    /// "Unknown and blank lines are ignored, the last duplicate wins." [doc] "Volume settings for the ringer and the
    /// speaker are persistent after reboot and backup/restore" [seed]: a volume in the file is not taken either.
    #[test]
    fn unknown_and_blank_lines_are_ignored_and_the_last_duplicate_wins() {
        let text =
            "\nPHNLABEL01=Désk\r\nno line\nPHNREDIAL=1\n\nRINGVOLUME=9\nABKNAME1=x\nPHNREDIAL=2=3\nABKNAME001=Ann";
        for octets in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), wide(text)] {
            let read = read_file(&octets).unwrap();
            let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            assert_eq!(read, [("ABKNAME001", "Ann"), ("PHNLABEL01", "Désk"), ("PHNREDIAL", "2=3")]);
        }
    }

    #[test]
    fn what_is_no_file_is_told() {
        assert_eq!(read_file(&[0xff, 0xfe, 0x41]), Err(FileError::Cut));
        assert_eq!(read_file(&[0xff, 0xfe, 0x00, 0xd8]), Err(FileError::NotText));
        assert_eq!(read_file(&[0x41, 0xff]), Err(FileError::NotText));
    }

    /// What a phone writes it reads back, the same in both encodings.
    #[test]
    fn both_encodings_of_a_backup_read_back_alike() {
        let who =
            Identity { index: 0, number: 0, extension: "20007".into(), mac: String::new(), serial: String::new() };
        let file = |encoding, size| avaya_file(&who, Upload { version: 1, size }, encoding);
        let narrow = read_file(&file(Encoding::Utf8, 4_000)).unwrap();
        let wide = read_file(&file(Encoding::Utf16Le, 8_002)).unwrap();
        assert_eq!(narrow, wide);
        assert_eq!(narrow["ABKNAME001"], "Contact 1 of 20007");
        assert_eq!(narrow["LOGACTIVE"], "1");
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..200), wide in any::<bool>()) {
            let octets = if wide { [&[0xff, 0xfe][..], &octets].concat() } else { octets };
            let _ = read_file(&octets);
        }
    }
}
