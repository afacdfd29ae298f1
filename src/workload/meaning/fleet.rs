//! `[[fleet]]`: how many, of which family, who they are.

use std::sync::Arc;

use super::Meaning;
use crate::phone::{Account, Family, Fleet, Identities, People, SizeRange, Template};
use crate::workload::csv::{self, Row};
use crate::workload::effective::mask_options;
use crate::workload::error::{Place, Problem, suggest};
use crate::workload::file::{ConnectionsWord, CredentialsSection, FleetSection, PeopleSection};
use crate::workload::identities::{Clash, clashes, listed, mac_template, own_template};
use crate::workload::keys::{FamilySettings, right_key};
use crate::workload::locate::{KeyPath, key};
use crate::workload::quantity::Count;
use crate::workload::scale::scaled;
use crate::workload::schedule::hex;

/// Most phones of a run: ten times what the design is measured at.
const MOST_PHONES: u64 = 10_000_000;

/// A CSV file that was read, with its SHA-256, for the workload's own.
pub(crate) type List = (String, String);

/// The templates of one fleet.
struct Templates {
    extension: Template,
    mac: Template,
    serial: Template,
    user: Template,
    password: Template,
}

impl Meaning<'_> {
    /// The fleets and the lists they were made from. Incomplete if there are problems.
    pub(super) fn fleets(&mut self, typed: &mut [FleetSection]) -> (Vec<Arc<Fleet>>, Vec<List>) {
        if typed.is_empty() {
            let right = "write a [[fleet]] with family and count";
            self.say(&key!["fleet"], "there is no fleet, so there are no phones", right);
        }
        let told = self.problems.len();
        let mut lists = Vec::new();
        let mut rows: Vec<Option<Vec<Row>>> = Vec::new();
        for (n, fleet) in typed.iter_mut().enumerate() {
            rows.push(self.rows(n, fleet, &mut lists));
            self.count(n, fleet, rows.last().and_then(|r| r.as_deref()));
        }
        if self.problems.len() == told {
            self.scale(typed, &rows);
        }
        let total: u64 = typed.iter().filter_map(|f| f.count).fold(0, |sum, c| sum.saturating_add(c.0));
        if total > MOST_PHONES {
            let what = format!("there are {total} phones in all");
            self.say(&key!["fleet"], what, format!("a run has at most {MOST_PHONES}"));
        }
        self.same_names(typed);
        let counted = self.problems.len() == told;
        let mut fleets = Vec::new();
        let mut first = 0u32;
        for ((n, fleet), rows) in typed.iter().enumerate().zip(rows) {
            let count = fleet.count.and_then(|c| u32::try_from(c.0).ok()).unwrap_or(0);
            fleets.extend(self.fleet(n, fleet, first, count, rows).map(Arc::new));
            first = first.saturating_add(count);
        }
        if counted && fleets.len() == typed.len() {
            self.told_clashes(&fleets);
        }
        (fleets, lists)
    }

    /// The lines of a fleet's CSV file, if it has one; an empty list if it cannot be used, which has been told.
    fn rows(&mut self, n: usize, fleet: &FleetSection, lists: &mut Vec<List>) -> Option<Vec<Row>> {
        let name = fleet.csv.as_ref()?;
        let path = self.base.join(name);
        let octets = match std::fs::read(&path) {
            Ok(octets) => octets,
            Err(e) => {
                let what = match e.kind() {
                    std::io::ErrorKind::NotFound => format!("there is no file {}", path.display()),
                    kind => format!("{} cannot be read: {kind}", path.display()),
                };
                self.say(&key!["fleet", n, "csv"], what, "paths are relative to the workload file");
                return Some(Vec::new());
            }
        };
        lists.push((name.display().to_string(), hex(&<sha2::Sha256 as sha2::Digest>::digest(&octets))));
        match csv::read(&path.display().to_string(), &octets) {
            Ok(rows) => Some(rows),
            Err(problems) => {
                self.problems.extend(problems);
                Some(Vec::new())
            }
        }
    }

    /// Checks the count, or takes it from the list.
    fn count(&mut self, n: usize, fleet: &mut FleetSection, rows: Option<&[Row]>) {
        let path = key!["fleet", n, "count"];
        match (fleet.count, rows) {
            (None, Some(rows)) => fleet.count = Some(Count(rows.len() as u64)),
            (None, None) => self.say(&path, "is missing", "write how many phones, or list them in a `csv`"),
            (Some(Count(0)), _) => self.say(&path, "is 0", "a fleet has at least one phone"),
            (Some(Count(count)), Some(rows)) if !rows.is_empty() && count > rows.len() as u64 => {
                let what = format!("is {count}, but the list has {} phones", rows.len());
                self.say(&path, what, "leave `count` out to take all of them");
            }
            (Some(Count(count)), _) if count > MOST_PHONES => {
                self.say(&path, format!("is {count}"), format!("a run has at most {MOST_PHONES} phones"));
            }
            (Some(_), _) => {}
        }
    }

    /// Applies `--phones`.
    fn scale(&mut self, typed: &mut [FleetSection], rows: &[Option<Vec<Row>>]) {
        let Some(phones) = self.overrides.phones else { return };
        let mut wrong = |what: String, right: String| {
            self.problems.push(Problem {
                place: Place::Flag("--phones".to_owned()),
                key: String::new(),
                what,
                right: Some(right),
            });
        };
        let counts: Vec<u64> = typed.iter().filter_map(|f| f.count).map(|c| c.0).collect();
        if u64::from(phones) > MOST_PHONES {
            return wrong(format!("{phones} phones are too many"), format!("a run has at most {MOST_PHONES}"));
        }
        let Some(counts) = scaled(&counts, u64::from(phones)) else {
            let are = if phones == 1 { "phone is" } else { "phones are" };
            let what = format!("{phones} {are} too few for {} fleets", typed.len());
            return wrong(what, "each fleet keeps at least one".to_owned());
        };
        for ((fleet, count), rows) in typed.iter_mut().zip(counts).zip(rows) {
            fleet.count = Some(Count(count));
            if let Some(listed) = rows.as_ref().map(Vec::len).filter(|listed| count > *listed as u64) {
                let name = fleet.name.as_deref().unwrap_or_default();
                let what = format!("fleet `{name}` would have {count} phones, but its list has {listed}");
                wrong(what, "use fewer phones, or a longer list".to_owned());
            }
        }
    }

    fn same_names(&mut self, typed: &[FleetSection]) {
        for (n, fleet) in typed.iter().enumerate() {
            let Some(name) = fleet.name.as_deref() else { continue };
            let path = key!["fleet", n, "name"];
            self.name(&path, name);
            if typed.iter().take(n).any(|before| before.name.as_deref() == Some(name)) {
                let right = "give each fleet its own `name` (it is the family's if not given)";
                self.say(&path, format!("there is a fleet `{name}` before this one"), right);
            }
        }
    }

    fn fleet(
        &mut self,
        n: usize,
        typed: &FleetSection,
        first: u32,
        count: u32,
        rows: Option<Vec<Row>>,
    ) -> Option<Fleet> {
        let at = key!["fleet", n];
        let family = self.family(typed, &at);
        let templates = self.templates(typed, &at);
        let account = self.account(&typed.credentials, &at.then("credentials"), templates.as_ref());
        let people = self.people(&typed.people, &at.then("people"));
        let (min, max) = (typed.backup_size.0, typed.backup_size.1);
        // A phone's file is small; a slip of the unit is not.
        if max > 1 << 30 {
            self.say(&at.then("backup-size"), format!("is up to {max} octets"), "at most 1GiB");
        }
        let size = |octets: u64| u32::try_from(octets).unwrap_or(u32::MAX);
        let Templates { extension, mac, serial, .. } = templates?;
        let identities = match rows {
            None => Identities::Derived { extension, mac, serial },
            Some(mut rows) => {
                rows.truncate(count as usize);
                listed(rows, first, &mac, &serial)
            }
        };
        Some(Fleet {
            name: typed.name.clone().unwrap_or_default(),
            family: family?,
            first,
            count,
            identities,
            account: account?,
            people,
            backup_size: SizeRange { min: size(min), max: size(max) },
            starts_on: typed.starts_on,
            keep_alive: typed.tls.connections.map(|word| word == ConnectionsWord::Kept),
        })
    }

    fn family(&mut self, typed: &FleetSection, at: &KeyPath) -> Option<Arc<dyn Family>> {
        let names = || self.families.iter().map(|f| f.name).collect::<Vec<_>>();
        let Some(name) = typed.family.as_deref() else {
            let right = format!("write one of {}", crate::workload::error::list(names()));
            self.say(&at.then("family"), "is missing", right);
            return None;
        };
        let Some(registration) = self.families.iter().find(|f| f.name == name) else {
            let right = suggest(name, names());
            self.say(&at.then("family"), format!("there is no family `{name}`"), right);
            return None;
        };
        let at = at.then("settings");
        let known = FamilySettings::of(registration).settings;
        let here: Vec<&str> = known.iter().map(String::as_str).collect();
        let told = self.problems.len();
        for key in typed.settings.keys().filter(|key| !known.contains(key)) {
            let others: Vec<_> = self.settings.iter().filter(|f| f.family != name).cloned().collect();
            let right = right_key(self.keys, &others, key, &here);
            self.say(&at.then(key.as_str()), format!("{name} has no such setting"), right);
        }
        if self.problems.len() > told {
            return None;
        }
        let whole = match (registration.read)(&typed.settings) {
            Ok(family) => return Some(family),
            Err(wrong) => wrong,
        };
        // A wrong value is wrong alone too: read so, each is told, with its key.
        let alone = typed.settings.iter().filter_map(|(key, value)| {
            let one = toml::Table::from_iter([(key.clone(), value.clone())]);
            Some((Some(key.clone()), (registration.read)(&one).err()?.message))
        });
        let mut wrongs: Vec<(Option<String>, String)> = alone.collect();
        if wrongs.is_empty() {
            wrongs.push((whole.key, whole.message));
        }
        for (key, message) in wrongs {
            let path = key.map_or_else(|| at.clone(), |key| at.then(key.as_str()));
            let message = if path.is_secret() { "cannot be used".to_owned() } else { mask_options(&message) };
            let (what, right) = message.split_once("; ").unwrap_or((&message, ""));
            self.say(&path, what, right);
        }
        None
    }

    fn templates(&mut self, typed: &FleetSection, at: &KeyPath) -> Option<Templates> {
        let credentials = at.then("credentials");
        let mut read = |path: KeyPath, template: Result<Template, String>| match template {
            Ok(template) => Some(template),
            Err(what) => {
                let (what, right) = what.split_once("; ").unwrap_or((&what, ""));
                self.say(&path, what, right);
                None
            }
        };
        let plain = |source: &str| Template::parse(source).map_err(|e| e.to_string());
        // The message of a template's error quotes it.
        let secret = |source: &str| plain(source).map_err(|_| SECRET.to_owned());
        let extension = read(at.then("extension"), own_template(&typed.extension));
        let mac = read(at.then("mac"), mac_template(&typed.mac));
        let serial = read(at.then("serial"), own_template(&typed.serial));
        let user = read(credentials.then("user"), plain(&typed.credentials.user));
        let password = read(credentials.then("password"), secret(&typed.credentials.password.0));
        Some(Templates { extension: extension?, mac: mac?, serial: serial?, user: user?, password: password? })
    }

    fn account(&mut self, typed: &CredentialsSection, at: &KeyPath, templates: Option<&Templates>) -> Option<Account> {
        let [null, wrong, stale_realm] =
            [("null", typed.null), ("wrong", typed.wrong), ("stale-realm", typed.stale_realm)]
                .map(|(key, share)| self.share(&at.then(key), share.0));
        // A share above 1 has been told. Shares such as 0.1 + 0.2 are a hair more than they look.
        if [null, wrong, stale_realm].iter().all(|share| *share <= 1.0) && null + wrong + stale_realm > 1.0 + 1e-9 {
            let what = format!("null, wrong and stale-realm are {} in sum", null + wrong + stale_realm);
            self.say(at, what, "they are parts of one fleet: at most 1 in sum");
        }
        if typed.user.contains(':') {
            // RFC 7617 2: a user-id with a colon cannot be sent.
            self.say(&at.then("user"), "has a colon in it", "no HTTP scheme can carry that");
        }
        let realm = typed.realm.clone().or_else(|| (null >= 1.0).then(String::new));
        if realm.is_none() {
            let right = "write it as the server's challenges have it (WWW-Authenticate … realm=\"…\"): phones whose \
                         stored realm differs stand before a prompt";
            self.say(&at.then("realm"), "is missing", right);
        }
        let templates = templates?;
        Some(Account {
            user: templates.user.clone(),
            password: templates.password.clone(),
            realm: realm?,
            null,
            wrong,
            stale_realm,
        })
    }

    fn people(&mut self, typed: &PeopleSection, at: &KeyPath) -> People {
        let come = self.share(&at.then("come"), typed.come.0);
        let right = self.share(&at.then("right"), typed.right.0);
        let attempts = u32::try_from(typed.attempts.0).unwrap_or(u32::MAX);
        if attempts == 0 {
            self.say(&at.then("attempts"), "is 0", "who comes types at least once; for nobody, set come = 0");
        }
        People { come, think: (typed.think.0, typed.think.1), right, attempts }
    }

    fn told_clashes(&mut self, fleets: &[Arc<Fleet>]) {
        let all: Vec<&Fleet> = fleets.iter().map(Arc::as_ref).collect();
        let name = |fleet: usize| all.get(fleet).map_or("", |f| f.name.as_str());
        for clash in clashes(&all) {
            let (fleet, key, what, right) = match clash {
                Clash::NoExtension { fleet, number } => {
                    (fleet, "extension", format!("phone {number} has an empty one"), "for example \"{index+20000}\"")
                }
                Clash::Mac { fleet, number, mac } => {
                    let what = format!("phone {number} gets `{mac}`, which is not twelve hex digits");
                    (fleet, "mac", what, "for example \"001b4f{number:06x}\"")
                }
                Clash::Same { key, value, one, other } => {
                    let what =
                        format!("phone {} gets `{value}`, as phone {} of fleet `{}` does", other.1, one.1, name(one.0));
                    let right = match one.0 == other.0 {
                        true => "no two phones have the same: use {number} or {index} once, wide enough",
                        false => "no two phones have the same: use {index}, which counts through all fleets",
                    };
                    (other.0, key, what, right)
                }
            };
            self.say(&key!["fleet", fleet, key], what, right);
        }
    }
}

const SECRET: &str = "is no template; write `{{` and `}}` for braces, and for example \"pw-{ext}\"";
