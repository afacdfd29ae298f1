//! What a server serves and to whom; its password file is written with other code than the library's.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use md5::Digest as _;

/// What a server serves, and to whom.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The realm of the protected folders.
    pub(crate) realm: String,
    /// Who may enter them: user and password.
    pub(crate) accounts: Vec<(String, String)>,
    /// Files that are there from the start: path below the root, content.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Added to the server's configuration as it stands, in the server's own language (for nginx: inside `server`).
    pub(crate) directives: String,
    /// Whether the protected folders take uploads (WebDAV on).
    pub(crate) takes_uploads: bool,
    /// Folder with `ca.pem`, `cert.pem`, `key.pem` and `ocsp.der` to be used, in place of certificates made for the test.
    pub(crate) certificates: Option<PathBuf>,
}

impl Site {
    /// A site with these accounts and no files.
    pub(crate) fn new(realm: &str, accounts: impl IntoIterator<Item = (String, String)>) -> Site {
        let accounts = accounts.into_iter().collect();
        Site {
            realm: realm.to_owned(),
            accounts,
            files: Vec::new(),
            directives: String::new(),
            takes_uploads: true,
            certificates: None,
        }
    }

    /// The same with one more file.
    pub(crate) fn file(mut self, path: &str, content: &[u8]) -> Site {
        self.files.push((path.trim_start_matches('/').to_owned(), content.to_vec()));
        self
    }

    /// The same with the certificates of this folder; its `ocsp.der` lies beside them in the server's own.
    pub(crate) fn certificates(mut self, folder: &Path) -> Site {
        self.certificates = Some(folder.to_owned());
        self
    }

    /// The same with its DAV module off.
    pub(crate) fn without_uploads(mut self) -> Site {
        self.takes_uploads = false;
        self
    }

    /// The same with more configuration.
    pub(crate) fn directives(mut self, text: &str) -> Site {
        self.directives.push_str(text);
        self
    }

    /// `htpasswd` with clear passwords, as nginx reads it.
    pub(super) fn htpasswd_plain(&self) -> String {
        self.password_lines(|user, password| format!("{user}:{{PLAIN}}{password}"))
    }

    /// `htdigest` with MD5, as Apache reads it.
    pub(super) fn htdigest_md5(&self) -> String {
        let realm = &self.realm;
        self.password_lines(|user, password| {
            format!("{user}:{realm}:{}", hex(&md5::Md5::digest(format!("{user}:{realm}:{password}"))))
        })
    }

    /// `htdigest` with SHA-256, as lighttpd reads it.
    pub(super) fn htdigest_sha256(&self) -> String {
        let realm = &self.realm;
        self.password_lines(|user, password| {
            format!("{user}:{realm}:{}", hex(&sha2::Sha256::digest(format!("{user}:{realm}:{password}"))))
        })
    }

    fn password_lines(&self, line: impl Fn(&str, &str) -> String) -> String {
        let mut out = String::new();
        for (user, password) in &self.accounts {
            assert!(!user.contains([':', '\n']) && !password.contains('\n'), "no password file can hold {user:?}");
            out.push_str(&line(user, password));
            out.push('\n');
        }
        out
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}
