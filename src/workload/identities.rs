//! Who the phones are: templates checked, listed phones completed, no two alike.

use crate::phone::{Fleet, Identities, Identity, Listed, Template};

use super::csv::{Row, normal_mac};

/// Reads a template that derives an identity's own string, so that it may use numbers only.
pub(crate) fn own_template(source: &str) -> Result<Template, String> {
    let template = Template::parse(source).map_err(|e| e.to_string())?;
    // What the private pieces are shows in what they write.
    let probe = |mark: &str| Identity {
        index: 0,
        number: 0,
        extension: mark.to_owned(),
        mac: mark.to_owned(),
        serial: mark.to_owned(),
    };
    if template.fill(&probe("")) != template.fill(&probe("\u{1}")) {
        return Err(
            "{ext}, {mac}, {MAC} and {serial} stand for what is being derived here; use {number} or {index}".to_owned()
        );
    }
    Ok(template)
}

/// Reads a MAC template: colons and dashes between its digits go, upper case becomes lower; its places stay.
pub(crate) fn mac_template(source: &str) -> Result<Template, String> {
    let mut normal = String::with_capacity(source.len());
    let mut inside = false;
    for c in source.chars() {
        inside = match c {
            '{' => true,
            '}' => false,
            _ => inside,
        };
        match c {
            ':' | '-' | '.' | ' ' if !inside => {}
            _ if inside => normal.push(c),
            _ => normal.push(c.to_ascii_lowercase()),
        }
    }
    own_template(&normal)
}

/// The listed phones, what their lines do not say filled in by template.
pub(crate) fn listed(rows: Vec<Row>, first: u32, mac: &Template, serial: &Template) -> Identities {
    let complete = |(number, row): (usize, Row)| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let extension = row.extension;
        let index = first.saturating_add(number);
        let who = Identity { index, number, extension, mac: String::new(), serial: String::new() };
        let (mac, serial) =
            (row.mac.unwrap_or_else(|| mac.fill(&who)), row.serial.unwrap_or_else(|| serial.fill(&who)));
        Listed { extension: who.extension, mac, serial, credentials: row.credentials }
    };
    Identities::Listed(rows.into_iter().enumerate().map(complete).collect())
}

/// A phone whose identity cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clash {
    /// Its MAC is not twelve hex digits.
    Mac {
        /// Fleet.
        fleet: usize,
        /// Number in the fleet.
        number: u32,
        /// What the template gives.
        mac: String,
    },
    /// Its extension is empty.
    NoExtension {
        /// Fleet.
        fleet: usize,
        /// Number in the fleet.
        number: u32,
    },
    /// Another phone has the same extension or MAC.
    Same {
        /// `extension` or `mac`.
        key: &'static str,
        /// What both have.
        value: String,
        /// Fleet and number of the one.
        one: (usize, u32),
        /// Fleet and number of the other, which comes later.
        other: (usize, u32),
    },
}

/// Looks for phones without a usable identity, or with that of another; the first of each kind.
pub(crate) fn clashes(fleets: &[&Fleet]) -> Vec<Clash> {
    let mut found = Vec::new();
    let mut extensions = Same::new("extension");
    let mut macs = Same::new("mac");
    for (fleet, f) in fleets.iter().enumerate() {
        let mut usable = true;
        for number in 0..f.count {
            let who = f.identities.identity(f.first, number);
            if usable && who.extension.is_empty() {
                found.push(Clash::NoExtension { fleet, number });
                usable = false;
            }
            if usable && normal_mac(&who.mac).as_deref() != Some(who.mac.as_str()) {
                found.push(Clash::Mac { fleet, number, mac: who.mac.clone() });
                usable = false;
            }
            extensions.add(&who.extension, fleet, number);
            macs.add(&who.mac, fleet, number);
        }
        if !usable {
            // Its strings are wrong anyway: no use in telling that they are alike as well.
            extensions.forget(fleet);
            macs.forget(fleet);
        }
    }
    let identity = |(fleet, number): (usize, u32)| fleets.get(fleet).map(|f| f.identities.identity(f.first, number));
    found.extend(extensions.find(|at| identity(at).map(|who| who.extension)));
    found.extend(macs.find(|at| identity(at).map(|who| who.mac)));
    found
}

/// Looks for equal strings by their hashes: sixteen octets a phone, so that a million phones are no matter.
struct Same {
    key: &'static str,
    seen: Vec<(u64, u32, u32)>,
}

impl Same {
    fn new(key: &'static str) -> Same {
        Same { key, seen: Vec::new() }
    }

    fn add(&mut self, value: &str, fleet: usize, number: u32) {
        let mut hash = crate::phone::ContentHash::default();
        hash.update(value.as_bytes());
        self.seen.push((hash.finish(), fleet as u32, number));
    }

    fn forget(&mut self, fleet: usize) {
        self.seen.retain(|(_, f, _)| *f as usize != fleet);
    }

    /// The earliest phone that has the string of one before it.
    fn find(mut self, value: impl Fn((usize, u32)) -> Option<String>) -> Option<Clash> {
        self.seen.sort_unstable();
        let mut pairs: Vec<_> = self.seen.windows(2).filter(|w| w[0].0 == w[1].0).map(|w| (w[1], w[0])).collect();
        pairs.sort_unstable_by_key(|((_, fleet, number), _)| (*fleet, *number));
        pairs.into_iter().find_map(|((_, of, on), (_, ef, en))| {
            let (one, other) = ((ef as usize, en), (of as usize, on));
            let (a, b) = (value(one)?, value(other)?);
            // Equal hashes of different strings: one in ten million runs of a million phones.
            (a == b).then_some(Clash::Same { key: self.key, value: b, one, other })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_templates_hold_numbers_only() {
        assert_eq!(own_template("{index+20000}").map(|t| t.source().to_owned()), Ok("{index+20000}".to_owned()));
        for bad in ["{ext}", "a{MAC}", "{serial}0", "{mac}"] {
            assert!(own_template(bad).unwrap_err().contains("being derived"), "{bad}");
        }
        assert!(own_template("{nmber}").unwrap_err().contains("no place of a template"));
    }

    #[test]
    fn mac_templates_are_made_plain() {
        for (typed, plain) in [
            ("00:1B:4F:{number:06x}", "001b4f{number:06x}"),
            ("00-1b-4f-{number+1:06x}", "001b4f{number+1:06x}"),
            ("02{index:010x}", "02{index:010x}"),
        ] {
            assert_eq!(mac_template(typed).map(|t| t.source().to_owned()), Ok(plain.to_owned()));
        }
    }
}
