//! A family under test: a phone of it with reserved names, and what it may be given.

use std::time::Duration;

use toml::Table;

use super::Ground;
use crate::auth::Credentials;
use crate::phone::{
    Account, Family, Fleet, Identities, Identity, Operation, People, Registration, SettingsError, SizeRange, Step,
    Task, Template, Trigger, Upload, Why,
};

/// Extension of the phone under test unless another is named. Nobody's, it is hoped.
pub const EXTENSION: &str = "9999999";
/// Its MAC address: of the locally administered range.
pub const MAC: &str = "02b0057e5700";
/// A body as a phone sends it in ordinary life, in octets.
pub(super) const USUAL_BODY: u32 = 8_192;

/// A family under test.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The register's entry.
    pub registration: Registration,
    /// The family's settings.
    pub settings: Table,
    /// The credentials the server is said to accept.
    pub right: Credentials,
    /// The realm stored with them, as far as anybody said.
    pub realm: Option<String>,
    /// The realm the server has, as far as it said; what phones have stored unless a scenario is about that.
    pub server_realm: Option<String>,
    /// Extension of the phone.
    pub extension: String,
}

/// What the phone has stored when it is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// The right credentials under the realm the phones are said to have, be it the server's or not.
    Configured,
    /// Everything as the server has it.
    Right,
    /// A password the server refuses.
    Wrong,
    /// Nothing.
    Null,
    /// The right credentials under another realm.
    OtherRealm,
}

impl Subject {
    /// The phone's fleet: this one phone.
    ///
    /// # Errors
    /// [`SettingsError`] if the family does not take the settings.
    pub fn fleet(&self, stored: Stored, changes: &Table, body: u32) -> Result<Fleet, SettingsError> {
        let mut settings = self.settings.clone();
        settings.extend(changes.clone());
        let family = (self.registration.read)(&settings)?;
        let (configured, server) = (self.realm.as_ref(), self.server_realm.as_ref());
        let realm = if stored == Stored::Configured { configured.or(server) } else { server.or(configured) };
        let share = |wanted| if stored == wanted { 1.0 } else { 0.0 };
        Ok(Fleet {
            name: self.registration.name.to_owned(),
            // A scenario that needs a boot returns the power.
            starts_on: true,
            keep_alive: None,
            family,
            first: 0,
            count: 1,
            identities: Identities::Derived {
                extension: literal(&self.extension)?,
                mac: literal(MAC)?,
                serial: literal("BOOTSTORM00")?,
            },
            account: Account {
                user: literal(self.right.user())?,
                password: literal(self.right.password())?,
                realm: realm.cloned().unwrap_or_default(),
                null: share(Stored::Null),
                wrong: share(Stored::Wrong),
                stale_realm: share(Stored::OtherRealm),
            },
            people: People { come: 0.0, think: (Duration::ZERO, Duration::ZERO), right: 1.0, attempts: 0 },
            backup_size: SizeRange { min: body, max: body },
        })
    }
}

/// The string as a template that says just that.
pub(crate) fn literal(text: &str) -> Result<Template, SettingsError> {
    Template::parse(&text.replace('{', "{{").replace('}', "}}"))
        .map_err(|error| SettingsError { key: None, message: error.to_string() })
}

/// Whether the family restores a backup of its own when it boots.
pub(crate) fn restores(family: &dyn Family) -> bool {
    family.boot().iter().any(|stage| stage.operation == Operation::Restore)
}

/// What a family does to fetch its own file, for the first time and again, and to store it.
#[derive(Clone, Copy, Debug)]
pub struct Habits {
    /// The operation that fetches the phone's own file.
    pub fetches: Operation,
    /// What sets it off after a boot, when a setup screen may show.
    pub fetch: Trigger,
    /// What sets it off again.
    pub fetch_again: Trigger,
    /// The operation that stores a file of the phone, if there is one.
    pub stores: Option<Operation>,
}

impl Habits {
    /// As the family has them.
    pub fn of(family: &dyn Family) -> Habits {
        let stores = family.on_trigger(Trigger::Backup).map(|(operation, _)| operation);
        let stores = stores.filter(|op| matches!(op, Operation::Backup | Operation::Report));
        if restores(family) {
            let fetch = Trigger::Restore;
            Habits { fetches: Operation::Restore, fetch, fetch_again: fetch, stores }
        } else {
            let fetch_again = Trigger::Resync;
            Habits { fetches: Operation::Resync, fetch: Trigger::PowerUp, fetch_again, stores }
        }
    }
}

/// The first request of an operation, as the family would send it without credentials.
pub(crate) fn first_step(fleet: &Fleet, operation: Operation, ground: &Ground) -> Option<Step> {
    let who: Identity = fleet.identity(fleet.first);
    let upload = Upload { version: 1, size: fleet.backup_size.min };
    fleet
        .family
        .step(0, &Task { who: &who, operation, why: Why::Asked, origin: &ground.origin, base: &ground.base, upload })
}

/// Where a family's settings name its places, so that they can be moved.
#[derive(Clone, Copy, Debug)]
pub struct Knobs {
    /// The family's name.
    pub family: &'static str,
    /// The setting that says where uploads go, its default, and whether it names a file rather than a folder.
    pub upload: (&'static str, &'static str, bool),
    /// The same for what is fetched.
    pub fetch: (&'static str, &'static str, bool),
}

/// The families whose places can be moved.
pub const KNOBS: &[Knobs] = &[
    Knobs { family: "avaya-96xx", upload: ("bruri", "/backup", false), fetch: ("bruri", "/backup", false) },
    Knobs {
        family: "cisco-mpp",
        upload: ("report-rule", "/reports/$MA.xml", true),
        fetch: ("profile-rule", "/$MA.xml", true),
    },
];

impl Subject {
    /// The change of settings that moves a place one folder deeper, into `folder`; none if the family cannot.
    pub(crate) fn moved(&self, place: fn(&Knobs) -> (&'static str, &'static str, bool), folder: &str) -> Option<Table> {
        let knobs = KNOBS.iter().find(|k| k.family == self.registration.name)?;
        let (key, default, is_file) = place(knobs);
        let now = self.settings.get(key).and_then(toml::Value::as_str).unwrap_or(default);
        // Options of a rule stay before its path.
        let (options, path) = match now.rsplit_once(']') {
            Some((options, path)) => (format!("{options}] "), path.trim()),
            None => (String::new(), now.trim()),
        };
        let moved = if is_file {
            let (before, name) = path.rsplit_once('/').unwrap_or(("", path));
            format!("{options}{before}/{folder}/{name}")
        } else {
            format!("{options}{}/{folder}/", path.trim_end_matches('/'))
        };
        let mut changes = Table::new();
        changes.insert(key.to_owned(), moved.into());
        Some(changes)
    }

    /// A setting's value, or its default.
    pub(crate) fn setting<'s>(&'s self, key: &str, default: &'s str) -> &'s str {
        self.settings.get(key).and_then(toml::Value::as_str).unwrap_or(default)
    }
}
