//! The path of a file, as a request names it: read once, strictly, so that nothing behind it needs to doubt it.

use std::fmt;

use http::StatusCode;

/// Longest name of one file or folder, in octets (the limit of common file systems).
const NAME_MAX: usize = 255;
/// Longest path, in octets.
const PATH_MAX: usize = 2048;
/// Most folders deep.
const DEPTH_MAX: usize = 32;
/// Names under which a folder store writes before it renames; nobody may ask for them.
pub(crate) const RESERVED: &str = ".bootstorm-";

/// A path under the root: names joined by `/`, decoded, none of them empty, `.` or `..`, and free of control
/// characters and backslashes. Whatever a request asks for, the root is never left.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilePath {
    text: String,
    folder: bool,
}

/// A path that names nothing on any server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Escapes that are none, text that is not UTF-8, control characters, backslashes, hidden separators, `.` or `..`.
    #[error("the path is malformed or tries to leave the root")]
    Malformed,
    /// Longer or deeper than any file has.
    #[error("the path is longer than any file's")]
    TooLong,
    /// A name the target keeps for itself.
    #[error("the name is reserved")]
    Reserved,
}

impl PathError {
    /// What it is answered with.
    pub fn status(self) -> StatusCode {
        match self {
            PathError::Malformed => StatusCode::BAD_REQUEST,
            PathError::TooLong | PathError::Reserved => StatusCode::NOT_FOUND,
        }
    }
}

impl FilePath {
    /// Reads the path of a request target (without its query).
    pub fn parse(raw: &str) -> Result<FilePath, PathError> {
        let rest = raw.strip_prefix('/').ok_or(PathError::Malformed)?;
        let mut text = String::with_capacity(rest.len());
        let mut depth = 0;
        for segment in rest.split('/').filter(|s| !s.is_empty()) {
            let name = decode(segment)?;
            if matches!(name.as_str(), "." | "..") || name.contains(|c: char| matches!(c, '/' | '\\') || c.is_control())
            {
                return Err(PathError::Malformed);
            }
            if name.starts_with(RESERVED) {
                return Err(PathError::Reserved);
            }
            depth += 1;
            if name.len() > NAME_MAX || text.len() + name.len() >= PATH_MAX || depth > DEPTH_MAX {
                return Err(PathError::TooLong);
            }
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(&name);
        }
        Ok(FilePath { folder: text.is_empty() || rest.ends_with('/'), text })
    }

    /// The path, without a leading slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it names a folder: the root, or with a slash at its end.
    pub fn is_folder(&self) -> bool {
        self.folder
    }

    /// The last name; empty for the root.
    pub fn name(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or("")
    }

    /// The folder it is in, without slashes at either end; empty for the root.
    pub fn parent(&self) -> &str {
        self.text.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The names from the root down.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.text.split('/').filter(|s| !s.is_empty())
    }

    /// The same path as a server sees it that knows no difference between upper and lower case.
    pub(crate) fn folded(mut self) -> FilePath {
        self.text = self.text.to_lowercase();
        self
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.text)
    }
}

/// Undoes percent-encoding.
fn decode(segment: &str) -> Result<String, PathError> {
    if !segment.contains('%') {
        return Ok(segment.to_owned());
    }
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'%' {
            octets.push(first);
            continue;
        }
        let (Some(high), Some(low)) = (tail.first().copied().and_then(hex), tail.get(1).copied().and_then(hex)) else {
            return Err(PathError::Malformed);
        };
        octets.push(high << 4 | low);
        rest = tail.get(2..).unwrap_or_default();
    }
    String::from_utf8(octets).map_err(|_| PathError::Malformed)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_as_a_table() {
        let long = "a".repeat(256);
        let deep = "a/".repeat(33);
        let table: &[(&str, Result<&str, PathError>)] = &[
            ("/", Ok("")),
            ("/46xxsettings.txt", Ok("46xxsettings.txt")),
            ("//backup///2001_96xxdata.txt", Ok("backup/2001_96xxdata.txt")),
            ("/caf%C3%A9%20bar.txt", Ok("café bar.txt")),
            ("/...", Ok("...")),
            ("/..a/b..", Ok("..a/b..")),
            ("/../etc/passwd", Err(PathError::Malformed)),
            ("/a/%2e%2E/b", Err(PathError::Malformed)),
            ("/a/.", Err(PathError::Malformed)),
            ("/a%2f..%2fb", Err(PathError::Malformed)),
            ("/a%5c..%5cb", Err(PathError::Malformed)),
            ("/a\\b", Err(PathError::Malformed)),
            ("/a%00.txt", Err(PathError::Malformed)),
            ("/a%0d%0a", Err(PathError::Malformed)),
            ("/a%c2%85", Err(PathError::Malformed)),
            ("/%", Err(PathError::Malformed)),
            ("/%4", Err(PathError::Malformed)),
            ("/%zz", Err(PathError::Malformed)),
            ("/%+1", Err(PathError::Malformed)),
            ("/%ff", Err(PathError::Malformed)),
            ("*", Err(PathError::Malformed)),
            ("", Err(PathError::Malformed)),
            ("/.bootstorm-1", Err(PathError::Reserved)),
            ("/a/%2ebootstorm-1", Err(PathError::Reserved)),
        ];
        for (raw, expected) in table {
            assert_eq!(FilePath::parse(raw).as_ref().map(FilePath::as_str), expected.as_ref().map(|s| *s), "{raw:?}");
        }
        assert_eq!(FilePath::parse(&format!("/{long}")), Err(PathError::TooLong));
        assert_eq!(FilePath::parse(&format!("/{deep}")), Err(PathError::TooLong));
    }

    #[test]
    fn name_and_parent() {
        let path = FilePath::parse("/a/b/c.txt").unwrap();
        assert_eq!((path.parent(), path.name(), path.is_folder()), ("a/b", "c.txt", false));
        assert!(FilePath::parse("/a/b/").unwrap().is_folder());
        assert_eq!(FilePath::parse("/c").unwrap().parent(), "");
    }

    proptest! {
        /// Whatever is asked for: what is accepted, joined to a root, stays below that root.
        #[test]
        fn no_path_leaves_the_root(raw in "(/|%2[fF]|%5[cC]|\\\\|\\.|%2[eE]|%00|%[0-9a-fA-F]{2}|[a-zA-Z~:]|é){0,24}") {
            if let Ok(path) = FilePath::parse(&raw) {
                let root = std::path::Path::new("/srv/root");
                let full = root.join(path.as_str());
                prop_assert!(full.starts_with(root));
                let below = full.strip_prefix(root).unwrap();
                prop_assert!(below.components().all(|c| matches!(c, std::path::Component::Normal(_))), "{}", path);
                prop_assert!(!path.as_str().contains(['\0', '\\']));
                prop_assert_eq!(below.components().count(), path.names().count());
            }
        }

        #[test]
        fn any_text_is_read_without_panic(raw in "\\PC{0,80}") {
            let _ = FilePath::parse(&raw);
        }
    }
}
