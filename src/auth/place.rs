//! Where a protection space is.

use http::Uri;
use http::uri::Scheme;

use super::Challenge;

/// An origin and the paths there whose requests a session answers: the same for most phones. Nowhere, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    origin: Box<str>,
    /// Path prefixes with a blank after each.
    prefixes: Box<str>,
}

impl Place {
    /// Where what answers this challenge holds, which came from `origin` for `path`.
    pub(super) fn of(origin: &str, path: &str, challenge: &Challenge) -> Place {
        Place { origin: origin.into(), prefixes: prefixes(origin, path, challenge).into() }
    }

    pub(super) fn is_at(&self, origin: &str) -> bool {
        *self.origin == *origin
    }

    /// The length of the longest prefix of the path; none if this is another place.
    pub(super) fn depth(&self, origin: &str, path: &str) -> Option<usize> {
        let prefixes = self.is_at(origin).then(|| self.prefixes.split_terminator(' '))?;
        prefixes.filter(|prefix| path.starts_with(prefix)).map(str::len).max()
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
