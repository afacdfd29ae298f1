//! What phones upload: content that is a pure function of phone, version and size.

use std::fmt::Write;
use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::avaya::{FileError, read_file};
use super::digits::push_decimal;
use super::{Identity, Upload};

/// How an Avaya backup file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8 (assumed).
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, little endian, with byte order mark [doc for a sister model].
    #[serde(rename = "utf-16le")]
    Utf16Le,
}

/// Names that begin every file, with a value; the contact list fills the rest [doc].
const OPTIONS: [(&str, &str); 9] = [
    ("LOGACTIVE", "1"),
    ("OPTAUDIOPATH", "1"),
    ("OPTCLICKS", "1"),
    ("PERSONALRING", "3"),
    ("PHNREDIAL", "1"),
    ("PHNSCRONCALL", "0"),
    ("PHNTIMERS", "0"),
    ("PHNVISUALALERT", "1"),
    ("PHNLABEL01", "Desk"),
];

/// So many lines of either file are made once: most files have no more, and each upload is made anew.
const READY: u32 = 1_200;

/// The options, line by line.
static HEAD: LazyLock<String> =
    LazyLock::new(|| OPTIONS.iter().map(|(name, value)| format!("{name}={value}\n")).collect());

/// The first contacts, for extensions of each length: made when one of it first uploads.
static CONTACTS: [OnceLock<Contacts>; PATCH + 1] = [const { OnceLock::new() }; PATCH + 1];

/// The lines of the first contacts in one piece, with room in each for an extension of a certain length.
struct Contacts {
    text: String,
    /// Where the extension stands in each.
    extensions: Vec<usize>,
    /// Where each ends.
    ends: Vec<usize>,
}

/// What follows an extension in all contacts.
const FOLLOWS: &str = "\nABKNUMBER";
/// So many octets are written for an extension, with the beginning of what follows it: as many each time is what
/// processors do at once.
const PATCH: usize = 12;

/// The lines of the first parameters.
static PARAMETERS: LazyLock<Vec<String>> = LazyLock::new(|| (0..READY).map(parameter).collect());

impl Contacts {
    fn new(length: usize) -> Contacts {
        let mut contacts = Contacts { text: String::new(), extensions: Vec::new(), ends: Vec::new() };
        for number in 1..=READY {
            let [before, after] = contact(number);
            contacts.text.push_str(&before);
            contacts.extensions.push(contacts.text.len());
            contacts.text.extend(std::iter::repeat_n(' ', length));
            contacts.text.push_str(&after);
            contacts.ends.push(contacts.text.len());
        }
        contacts
    }

    /// Adds the first contacts for as long as there are less than `below` octets; says how many.
    fn add(&self, text: &mut Vec<u8>, extension: &str, below: usize) -> u32 {
        let begins = text.len();
        if begins >= below {
            return 0;
        }
        let count = self.ends.len().min(1 + self.ends.partition_point(|end| begins + end < below));
        let Some(end) = self.ends.get(count - 1) else { return 0 };
        text.extend_from_slice(&self.text.as_bytes()[..*end]);
        let mut patch = [0; PATCH];
        for (octet, put) in patch.iter_mut().zip(extension.bytes().chain(FOLLOWS.bytes())) {
            *octet = put;
        }
        for at in &self.extensions[..count] {
            if let Some(place) = text.get_mut(begins + at..begins + at + PATCH) {
                place.copy_from_slice(&patch);
            }
        }
        count as u32
    }
}

/// What comes before and after the extension in the lines of a contact.
fn contact(number: u32) -> [String; 2] {
    let before = format!("ABKNAME{number:03}=Contact {number} of ");
    [before, format!("{FOLLOWS}{number:03}={}\n", 20_000 + number)]
}

fn parameter(number: u32) -> String {
    format!("<Parameter_{number:04}_ ua=\"na\">{:08x}</Parameter_{number:04}_>\n", number * 7)
}

/// An Avaya backup file of exactly `upload.size` octets where that is possible: `name=value` lines,
/// options first, then contacts, the last line filled up. Volume is not in it (seed).
pub fn avaya_file(who: &Identity, upload: Upload, encoding: Encoding) -> Bytes {
    let octets = upload.size as usize;
    let wanted = match encoding {
        Encoding::Utf8 => octets,
        Encoding::Utf16Le => octets.saturating_sub(2) / 2,
    };
    let mut text = String::with_capacity(wanted.max(HEAD.len()) + 64);
    text.push_str(&HEAD);
    // Told apart by version, so that what is read back can be compared with what was stored.
    text.push_str("ABKVERSION=");
    push_decimal(&mut text, upload.version.into(), 0);
    text.push('\n');
    let mut text = text.into_bytes();
    let (extension, below) = (&who.extension, wanted.saturating_sub(64));
    let room = (PATCH - FOLLOWS.len()..=PATCH).contains(&extension.len()).then(|| CONTACTS.get(extension.len()));
    let ready = room.flatten().map(|ready| ready.get_or_init(|| Contacts::new(extension.len())));
    let mut number = ready.map_or(0, |ready| ready.add(&mut text, extension, below));
    while text.len() < below {
        number += 1;
        let [before, after] = contact(number);
        [&before, extension, &after].into_iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
    }
    fill(&mut text, "PHNLABEL02=", wanted);
    match encoding {
        Encoding::Utf8 => Bytes::from(text),
        Encoding::Utf16Le => {
            let text = String::from_utf8_lossy(&text);
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            Bytes::from(units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
        }
    }
}

/// A Cisco configuration report: `<device><flat-profile>…`, about `upload.size` octets (about 1,100
/// parameters make the 56 KB of a real phone) (doc).
pub fn cisco_report(who: &Identity, model: &str, upload: Upload) -> Bytes {
    const END: &str = "</flat-profile></device>\n";
    let wanted = (upload.size as usize).saturating_sub(END.len());
    let mut text = String::with_capacity(wanted + 128);
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<device xsi:type=\"axl:XIPPhone\"><flat-profile>\n");
    let _ = writeln!(text, "<Product_Name>{model}</Product_Name>\n<MAC_Address>{}</MAC_Address>", who.mac);
    let _ = writeln!(text, "<Serial_Number>{}</Serial_Number>\n<GPP_A>{}</GPP_A>", who.serial, upload.version);
    for number in 0.. {
        if text.len() + 72 >= wanted {
            break;
        }
        match PARAMETERS.get(number as usize) {
            Some(line) => text.push_str(line),
            None => text.push_str(&parameter(number)),
        }
    }
    text.push_str(END);
    Bytes::from(text)
}

/// A Cisco configuration report of what has changed only (`--delta`): a few parameters, whatever the size of a whole
/// one (assumed).
pub fn cisco_delta(who: &Identity, model: &str, upload: Upload) -> Bytes {
    cisco_report(who, model, Upload { size: upload.size.min(600), ..upload })
}

/// Fills `text` up to `wanted` octets with one line that begins with `name`, if there is room for it.
fn fill(text: &mut Vec<u8>, name: &str, wanted: usize) {
    let room = wanted.saturating_sub(text.len());
    if room > name.len() {
        text.extend_from_slice(name.as_bytes());
        text.resize(wanted - 1, b'x');
        text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who() -> Identity {
        Identity { index: 7, number: 7, extension: "20007".into(), mac: "00562b043615".into(), serial: "FCH1".into() }
    }

    #[test]
    fn a_backup_has_the_size_asked_for_and_a_content_of_its_own() {
        for size in [1_000, 1_001, 4_096, 40_000] {
            let file = |version| avaya_file(&who(), Upload { version, size }, Encoding::Utf8);
            assert_eq!(file(1).len(), size as usize);
            assert_ne!(file(1), file(2));
            assert_eq!(file(1), file(1));
            let wide = avaya_file(&who(), Upload { version: 1, size }, Encoding::Utf16Le);
            assert_eq!(wide.len(), size as usize / 2 * 2);
            assert_eq!(wide[..2], [0xff, 0xfe]);
        }
    }

    #[test]
    fn lines_beyond_those_made_before_go_on_alike() {
        let file = avaya_file(&who(), Upload { version: 1, size: 100_000 }, Encoding::Utf8);
        let text = std::str::from_utf8(&file).unwrap();
        for number in [1, READY, READY + 1] {
            let lines =
                format!("ABKNAME{number:03}=Contact {number} of 20007\nABKNUMBER{number:03}={}\n", 20_000 + number);
            assert!(text.contains(&lines), "{lines}");
        }
        let report = cisco_report(&who(), "x", Upload { version: 1, size: 100_000 });
        let text = std::str::from_utf8(&report).unwrap();
        for number in [0, READY - 1, READY] {
            let line = format!(">\n<Parameter_{number:04}_ ua=\"na\">{:08x}</Parameter_{number:04}_>\n<", number * 7);
            assert!(text.contains(&line), "{line}");
        }
    }

    /// As a phone would write it, line by line.
    fn line_by_line(who: &Identity, upload: Upload) -> String {
        let (wanted, mut text) = (upload.size as usize, HEAD.clone());
        text += &format!("ABKVERSION={}\n", upload.version);
        for number in 1.. {
            if text.len() + 64 >= wanted {
                break;
            }
            let [before, after] = contact(number);
            text += &[&before, &*who.extension, &after].concat();
        }
        let room = wanted.saturating_sub(text.len());
        if room > "PHNLABEL02=".len() {
            text += &format!("PHNLABEL02={}\n", "x".repeat(room - 12));
        }
        text
    }

    #[test]
    fn a_backup_is_the_same_whatever_of_it_was_made_before() {
        for extension in ["", "1", "12", "20007", "123456789012", "1234567890123", "\u{e4}\u{f6}"] {
            let who = Identity { extension: extension.into(), ..who() };
            for size in (0..600).chain([2_000, 2_001, 60_000, 100_000]) {
                let upload = Upload { version: size + 1, size };
                let file = avaya_file(&who, upload, Encoding::Utf8);
                assert_eq!(std::str::from_utf8(&file).unwrap(), line_by_line(&who, upload), "{extension} {size}");
            }
        }
    }

    #[test]
    fn a_backup_is_lines_of_name_and_value() {
        let file = avaya_file(&who(), Upload { version: 1, size: 2_000 }, Encoding::Utf8);
        let text = std::str::from_utf8(&file).unwrap();
        assert!(text.lines().all(|line| line.split_once('=').is_some_and(|(n, v)| !n.is_empty() && !v.is_empty())));
        assert!(!text.contains("VOLUME"), "volume is not in the file [seed]");
    }

    #[test]
    fn a_report_is_near_the_size_asked_for() {
        let report = cisco_report(&who(), "CP-8841-3PCC", Upload { version: 1, size: 56_000 });
        assert!((55_900..=56_000).contains(&report.len()), "{}", report.len());
        assert!(report.ends_with(b"</device>\n"));
    }
}
