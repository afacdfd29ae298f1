//! User names, passwords, and the phone's non-volatile store of them.

use std::fmt;

/// A user name and a password. Neither `Debug` nor any error shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// These credentials.
    pub fn new(user: impl Into<String>, password: impl Into<String>) -> Credentials {
        Credentials { user: user.into(), password: password.into() }
    }

    /// The user name.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, in clear.
    pub fn password(&self) -> &str {
        &self.password
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).field("password", &"***").finish()
    }
}

/// The phone's non-volatile memory of user id, password and realm: null when new, kept over reboots.
/// Source: the Avaya seed, "New values replace the stored authentication and realm values".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialStore {
    held: Option<Held>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    credentials: Credentials,
    realm: String,
}

/// What the store has for a realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup<'s> {
    /// The realms match: these credentials answer without a prompt.
    Match(&'s Credentials),
    /// The stored credentials are null.
    Null,
    /// Something is stored, for another realm.
    OtherRealm,
}

impl CredentialStore {
    /// A store as when the phone was new.
    pub const fn null() -> CredentialStore {
        CredentialStore { held: None }
    }

    /// A store that holds these.
    pub fn holding(credentials: Credentials, realm: impl Into<String>) -> CredentialStore {
        CredentialStore { held: Some(Held { credentials, realm: realm.into() }) }
    }

    /// What there is for a challenge of this realm (compared octet by octet: realms are case-sensitive, RFC 9110 11.5).
    pub fn lookup(&self, realm: &str) -> Lookup<'_> {
        match &self.held {
            None => Lookup::Null,
            Some(held) if held.realm == realm => Lookup::Match(&held.credentials),
            Some(_) => Lookup::OtherRealm,
        }
    }

    /// The stored credentials, whatever their realm.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.held.as_ref().map(|h| &h.credentials)
    }

    /// The stored realm.
    pub fn realm(&self) -> Option<&str> {
        self.held.as_ref().map(|h| h.realm.as_str())
    }

    /// Takes over credentials that just succeeded in this realm, if user, password or realm differ from
    /// what is stored; says whether anything changed.
    pub fn learn(&mut self, credentials: &Credentials, realm: &str) -> bool {
        let same = self.held.as_ref().is_some_and(|h| h.credentials == *credentials && h.realm == realm);
        if !same {
            self.held = Some(Held { credentials: credentials.clone(), realm: realm.to_owned() });
        }
        !same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_never_shows() {
        let c = Credentials::new("2001", "topsecret");
        assert!(!format!("{c:?} {:?}", CredentialStore::holding(c.clone(), "r")).contains("topsecret"));
    }

    #[test]
    fn realms_match_to_the_octet() {
        let store = CredentialStore::holding(Credentials::new("u", "p"), "Digest");
        assert!(matches!(store.lookup("Digest"), Lookup::Match(_)));
        assert_eq!(store.lookup("digest"), Lookup::OtherRealm);
        assert_eq!(CredentialStore::null().lookup("Digest"), Lookup::Null);
    }

    /// "If the userid, password, or realm used differs from those values that are stored in the phone"
    #[test]
    fn new_values_replace_the_stored_ones_if_any_differs() {
        let table = [("u", "p", "r", false), ("v", "p", "r", true), ("u", "q", "r", true), ("u", "p", "s", true)];
        for (user, password, realm, changes) in table {
            let mut store = CredentialStore::holding(Credentials::new("u", "p"), "r");
            assert_eq!(store.learn(&Credentials::new(user, password), realm), changes);
            assert_eq!(store.realm(), Some(realm));
            assert_eq!(store.credentials(), Some(&Credentials::new(user, password)));
        }
    }
}
