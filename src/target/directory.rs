//! Finding phones by what they are called.

use std::sync::Arc;

use crate::phone::{ContentHash, Fleet, Identities, Identity, Template};

/// By what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Their extensions.
    Extension,
    /// Their MAC addresses.
    Mac,
}

impl By {
    fn of(self, who: &Identity) -> &str {
        match self {
            By::Extension => &who.extension,
            By::Mac => &who.mac,
        }
    }

    fn template(self, fleet: &Fleet) -> Option<&Template> {
        match (&fleet.identities, self) {
            (Identities::Derived { extension, .. }, By::Extension) => Some(extension),
            (Identities::Derived { mac, .. }, By::Mac) => Some(mac),
            (Identities::Listed(_), _) => None,
        }
    }
}

/// The phones of some fleets, by a name they have. Upper and lower case are alike.
///
/// Where names derive from numbers, the number is read back from the name: a million phones take neither time before
/// the first of them starts nor memory. The others are in a table of hashes, 16 octets a phone.
#[derive(Debug)]
pub(crate) struct Directory {
    by: By,
    fleets: Vec<Arc<Fleet>>,
    /// Hashes of the names that cannot be read back, sorted, with the phone.
    table: Vec<(u64, u32)>,
}

impl Directory {
    pub(crate) fn of(fleets: &[Arc<Fleet>], by: By) -> Directory {
        let mut table = Vec::new();
        for fleet in fleets {
            if by.template(fleet).is_some_and(|template| fleet.can_be_told_by(template)) {
                continue;
            }
            let indexes = fleet.first..fleet.first.saturating_add(fleet.count);
            table.extend(indexes.map(|index| (hash(by.of(&fleet.identity(index))), index)));
        }
        table.sort_unstable();
        Directory { by, fleets: fleets.to_vec(), table }
    }

    /// The phone called this, and its fleet.
    pub(crate) fn find(&self, name: &str) -> Option<(&Fleet, Identity)> {
        let same = |who: &Identity| self.by.of(who).eq_ignore_ascii_case(name);
        let read_back = |fleet: &Fleet| fleet.told_by(self.by.template(fleet)?, name).filter(same);
        let told = self.fleets.iter().find_map(|fleet| Some((&**fleet, read_back(fleet)?)));
        told.or_else(|| {
            let wanted = hash(name);
            let from = self.table.partition_point(|(h, _)| *h < wanted);
            self.table[from..].iter().take_while(|(h, _)| *h == wanted).find_map(|(_, phone)| {
                let fleet = self.fleets.iter().find(|f| f.contains(*phone))?;
                let who = fleet.identity(*phone);
                same(&who).then_some((&**fleet, who))
            })
        })
    }
}

/// A hash that does not tell upper from lower case.
pub(crate) fn hash(name: &str) -> u64 {
    let mut hash = ContentHash::default();
    hash.update(name.to_ascii_lowercase().as_bytes());
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phone::Listed;
    use crate::target::fixture::fleet;

    /// Derived, listed, and with a MAC of two places: each as many phones.
    fn fleets() -> Vec<Arc<Fleet>> {
        let own = |first, identities| {
            let Ok(plain) = Arc::try_unwrap(fleet("u", "p", 50)) else { panic!("nobody else has it") };
            Arc::new(Fleet { first, identities, ..plain })
        };
        let template = |text: &str| Template::parse(text).unwrap();
        let listed = (0..50).map(|n| Listed {
            extension: format!("Lobby{n}"),
            mac: format!("aaaa{n:08x}"),
            serial: String::new(),
            credentials: None,
        });
        let twice = Identities::Derived {
            extension: template("{number+5}{number+5}"),
            mac: template("bb{number:04x}{index:06x}"),
            serial: template("S"),
        };
        vec![fleet("u", "p", 50), own(50, Identities::Listed(listed.collect())), own(100, twice)]
    }

    #[test]
    fn every_phone_is_found_by_each_of_its_names_in_any_case() {
        let fleets = fleets();
        for by in [By::Extension, By::Mac] {
            let directory = Directory::of(&fleets, by);
            assert_eq!(directory.table.len(), 100, "only what cannot be read back takes memory");
            for index in 0..150 {
                let fleet = &fleets[index as usize / 50];
                let who = fleet.identity(index);
                for name in [by.of(&who).to_owned(), by.of(&who).to_uppercase()] {
                    let (found, phone) = directory.find(&name).unwrap();
                    assert_eq!((found.first, &phone), (fleet.first, &who), "{name}");
                }
            }
        }
    }

    #[test]
    fn nobody_else_is_found() {
        let directory = Directory::of(&fleets(), By::Extension);
        for name in ["", "20050", "020007", "+20007", "20007 ", "lobby50", "lobby", "56", "555"] {
            assert!(directory.find(name).is_none(), "{name}");
        }
        let directory = Directory::of(&fleets(), By::Mac);
        for name in ["00562b32", "00562b000032", "00562b00000000", "bb000000000f", "20007"] {
            assert!(directory.find(name).is_none(), "{name}");
        }
    }
}
