//! A client's memory of protection spaces, lost at power-off.

use std::sync::Arc;

use http::Uri;
use http::uri::Scheme;

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

/// One protection space: 40 octets, and what the session has of its own.
#[derive(Debug)]
struct Space {
    place: Arc<Place>,
    session: Session,
    next: Option<Box<Space>>,
}

/// Where a space is: the same for most phones.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    origin: Box<str>,
    /// Path prefixes with a blank after each.
    prefixes: Box<str>,
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
        let prefixes = prefixes(origin, path, challenge).into();
        let place = commons.place(Place { origin: origin.into(), prefixes });
        let mut last = &mut self.first;
        while let Some(space) = last {
            last = &mut space.next;
        }
        *last = Some(Box::new(Space { place, session: session.shared(commons), next: None }));
    }

    /// The session to use for a request before it is challenged: of the space with the longest matching prefix.
    pub fn preemptive(&mut self, origin: &str, path: &str) -> Option<&mut Session> {
        let fitting = self.spaces().enumerate().filter(|(_, s)| *s.place.origin == *origin);
        let depths = fitting.filter_map(|(n, s)| s.depth(path).map(|depth| (depth, n)));
        let (_, n) = depths.max_by_key(|(depth, _)| *depth)?;
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
        *self.place.origin == *origin && self.session.realm() == realm
    }

    /// The length of the longest prefix of `path`.
    fn depth(&self, path: &str) -> Option<usize> {
        self.place.prefixes.split_terminator(' ').filter(|p| path.starts_with(p)).map(str::len).max()
    }
}

/// The path prefixes of a challenge's protection space, a blank after each.
fn prefixes(origin: &str, path: &str, challenge: &Challenge) -> String {
    match challenge {
        Challenge::Digest(c) if c.domain.is_empty() => "/ ".to_owned(),
        Challenge::Digest(c) => c.domain.iter().filter_map(|uri| local(origin, uri)).map(|p| p + " ").collect(),
        _ => {
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            format!("{folder} ")
        }
    }
}

/// The path of a URI, if it is at this origin.
fn local(origin: &str, uri: &str) -> Option<String> {
    if uri.starts_with('/') && !uri.starts_with("//") {
        return Some(uri.to_owned());
    }
    let (origin, uri): (Uri, Uri) = (origin.parse().ok()?, uri.parse().ok()?);
    let same = origin.scheme() == uri.scheme()
        && origin.host()?.eq_ignore_ascii_case(uri.host()?)
        && port(&origin) == port(&uri);
    same.then(|| uri.path().to_owned())
}

fn port(uri: &Uri) -> Option<u16> {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    uri.scheme().map(|_| uri.port_u16().unwrap_or(default))
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
        assert_eq!(size_of::<Space>(), 5 * size_of::<usize>());
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
