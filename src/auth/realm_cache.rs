//! A client's memory of protection spaces, lost at power-off.

use super::{Challenge, Session};

/// The sessions of the few protection spaces a phone knows. One pointer while empty.
///
/// Which requests are answered before they are challenged:
/// * Digest without `domain`: all of the origin (RFC 7616 3.3).
/// * Digest with `domain`: paths that begin with one of its entries. Entries for other origins are passed over:
///   credentials never travel to a server because another one said so.
/// * Basic: the challenged path's folder and everything below (RFC 7617 2.2).
#[derive(Clone, Debug, Default)]
pub struct RealmCache {
    #[allow(clippy::box_collection, reason = "one pointer instead of three words in every phone at rest")]
    spaces: Option<Box<Vec<Space>>>,
}

#[derive(Clone, Debug)]
struct Space {
    origin: Box<str>,
    /// Path prefixes with a blank after each.
    prefixes: Box<str>,
    session: Session,
}

impl RealmCache {
    /// The most spaces kept; the one that was opened first makes room. A phone meets two or three.
    pub const CAPACITY: usize = 8;

    /// An empty cache.
    pub const fn new() -> RealmCache {
        RealmCache { spaces: None }
    }

    /// Keeps the session opened for `challenge`, which came from `origin` (`https://host:port`, always written the
    /// same way) for `path`. It replaces the one of the same origin and realm.
    pub fn put(&mut self, origin: &str, path: &str, challenge: &Challenge, session: Session) {
        self.forget(origin, session.realm());
        let spaces = self.spaces.get_or_insert_default();
        if spaces.len() >= RealmCache::CAPACITY {
            spaces.remove(0);
        }
        let prefixes = prefixes(origin, path, challenge).into();
        spaces.push(Space { origin: origin.into(), prefixes, session });
    }

    /// The session to use for a request before it is challenged: of the space with the longest matching prefix.
    pub fn preemptive(&mut self, origin: &str, path: &str) -> Option<&mut Session> {
        let spaces = self.spaces.as_deref_mut()?;
        let fitting = spaces.iter_mut().filter(|s| *s.origin == *origin);
        let (_, space) = fitting.filter_map(|s| s.depth(path).map(|d| (d, s))).max_by_key(|(depth, _)| *depth)?;
        Some(&mut space.session)
    }

    /// The session of a realm at an origin.
    pub fn session(&mut self, origin: &str, realm: Option<&str>) -> Option<&mut Session> {
        let spaces = self.spaces.as_deref_mut()?;
        spaces.iter_mut().find(|s| s.is_of(origin, realm)).map(|s| &mut s.session)
    }

    /// Drops the session of a realm at an origin: its credentials were refused.
    pub fn forget(&mut self, origin: &str, realm: Option<&str>) {
        if let Some(spaces) = &mut self.spaces {
            spaces.retain(|s| !s.is_of(origin, realm));
            if spaces.is_empty() {
                self.spaces = None;
            }
        }
    }

    /// Drops everything, as a loss of power does.
    pub fn clear(&mut self) {
        self.spaces = None;
    }

    /// How many spaces are known.
    pub fn len(&self) -> usize {
        self.spaces.as_ref().map_or(0, |s| s.len())
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.spaces.is_none()
    }
}

impl Space {
    fn is_of(&self, origin: &str, realm: Option<&str>) -> bool {
        *self.origin == *origin && self.session.realm() == realm
    }

    /// The length of the longest prefix of `path`.
    fn depth(&self, path: &str) -> Option<usize> {
        self.prefixes.split_terminator(' ').filter(|p| path.starts_with(p)).map(str::len).max()
    }
}

/// The path prefixes of a challenge's protection space, a blank after each.
fn prefixes(origin: &str, path: &str, challenge: &Challenge) -> String {
    match challenge {
        Challenge::Digest(c) if c.domain.is_empty() => "/ ".to_owned(),
        Challenge::Digest(c) => c.domain.iter().filter_map(|uri| local(origin, uri)).map(|p| format!("{p} ")).collect(),
        _ => {
            let path = path.split(['?', '#']).next().unwrap_or_default();
            let folder = path.rfind('/').map_or("/", |slash| &path[..=slash]);
            format!("{folder} ")
        }
    }
}

/// The path of a URI at this origin.
fn local<'u>(origin: &str, uri: &'u str) -> Option<&'u str> {
    if uri.starts_with("//") {
        return None;
    }
    if uri.starts_with('/') {
        return Some(uri);
    }
    let start = uri.get(..origin.len()).filter(|s| s.eq_ignore_ascii_case(origin))?;
    match &uri[start.len()..] {
        "" => Some("/"),
        path => path.starts_with('/').then_some(path),
    }
}
