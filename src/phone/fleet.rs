//! A fleet: phones of one family that share settings, credentials' rule and people.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::identity::{Piece, Told};
use super::{Chance, Family, Identities, Identity, Purpose, Template};
use crate::auth::{CredentialStore, Credentials};

/// Phones of one family. Everything about a single phone derives from its index.
#[derive(Debug)]
pub struct Fleet {
    /// The name in the workload.
    pub name: String,
    /// What these phones are: URL rules, credential rules, timers, screens.
    pub family: Arc<dyn Family>,
    /// Index of the first phone in the run.
    pub first: u32,
    /// How many phones.
    pub count: u32,
    /// Where identities come from.
    pub identities: Identities,
    /// The credentials the server knows, and how many phones hold something else.
    pub account: Account,
    /// Who comes when a screen waits.
    pub people: People,
    /// How large a backup file is.
    pub backup_size: SizeRange,
    /// Whether the phones are up and provisioned when the run begins; off otherwise.
    pub starts_on: bool,
    /// Whether connections are kept for the next exchange; none: as the family does.
    pub keep_alive: Option<bool>,
}

/// The credentials of a fleet's phones: the right ones, and the shares of phones that have others.
/// `Debug` does not show the password.
#[derive(Clone, PartialEq)]
pub struct Account {
    /// The right user name.
    pub user: Template,
    /// The right password.
    pub password: Template,
    /// The realm stored along with them.
    pub realm: String,
    /// Share of phones that store nothing (0 to 1).
    pub null: f64,
    /// Share of phones that store a wrong password.
    pub wrong: f64,
    /// Share of phones that store the right credentials under another realm.
    pub stale_realm: f64,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("user", &self.user)
            .field("password", &"***")
            .field("realm", &self.realm)
            .field("null", &self.null)
            .field("wrong", &self.wrong)
            .field("stale_realm", &self.stale_realm)
            .finish()
    }
}

/// What a phone has stored when the run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    /// User, password and realm as the server has them.
    Right,
    /// Nothing: null, as when the phone was new.
    Null,
    /// A password the server refuses.
    Wrong,
    /// Right user and password, but stored under another realm.
    StaleRealm,
}

/// The people near the phones.
#[derive(Clone, Debug, PartialEq)]
pub struct People {
    /// Share of phones whose person comes to a waiting screen at all (0: nobody is in the building).
    pub come: f64,
    /// Least and greatest time until they have typed; uniform between.
    pub think: (Duration, Duration),
    /// Probability that what they type is right, each time.
    pub right: f64,
    /// How many times one person types before giving up.
    pub attempts: u32,
}

/// A range of sizes in octets, uniform between, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeRange {
    /// The least.
    pub min: u32,
    /// The greatest.
    pub max: u32,
}

impl SizeRange {
    /// The size for `unit` in `[0, 1)`.
    pub fn at(self, unit: f64) -> u32 {
        let span = f64::from(self.max.saturating_sub(self.min)) + 1.0;
        self.min + (span * unit) as u32
    }
}

impl Default for People {
    /// Nobody comes.
    fn default() -> Self {
        People { come: 0.0, think: (Duration::from_secs(30), Duration::from_secs(300)), right: 1.0, attempts: 3 }
    }
}

/// What a wrong password has before the right one, so that it is surely wrong.
const WRONG: &str = "not-";
/// The realm under which stale credentials are stored.
pub(crate) const STALE_REALM: &str = "a realm of long ago";

impl Fleet {
    /// Whether phone `index` of the run is one of these.
    pub fn contains(&self, index: u32) -> bool {
        (self.first..self.first.saturating_add(self.count)).contains(&index)
    }

    /// Who phone `index` of the run is.
    pub fn identity(&self, index: u32) -> Identity {
        self.identities.identity(self.first, index - self.first)
    }

    /// Whether [`Fleet::told_by`] finds every phone by the string that `template` makes for it.
    pub fn can_be_told_by(&self, template: &Template) -> bool {
        let Identities::Derived { extension, mac, serial } = &self.identities else { return false };
        match template.only_place() {
            None | Some(Piece::Text(_)) => false,
            Some(Piece::Number { .. }) => true,
            // What these derive from is numbers only.
            Some(Piece::Extension) => extension.only_place().is_some(),
            Some(Piece::Mac { .. }) => mac.only_place().is_some(),
            Some(Piece::Serial) => serial.only_place().is_some(),
        }
    }

    /// The only phone for which `template` may make this string, upper and lower case being alike: reckoned from its
    /// digits, however large the fleet. Whether it does is for the caller to see: zeros may be too many, for one.
    pub fn told_by(&self, template: &Template, text: &str) -> Option<Identity> {
        let Identities::Derived { extension, mac, serial } = &self.identities else { return None };
        let told = match template.read_back(text)? {
            Told::Extension(text) => extension.read_back(text)?,
            Told::Mac(text) => mac.read_back(text)?,
            Told::Serial(text) => serial.read_back(text)?,
            number => number,
        };
        let number = match told {
            Told::Number(number) => number,
            Told::Index(index) => index.checked_sub(self.first)?,
            Told::Extension(_) | Told::Mac(_) | Told::Serial(_) => return None,
        };
        (number < self.count).then(|| self.identities.identity(self.first, number))
    }

    /// The credentials the server accepts from this phone.
    pub fn right_credentials(&self, who: &Identity) -> Credentials {
        match self.identities.credentials(who.number) {
            Some((user, password)) => Credentials::new(user, password),
            None => Credentials::new(self.account.user.fill(who), self.account.password.fill(who)),
        }
    }

    /// Credentials the server refuses.
    pub fn wrong_credentials(&self, who: &Identity) -> Credentials {
        let right = self.right_credentials(who);
        Credentials::new(right.user(), format!("{WRONG}{}", right.password()))
    }

    /// What phone `index` has stored when the run begins: by share, drawn per phone.
    pub fn credential_state(&self, chance: &Chance, index: u32) -> CredentialState {
        let u = chance.draw(index, Purpose::CredentialState, 0).unit();
        let a = &self.account;
        if u < a.null {
            CredentialState::Null
        } else if u < a.null + a.wrong {
            CredentialState::Wrong
        } else if u < a.null + a.wrong + a.stale_realm {
            CredentialState::StaleRealm
        } else {
            CredentialState::Right
        }
    }

    /// The credential store of phone `index` as it is when the run begins.
    pub fn stored(&self, chance: &Chance, who: &Identity) -> CredentialStore {
        match self.credential_state(chance, who.index) {
            CredentialState::Null => CredentialStore::null(),
            CredentialState::Right => CredentialStore::holding(self.right_credentials(who), &self.account.realm),
            CredentialState::Wrong => CredentialStore::holding(self.wrong_credentials(who), &self.account.realm),
            CredentialState::StaleRealm => CredentialStore::holding(self.right_credentials(who), STALE_REALM),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::phone::bench;

    fn fleet(extension: &str, mac: &str, serial: &str) -> Fleet {
        let template = |text: &str| Template::parse(text).unwrap();
        let identities =
            Identities::Derived { extension: template(extension), mac: template(mac), serial: template(serial) };
        Fleet { first: 100, count: 1_000, identities, ..bench::fleet("avaya-96xx", "") }
    }

    #[test]
    fn what_has_no_place_or_two_tells_no_phone() {
        let fleet = fleet("{number}", "0056{number:04x}{number:04x}", "X");
        let can = |text: &str| fleet.can_be_told_by(&Template::parse(text).unwrap());
        for (text, told) in [
            ("{ext}", true),
            ("a{ext}b", true),
            ("{index+7:09x}", true),
            ("{mac}", false),
            ("{MAC}", false),
            ("{serial}", false),
            ("phone", false),
            ("", false),
            ("{ext}{ext}", false),
            ("{number}-{ext}", false),
        ] {
            assert_eq!(can(text), told, "{text}");
        }
    }

    #[test]
    fn a_string_of_another_form_tells_nobody() {
        let fleet = fleet("7{number+20:03}", "00562b{index:06x}", "F{number}");
        let told =
            |template: &str, text: &str| fleet.told_by(&Template::parse(template).unwrap(), text).map(|who| who.number);
        for (template, text, number) in [
            ("{ext}", "7020", Some(0)),
            ("{ext}", "71019", Some(999)),
            ("{ext}", "71020", None),
            ("{ext}", "7019", None),
            ("{ext}", "8020", None),
            ("{ext}", "7", None),
            ("{ext}", "", None),
            ("{ext}", "70\u{fc}20", None),
            ("{ext}", "799999999999999999999", None),
            ("u-{ext}@x", "U-7020@X", Some(0)),
            ("u-{ext}@x", "u-@x", None),
            ("u-{ext}@x", "u-x", None),
            ("{MAC}", "00562B000064", Some(0)),
            ("{mac}", "00562b000063", None),
            ("{serial}", "f5", Some(5)),
        ] {
            assert_eq!(told(template, text), number, "{template} {text}");
        }
    }

    fn number() -> impl Strategy<Value = String> {
        let format = (prop_oneof!["index", "number"], 0..3_000u64, 0..14usize, any::<bool>());
        format.prop_map(|(name, add, width, hex)| format!("{{{name}+{add}:0{width}{}}}", if hex { "x" } else { "" }))
    }

    proptest! {
        /// Whatever the templates: each phone is told by its own string.
        #[test]
        fn each_phone_is_told_by_its_string(
            own in ("[a-z0-9ä]{0,3}", number(), "[a-f0-9]{0,3}").prop_map(|(a, n, b)| a + &n + &b),
            around in ("[A-Za-z0-9ä]{0,3}", "[A-Z0-9.]{0,3}"),
            place in prop_oneof!["ext", "mac", "MAC", "serial", "number", "index:06x"],
            index in 100..1_100u32,
        ) {
            let fleet = fleet(&own, &own, &own);
            let template = Template::parse(&format!("{}{{{place}}}{}", around.0, around.1)).unwrap();
            prop_assert!(fleet.can_be_told_by(&template));
            let who = fleet.identity(index);
            let text = template.fill(&who);
            // Upper case beyond ASCII is not alike: MACs have none.
            prop_assume!(place != "MAC" || text.is_ascii());
            prop_assert_eq!(fleet.told_by(&template, &text.to_ascii_uppercase()), Some(who));
        }
    }
}
