//! The three server programs: where they are, how they are configured, started and asked to stop.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use bootstorm::workload::TlsVersions;
use nix::sys::signal::Signal;

use super::Site;

/// A real file server, and with it the scheme it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// nginx: Basic.
    Nginx,
    /// Apache (event MPM, mod_dav): Digest MD5.
    Apache,
    /// lighttpd (mod_webdav): Digest SHA-256.
    Lighttpd,
}

/// Said whenever a program or module is not there. A test must fail then: skipping would look like passing.
const INSTALL: &str = "run scripts/test, it installs nginx apache2 lighttpd";
const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

impl Program {
    pub(crate) const ALL: [Program; 3] = [Program::Nginx, Program::Apache, Program::Lighttpd];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Program::Nginx => "nginx",
            Program::Apache => "apache2",
            Program::Lighttpd => "lighttpd",
        }
    }

    /// Where the program is; the servers live in sbin, which an ordinary user's `PATH` often lacks.
    pub(super) fn locate(self) -> PathBuf {
        let path = std::env::var_os("PATH").unwrap_or_default();
        find(self.name(), &path, &["/usr/local/sbin", "/usr/sbin", "/sbin"]).unwrap_or_else(|e| panic!("{e}"))
    }

    /// The password file in the form this server reads.
    pub(super) fn password_file(self, site: &Site) -> String {
        match self {
            Program::Nginx => site.htpasswd_plain(),
            Program::Apache => site.htdigest_md5(),
            Program::Lighttpd => site.htdigest_sha256(),
        }
    }

    /// The whole configuration, from the template in `tests/data/servers/`.
    pub(super) fn config(self, setup: &Setup<'_>) -> String {
        let template = match self {
            Program::Nginx => include_str!("../../data/servers/nginx.conf"),
            Program::Apache => include_str!("../../data/servers/apache.conf"),
            Program::Lighttpd => include_str!("../../data/servers/lighttpd.conf"),
        };
        let run = setup.run.to_str().expect("a folder with a plain name");
        let site = setup.site;
        assert!(!site.realm.contains(['"', '\\', '$', '\n']), "this realm would need quoting: {}", site.realm);
        let own: [(&str, String); 3] = match self {
            Program::Nginx => {
                let ssl = if setup.tls.is_some() { "ssl" } else { "" };
                [("address", setup.address()), ("ssl", ssl.to_owned()), ("tls", setup.nginx_tls(run))]
            }
            Program::Apache => {
                let modules = require_folder(APACHE_MODULES);
                [("address", setup.address()), ("modules", modules), ("tls", setup.apache_tls(run))]
            }
            Program::Lighttpd => {
                let openssl = if setup.tls.is_some() { "\"mod_openssl\"" } else { "" };
                [("port", setup.port.to_string()), ("openssl", openssl.to_owned()), ("tls", setup.lighttpd_tls(run))]
            }
        };
        let docroot = format!("{run}/docroot");
        let files = setup.files.to_string();
        let directives = site.directives.replace("{{run}}", run);
        let shared = [
            ("run", run),
            ("docroot", &docroot),
            ("realm", &site.realm),
            ("directives", directives.as_str()),
            ("files", &files),
        ];
        let mut text = template.to_owned();
        for (place, value) in own.iter().map(|(p, v)| (*p, v.as_str())).chain(shared) {
            text = text.replace(&format!("{{{{{place}}}}}"), value);
        }
        if !site.takes_uploads {
            for line in
                ["dav_methods PUT DELETE;", "create_full_put_path on;", "Dav On", "webdav.activate = \"enable\""]
            {
                text = text.replace(line, "");
            }
        }
        assert!(!text.contains("{{"), "{}'s template has a place nobody fills:\n{text}", self.name());
        text
    }

    /// The program in the foreground with this configuration.
    pub(super) fn command(self, run: &Path, config: &Path) -> Command {
        let mut command = Command::new(self.locate());
        match self {
            Program::Nginx => command.arg("-p").arg(run).arg("-e").arg(run.join("error.log")).arg("-c").arg(config),
            Program::Apache => command.arg("-f").arg(config).arg("-D").arg("FOREGROUND"),
            Program::Lighttpd => command.arg("-D").arg("-f").arg(config),
        };
        command
    }

    /// The signal after which it finishes what it is at, writes its log and ends.
    pub(super) const fn graceful_stop(self) -> Signal {
        match self {
            Program::Nginx => Signal::SIGQUIT,
            Program::Apache => Signal::SIGWINCH,
            Program::Lighttpd => Signal::SIGINT,
        }
    }
}

/// What a configuration depends on.
pub(super) struct Setup<'a> {
    pub(super) run: &'a Path,
    pub(super) port: u16,
    pub(super) site: &'a Site,
    pub(super) tls: Option<TlsVersions>,
    /// Files it may have open.
    pub(super) files: u64,
}

impl Setup<'_> {
    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn nginx_tls(&self, run: &str) -> String {
        let Some(versions) = self.tls else { return String::new() };
        let protocols = match versions {
            TlsVersions::Both => "TLSv1.2 TLSv1.3",
            TlsVersions::Only12 => "TLSv1.2",
            TlsVersions::Only13 => "TLSv1.3",
        };
        format!(
            "ssl_protocols {protocols};\n        ssl_certificate {run}/server.pem;\n        \
             ssl_certificate_key {run}/server.key;"
        )
    }

    fn apache_tls(&self, run: &str) -> String {
        let Some(versions) = self.tls else { return String::new() };
        let protocols = match versions {
            TlsVersions::Both => "-all +TLSv1.2 +TLSv1.3",
            TlsVersions::Only12 => "TLSv1.2",
            TlsVersions::Only13 => "TLSv1.3",
        };
        format!(
            "LoadModule socache_shmcb_module {APACHE_MODULES}/mod_socache_shmcb.so\n\
             LoadModule ssl_module {APACHE_MODULES}/mod_ssl.so\n\
             SSLSessionCache shmcb:{run}/sessions(512000)\nSSLEngine on\nSSLProtocol {protocols}\n\
             SSLCertificateFile {run}/server.pem\nSSLCertificateKeyFile {run}/server.key"
        )
    }

    fn lighttpd_tls(&self, run: &str) -> String {
        let Some(versions) = self.tls else { return String::new() };
        let (least, most) = match versions {
            TlsVersions::Both => ("TLSv1.2", "TLSv1.3"),
            TlsVersions::Only12 => ("TLSv1.2", "TLSv1.2"),
            TlsVersions::Only13 => ("TLSv1.3", "TLSv1.3"),
        };
        format!(
            "ssl.engine = \"enable\"\nssl.pemfile = \"{run}/server.pem\"\nssl.privkey = \"{run}/server.key\"\n\
             ssl.openssl.ssl-conf-cmd = ( \"MinProtocol\" => \"{least}\", \"MaxProtocol\" => \"{most}\" )"
        )
    }
}

/// The program `name` in the folders of `path`, then in `more`.
pub(crate) fn find(name: &str, path: &OsStr, more: &[&str]) -> Result<PathBuf, String> {
    std::env::split_paths(path)
        .chain(more.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| format!("{name} is not installed: {INSTALL}"))
}

fn require_folder(folder: &str) -> String {
    assert!(Path::new(folder).is_dir(), "{folder} is not there: {INSTALL}");
    folder.to_owned()
}
