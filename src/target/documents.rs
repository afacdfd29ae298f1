//! Files that are there although nobody stored them: settings, profiles, and (prefilled) every phone's backup.
//! Each is a pure function of the fleets and the seed.

use std::sync::Arc;

use bytes::Bytes;

use super::FilePath;
use super::content::{self, Backup};
use super::directory::{By, Directory, hash};
use crate::phone::{Chance, Fleet, Identity, Purpose, SizeRange};

/// Ends the name of an Avaya backup file, after the extension \[doc\].
const BACKUP_SUFFIX: &str = "_96xxdata.txt";
/// Digits in a MAC address.
const MAC_DIGITS: usize = 12;
/// Draws for prefilled backups: far from the counters a phone uses for its own.
const PREFILLED: u64 = u64::MAX;
/// Sizes of prefilled backups where no fleet says otherwise \[assumed\].
const ANY_SIZE: SizeRange = SizeRange { min: 1_000, max: 40_000 };

/// The generated files.
#[derive(Debug)]
pub struct Documents {
    /// Whether there are no fleets: then every phone is known.
    for_anyone: bool,
    extensions: Directory,
    macs: Directory,
    prefilled: bool,
    chance: Chance,
    settings: Bytes,
    upgrade: Bytes,
}

/// A generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its `Content-Type`.
    pub content_type: &'static str,
    /// Its content.
    pub content: Bytes,
}

impl Documents {
    /// The files of these fleets. Without any fleet, every extension and every MAC address is known: a target
    /// for phones nobody has listed.
    pub fn of(fleets: &[Arc<Fleet>], prefilled: bool, chance: Chance) -> Documents {
        // Who has no backups is not asked for by extension.
        let with_backups = if prefilled { fleets } else { &[] };
        let (settings, upgrade) = (content::settings(), content::upgrade());
        Documents {
            for_anyone: fleets.is_empty(),
            extensions: Directory::of(with_backups, By::Extension),
            macs: Directory::of(fleets, By::Mac),
            prefilled,
            chance,
            settings,
            upgrade,
        }
    }

    /// Whether there is a file of this path; cheaper than making it.
    pub fn has(&self, path: &FilePath) -> bool {
        self.kind(path).is_some()
    }

    /// The file of this path, in whatever folder.
    pub fn find(&self, path: &FilePath) -> Option<Document> {
        let (content_type, content) = match self.kind(path)? {
            Kind::Settings => ("text/plain", self.settings.clone()),
            Kind::Upgrade => ("text/plain", self.upgrade.clone()),
            Kind::Profile(who) => ("text/xml", content::profile(&who)),
            Kind::Backup { who, sizes } => {
                let mut draw = self.chance.draw(who.index, Purpose::Backup, PREFILLED);
                let size = sizes.at(draw.unit());
                ("text/plain", Backup { who: &who, size: size as usize }.write(&mut draw))
            }
        };
        Some(Document { content_type, content })
    }

    fn kind(&self, path: &FilePath) -> Option<Kind> {
        let name = path.name();
        // The names of the upgrade and settings files [doc]; their .scr twins are routinely missing [doc].
        match name.to_ascii_lowercase().as_str() {
            "96x1hupgrade.txt" | "96xxupgrade.txt" => return Some(Kind::Upgrade),
            "46xxsettings.txt" => return Some(Kind::Settings),
            lower => {
                if self.prefilled
                    && let Some(extension) = lower.strip_suffix(BACKUP_SUFFIX)
                {
                    return self.backup(extension);
                }
                if lower.ends_with(".xml") || lower.ends_with(".cfg") {
                    return mac_in(lower).and_then(|mac| self.profile(mac));
                }
            }
        }
        None
    }

    fn backup(&self, extension: &str) -> Option<Kind> {
        if self.for_anyone {
            let sure = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_digit());
            return sure.then(|| Kind::Backup { who: stranger(extension, ""), sizes: ANY_SIZE });
        }
        let (fleet, who) = self.extensions.find(extension)?;
        Some(Kind::Backup { who, sizes: fleet.backup_size })
    }

    fn profile(&self, mac: &str) -> Option<Kind> {
        if self.for_anyone {
            return Some(Kind::Profile(stranger("", mac)));
        }
        let (_, who) = self.macs.find(mac)?;
        Some(Kind::Profile(who))
    }
}

enum Kind {
    Settings,
    Upgrade,
    Profile(Identity),
    Backup { who: Identity, sizes: SizeRange },
}

/// A phone of no fleet: everything derives from the one thing that is known of it.
fn stranger(extension: &str, mac: &str) -> Identity {
    let index = (hash(if mac.is_empty() { extension } else { mac }) & u64::from(u32::MAX)) as u32;
    let extension = if extension.is_empty() { format!("{:05}", index % 100_000) } else { extension.to_owned() };
    Identity { index, number: 0, extension, mac: mac.to_owned(), serial: format!("FCH{index:08X}") }
}

/// The first run of exactly twelve hex digits in a lower-case name.
fn mac_in(name: &str) -> Option<&str> {
    name.split(|c: char| !c.is_ascii_hexdigit()).find(|run| run.len() == MAC_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::fixture::{fleet, text};

    fn path(raw: &str) -> FilePath {
        FilePath::parse(raw).unwrap()
    }

    fn documents(prefilled: bool) -> Documents {
        Documents::of(&[fleet("u", "p", 50)], prefilled, Chance::new(7))
    }

    #[test]
    fn what_is_there_and_what_is_not() {
        let table = [
            ("/46xxsettings.txt", true),
            ("/96x1Hupgrade.txt", true),
            ("/avaya/96xxupgrade.txt", true),
            ("/46xxsettings.scr", false),
            ("/96x1Hupgrade.scr", false),
            ("/00562b000007.xml", true),
            ("/Cisco/CP-8851-3PCC/00562B000007.cfg", true),
            ("/spa00562b000007.xml", false), // "spa" runs into the digits: no MAC stands alone
            ("/spa-00562b000007.xml", true),
            ("/00562b0000ff.xml", false),
            ("/00562b000007.bin", false),
            ("/20007_96xxdata.txt", true),
            ("/backup/20049_96xxdata.txt", true),
            ("/20050_96xxdata.txt", false),
            ("/firmware.tar", false),
            ("/", false),
        ];
        let prefilled = documents(true);
        for (raw, there) in table {
            assert_eq!(prefilled.has(&path(raw)), there, "{raw}");
            assert_eq!(prefilled.find(&path(raw)).is_some(), there, "{raw}");
        }
        assert!(!documents(false).has(&path("/20007_96xxdata.txt")));
    }

    #[test]
    fn a_phones_file_is_its_own_and_always_the_same() {
        let documents = documents(true);
        let of = |raw: &str| text(documents.find(&path(raw)).unwrap().content);
        assert_eq!(of("/a/20003_96xxdata.txt"), of("/20003_96xxdata.txt"));
        assert_ne!(of("/20003_96xxdata.txt"), of("/20004_96xxdata.txt"));
        assert!(of("/00562b000003.xml").contains("<User_ID_1_ ua=\"na\">20003</User_ID_1_>"));
        for n in 20_000..20_050 {
            let size = of(&format!("/{n}_96xxdata.txt")).len();
            assert!((1000..=4000).contains(&size), "{n}: {size}");
        }
    }

    #[test]
    fn without_fleets_every_phone_is_known() {
        let documents = Documents::of(&[], true, Chance::new(1));
        assert!(documents.has(&path("/0123456789ab.xml")) && documents.has(&path("/7_96xxdata.txt")));
        assert!(!documents.has(&path("/x_96xxdata.txt")) && !documents.has(&path("/profile.xml")));
    }
}
