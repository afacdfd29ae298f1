//! What phones upload: content that is a pure function of phone, version and size.

use std::fmt::Write;
use std::sync::LazyLock;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::avaya::{FileError, read_file};
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

/// What comes before and after the extension in the lines of the first contacts.
static CONTACTS: LazyLock<Vec<[String; 2]>> = LazyLock::new(|| (1..=READY).map(contact).collect());

/// The lines of the first parameters.
static PARAMETERS: LazyLock<Vec<String>> = LazyLock::new(|| (0..READY).map(parameter).collect());

fn contact(number: u32) -> [String; 2] {
    let before = format!("ABKNAME{number:03}=Contact {number} of ");
    [before, format!("\nABKNUMBER{number:03}={}\n", 20_000 + number)]
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
    let mut text = String::with_capacity(wanted + 64);
    text.push_str(&HEAD);
    // Told apart by version, so that what is read back can be compared with what was stored.
    let _ = writeln!(text, "ABKVERSION={}", upload.version);
    for number in 1.. {
        if text.len() + 64 >= wanted {
            break;
        }
        let made;
        let [before, after] = match CONTACTS.get(number as usize - 1) {
            Some(lines) => lines,
            None => {
                made = contact(number);
                &made
            }
        };
        [before, &who.extension, after].into_iter().for_each(|part| text.push_str(part));
    }
    fill(&mut text, "PHNLABEL02=", wanted);
    match encoding {
        Encoding::Utf8 => Bytes::from(text),
        Encoding::Utf16Le => {
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
fn fill(text: &mut String, name: &str, wanted: usize) {
    let room = wanted.saturating_sub(text.len());
    if room > name.len() {
        text.push_str(name);
        text.extend(std::iter::repeat_n('x', room - name.len() - 1));
        text.push('\n');
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
