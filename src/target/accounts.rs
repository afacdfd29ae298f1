//! The accounts: whom the target lets in.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::TargetError;
use crate::auth::Credentials;
use crate::phone::Fleet;

/// User names and their passwords. A user may have several: phones that name themselves by their call server's
/// address share the name and differ in the password.
#[derive(Clone, Default)]
pub struct Accounts {
    users: HashMap<Box<str>, Passwords>,
    /// Fleets whose user names say which phone it is: nothing is kept of these, however many there are.
    fleets: Vec<Arc<Fleet>>,
}

#[derive(Clone)]
enum Passwords {
    One(Box<str>),
    Many(HashSet<Box<str>>),
}

impl Accounts {
    /// Nobody.
    pub fn none() -> Accounts {
        Accounts::default()
    }

    /// The right credentials of every phone of these fleets.
    pub fn of(fleets: &[Arc<Fleet>]) -> Accounts {
        let mut accounts = Accounts::none();
        for fleet in fleets {
            if fleet.can_be_told_by(&fleet.account.user) {
                accounts.fleets.push(Arc::clone(fleet));
                continue;
            }
            let listed = (0..fleet.count).any(|number| fleet.identities.credentials(number).is_some());
            let all_alike = fleet.account.user.is_constant() && fleet.account.password.is_constant() && !listed;
            let phones = if all_alike { fleet.count.min(1) } else { fleet.count };
            for index in fleet.first..fleet.first.saturating_add(phones) {
                accounts.admit(fleet.right_credentials(&fleet.identity(index)));
            }
        }
        accounts
    }

    /// Accounts from CSV text, `user,password` a line; a first line of just these two words is a heading, and
    /// lines that begin with `#` are skipped. `file` is only named in errors.
    pub fn from_csv(text: &str, file: &Path) -> Result<Accounts, TargetError> {
        let mut accounts = Accounts::none();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        for (row, record) in reader.records().enumerate() {
            let refuse = |line, problem| TargetError::Users { file: file.to_owned(), line, problem };
            let record = record.map_err(|e| refuse(e.position().map_or(0, csv::Position::line), "not CSV in UTF-8"))?;
            let line = record.position().map_or(0, csv::Position::line);
            let (Some(user), Some(password), None) = (record.get(0), record.get(1), record.get(2)) else {
                return Err(refuse(line, "it has not exactly two fields (put a password with a comma in quotes)"));
            };
            if row == 0 && user.trim() == "user" && password.trim() == "password" {
                continue;
            }
            if user.is_empty() {
                return Err(refuse(line, "the user name is empty"));
            }
            // RFC 7617 section 2: a colon ends the user name, so Basic could never log this one in.
            if user.contains(':') {
                return Err(refuse(line, "the user name holds a colon, which Basic cannot carry"));
            }
            accounts.admit(Credentials::new(user, password));
        }
        Ok(accounts)
    }

    /// Lets these credentials in, besides all others.
    pub fn admit(&mut self, credentials: Credentials) {
        let password: Box<str> = credentials.password().into();
        match self.users.get_mut(credentials.user()) {
            None => {
                self.users.insert(credentials.user().into(), Passwords::One(password));
            }
            Some(Passwords::Many(all)) => {
                all.insert(password);
            }
            Some(Passwords::One(first)) if *first == password => {}
            Some(one) => {
                let mut all = HashSet::from([password]);
                if let Passwords::One(first) = std::mem::replace(one, Passwords::Many(HashSet::new())) {
                    all.insert(first);
                }
                *one = Passwords::Many(all);
            }
        }
    }

    /// Lets everyone in whom the others let in.
    pub fn admit_all(&mut self, others: Accounts) {
        self.fleets.extend(others.fleets);
        for (user, passwords) in others.users {
            let passwords: Vec<Box<str>> = match passwords {
                Passwords::One(one) => vec![one],
                Passwords::Many(many) => many.into_iter().collect(),
            };
            for password in passwords {
                self.admit(Credentials::new(&*user, password));
            }
        }
    }

    /// Whether this user has this password.
    pub fn is_right(&self, user: &str, password: &str) -> bool {
        let in_table = match self.users.get(user) {
            None => false,
            Some(Passwords::One(one)) => **one == *password,
            Some(Passwords::Many(all)) => all.contains(password),
        };
        in_table || self.of_phones(user).any(|right| right.password() == password)
    }

    /// Every password of this user; one that has it for several reasons may come more than once.
    pub fn passwords(&self, user: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let (one, many) = match self.users.get(user) {
            None => (None, None),
            Some(Passwords::One(one)) => (Some(&**one), None),
            Some(Passwords::Many(all)) => (None, Some(all)),
        };
        let in_table = one.into_iter().chain(many.into_iter().flatten().map(|p| &**p)).map(Cow::Borrowed);
        in_table.chain(self.of_phones(user).map(|right| Cow::Owned(right.password().to_owned())))
    }

    /// What the phones of this user name have.
    fn of_phones(&self, user: &str) -> impl Iterator<Item = Credentials> {
        self.fleets.iter().filter_map(move |fleet| phone_of(fleet, user))
    }

    /// Every user name, each once, in no order. It takes as long as there are phones.
    pub fn users(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let in_table = self.users.keys().map(|user| Cow::Borrowed(&**user));
        let of_phones = self.fleets.iter().enumerate().flat_map(move |(number, fleet)| {
            let before = &self.fleets[..number];
            let indexes = fleet.first..fleet.first.saturating_add(fleet.count);
            let users = indexes.map(|index| fleet.account.user.fill(&fleet.identity(index)));
            let news = move |user: &String| {
                !self.users.contains_key(&**user) && before.iter().all(|other| phone_of(other, user).is_none())
            };
            users.filter(news).map(Cow::Owned)
        });
        in_table.chain(of_phones)
    }

    /// How many user names there are. It takes as long as there are phones.
    pub fn len(&self) -> usize {
        self.users().count()
    }

    /// Whether nobody is let in.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.fleets.iter().all(|fleet| fleet.count == 0)
    }
}

/// The right credentials of the fleet's phone with this user name.
fn phone_of(fleet: &Fleet, user: &str) -> Option<Credentials> {
    let who = fleet.told_by(&fleet.account.user, user)?;
    let right = fleet.right_credentials(&who);
    // Told by is not called: it is right to the letter, or not at all.
    (right.user() == user).then_some(right)
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phones: u64 = self.fleets.iter().map(|fleet| u64::from(fleet.count)).sum();
        f.debug_struct("Accounts").field("users", &self.users.len()).field("phones", &phones).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::fixture::fleet;

    #[test]
    fn every_phone_of_a_fleet_gets_in_with_its_own_password_only() {
        let accounts = Accounts::of(&[fleet("{ext}", "pw-{ext}", 100)]);
        assert_eq!(accounts.len(), 100);
        assert!(accounts.is_right("20007", "pw-20007"));
        assert!(!accounts.is_right("20007", "pw-20008"));
        assert!(!accounts.is_right("30000", "pw-30000"));
        assert!(!accounts.is_right("020007", "pw-20007") && !accounts.is_right("+20007", "pw-20007"));
        assert!(accounts.users.is_empty(), "nothing is kept of a fleet whose users say which phone it is");
    }

    #[test]
    fn a_name_counts_once_and_lets_in_whoever_has_it_for_whatever_reason() {
        let mut accounts = Accounts::of(&[fleet("{ext}", "a-{ext}", 10), fleet("2000{number}", "b-{ext}", 10)]);
        accounts.admit_all(Accounts::of(&[fleet("U{MAC}", "{number}", 3), fleet("shared", "{ext}", 4)]));
        accounts.admit(Credentials::new("20003", "c"));
        assert_eq!(accounts.len(), 10 + 3 + 1);
        let users: HashSet<_> = accounts.users().collect();
        assert_eq!(users.len(), 14);
        let passwords: HashSet<_> = accounts.passwords("20003").collect();
        assert_eq!(passwords, ["a-20003", "b-20003", "c"].map(Cow::Borrowed).into());
        for (user, password, right) in [
            ("20003", "a-20003", true),
            ("20003", "b-20003", true),
            ("20003", "c", true),
            ("20004", "c", false),
            ("U00562B000002", "2", true),
            ("u00562B000002", "2", false),
            ("U00562b000002", "2", false),
            ("U00562B000003", "3", false),
            ("shared", "20002", true),
            ("shared", "20004", false),
        ] {
            assert_eq!(accounts.is_right(user, password), right, "{user} {password}");
        }
        assert!(!accounts.is_empty() && Accounts::of(&[fleet("{ext}", "x", 0)]).is_empty());
    }

    #[test]
    fn phones_that_share_a_user_name_keep_their_own_passwords() {
        let accounts = Accounts::of(&[fleet("10.1.2.3", "{ext}", 3), fleet("10.1.2.3", "{ext}", 3)]);
        assert_eq!(accounts.len(), 1);
        let mut passwords: Vec<_> = accounts.passwords("10.1.2.3").collect();
        passwords.sort_unstable();
        assert_eq!(passwords, ["20000", "20001", "20002"]);
        assert!(accounts.is_right("10.1.2.3", "20002"));
    }

    #[test]
    fn users_from_csv() {
        let accounts =
            Accounts::from_csv("user,password\nalice,\"a,b\"\n# nobody\nbob,p:w\n", Path::new("u.csv")).unwrap();
        assert!(accounts.is_right("alice", "a,b") && accounts.is_right("bob", "p:w"));
        assert_eq!(accounts.len(), 2);
    }

    #[test]
    fn a_bad_line_is_named_and_its_password_is_not() {
        for (text, line) in [("alice,x\nsecret\n", 2), ("a,b,secret", 1), (",secret", 1), ("x,y\nz,w\na:b,secret", 3)] {
            let error = Accounts::from_csv(text, Path::new("u.csv")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("u.csv, line {line}: ")), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(!format!("{:?}", Accounts::from_csv("a,secret", Path::new("u")).unwrap()).contains("secret"));
    }
}
