//! A client's memory of protection spaces, lost at power-off.

use super::place::Place;
use super::{Challenge, Commons, Session};

/// The sessions of the few protection spaces a phone knows. One pointer while empty; the spaces are linked, so that
/// one takes no more room than it needs.
///
/// Which requests are answered before they are challenged:
/// * Digest without `domain`: all of the origin (RFC 7616 3.3).
/// * Digest with `domain`: paths that begin with one of its entries. Entries for other origins are passed over:
///   credentials never travel to a server because another one said so.
/// * Basic: the challenged path's folder and everything below (RFC 7617 2.2).
#[derive(Debug, Default)]
pub struct RealmCache {
    first: Option<Box<Space>>,
}

/// One protection space: 32 octets, and what the session has of its own.
#[derive(Debug)]
struct Space {
    session: Session,
    next: Option<Box<Space>>,
}

impl RealmCache {
    /// The most spaces kept; the one that was opened first makes room. A phone meets two or three.
    pub const CAPACITY: usize = 8;

    /// An empty cache.
    pub const fn new() -> RealmCache {
        RealmCache { first: None }
    }

    /// Keeps the session opened for `challenge`, which came from `origin` (`https://host:port`, always written the
    /// same way) for `path`. It replaces the one of the same origin and realm. What others have as well is taken from
    /// `commons`.
    pub fn put(&mut self, origin: &str, path: &str, challenge: &Challenge, session: Session, commons: &Commons) {
        self.forget(origin, session.realm());
        if self.len() >= RealmCache::CAPACITY
            && let Some(first) = self.first.take()
        {
            self.first = first.next;
        }
        let session = session.placed(Place::of(origin, path, challenge), commons);
        let mut last = &mut self.first;
        while let Some(space) = last {
            last = &mut space.next;
        }
        *last = Some(Box::new(Space { session, next: None }));
    }

    /// The session to use for a request before it is challenged: of the space with the longest matching prefix.
    pub fn preemptive(&mut self, origin: &str, path: &str) -> Option<&mut Session> {
        let depths = self.spaces().enumerate().map(|(n, s)| (s.session.place().depth(origin, path), n));
        let (_, n) = depths.filter(|(depth, _)| depth.is_some()).max_by_key(|(depth, _)| *depth)?;
        self.nth(n)
    }

    /// The session of a realm at an origin.
    pub fn session(&mut self, origin: &str, realm: Option<&str>) -> Option<&mut Session> {
        let n = self.spaces().position(|s| s.is_of(origin, realm))?;
        self.nth(n)
    }

    /// Drops the session of a realm at an origin: its credentials were refused.
    pub fn forget(&mut self, origin: &str, realm: Option<&str>) {
        let mut place = &mut self.first;
        loop {
            match place {
                None => return,
                Some(space) if space.is_of(origin, realm) => *place = space.next.take(),
                Some(space) => place = &mut space.next,
            }
        }
    }

    /// Drops everything, as a loss of power does.
    pub fn clear(&mut self) {
        self.first = None;
    }

    /// How many spaces are known.
    pub fn len(&self) -> usize {
        self.spaces().count()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// In the order they were opened.
    fn spaces(&self) -> impl Iterator<Item = &Space> {
        std::iter::successors(self.first.as_deref(), |space| space.next.as_deref())
    }

    fn nth(&mut self, n: usize) -> Option<&mut Session> {
        let mut space = self.first.as_deref_mut()?;
        for _ in 0..n {
            space = space.next.as_deref_mut()?;
        }
        Some(&mut space.session)
    }
}

impl Space {
    fn is_of(&self, origin: &str, realm: Option<&str>) -> bool {
        self.session.place().is_at(origin) && self.session.realm() == realm
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Credentials, parse_challenges};

    const HERE: &str = "https://files.example:443";

    fn put(cache: &mut RealmCache, path: &str, header: &str) {
        let challenge = parse_challenges([header.as_bytes()]).unwrap().remove(0);
        let session = Session::open(&challenge, &Credentials::new("u", "p"), "c").unwrap();
        cache.put(HERE, path, &challenge, session, &Commons::default());
    }

    #[test]
    fn it_is_one_pointer_and_a_space_is_small() {
        assert_eq!(size_of::<RealmCache>(), size_of::<usize>());
        assert_eq!(size_of::<Space>(), 4 * size_of::<usize>());
    }

    #[test]
    fn protection_spaces() {
        let digest = |domain: &str| format!("Digest realm=\"R\", nonce=\"n\"{domain}");
        let table = [
            // challenged path, challenge, asked path, known
            ("/a/b.txt", digest(""), "/", true),
            ("/a/b.txt", digest(", domain=\"\""), "/other", true),
            ("/a/b.txt", digest(", domain=\"/a /c/\""), "/a/x", true),
            ("/a/b.txt", digest(", domain=\"/a /c/\""), "/ab", true),
            ("/a/b.txt", digest(", domain=\"/a /c/\""), "/c", false),
            ("/a/b.txt", digest(", domain=\"https://FILES.example/d\""), "/d/e", true),
            ("/a/b.txt", digest(", domain=\"https://files.example\""), "/d/e", true),
            ("/a/b.txt", digest(", domain=\"https://other.example/a\""), "/a/b.txt", false),
            ("/a/b.txt", digest(", domain=\"http://files.example/a\""), "/a/b.txt", false),
            ("/a/b.txt", digest(", domain=\"//other.example/a\""), "/a/b.txt", false),
            ("/a/b.txt?x=/y/", "Basic realm=\"R\"".to_owned(), "/a/c/d", true),
            ("/a/b.txt", "Basic realm=\"R\"".to_owned(), "/a", false),
            ("/b.txt", "Basic realm=\"R\"".to_owned(), "/a/b", true),
        ];
        for (challenged, header, asked, known) in table {
            let mut cache = RealmCache::new();
            put(&mut cache, challenged, &header);
            assert_eq!(cache.preemptive(HERE, asked).is_some(), known, "{header} at {challenged}: {asked}");
            assert!(cache.preemptive("https://files.example:8443", asked).is_none());
        }
    }

    #[test]
    fn the_deepest_space_answers() {
        let mut cache = RealmCache::new();
        put(&mut cache, "/a/deep/x", "Basic realm=\"deep\"");
        put(&mut cache, "/a/x", "Digest realm=\"wide\", nonce=\"n\"");
        assert_eq!(cache.preemptive(HERE, "/a/deep/y").and_then(|s| s.realm()), Some("deep"));
        assert_eq!(cache.preemptive(HERE, "/b").and_then(|s| s.realm()), Some("wide"));
    }

    #[test]
    fn a_session_that_goes_on_with_another_nonce_stays_where_it_is() {
        let mut cache = RealmCache::new();
        put(&mut cache, "/a", "Digest realm=\"R\", nonce=\"n\", domain=\"/a\"");
        let stale = parse_challenges([b"Digest realm=\"R\", nonce=\"m\", stale=true".as_slice()]).unwrap().remove(0);
        assert!(cache.session(HERE, Some("R")).unwrap().renew(&stale, "d"));
        assert_eq!(cache.preemptive(HERE, "/a/b").and_then(|s| s.nonce()).as_deref(), Some("m"));
        assert!(cache.preemptive(HERE, "/").is_none());
    }

    #[test]
    fn one_session_for_each_realm_and_none_once_forgotten() {
        let mut cache = RealmCache::new();
        for nonce in ["1", "2"] {
            put(&mut cache, "/", &format!("Digest realm=\"R\", nonce=\"{nonce}\""));
        }
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.session(HERE, Some("R")).and_then(|s| s.nonce()).as_deref(), Some("2"));
        assert!(cache.session(HERE, Some("r")).is_none());
        cache.forget(HERE, Some("R"));
        assert!(cache.is_empty() && cache.preemptive(HERE, "/").is_none());
    }

    #[test]
    fn the_first_makes_room() {
        let mut cache = RealmCache::new();
        for i in 0..=RealmCache::CAPACITY {
            put(&mut cache, "/", &format!("Basic realm=\"{i}\""));
        }
        assert_eq!(cache.len(), RealmCache::CAPACITY);
        assert!(cache.session(HERE, Some("0")).is_none() && cache.session(HERE, Some("8")).is_some());
        cache.clear();
        assert!(cache.is_empty());
    }
}
