//! nginx, Apache and lighttpd on loopback, each with a configuration, folder and process of its own.
//!
//! A server answers when [`Server::start`] returns, and is gone when the [`Server`] is dropped. Files under `/backup/`,
//! `/profile/` and `/report/` can be read and written with the site's accounts only; all others by anybody, read only.
//! When the tests run as root, the servers run as `nobody`.

mod access_log;
mod certificates;
mod program;
mod site;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use bootstorm::workload::TlsVersions;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub(crate) use access_log::{LogLine, by_status};
use program::Setup;
pub(crate) use program::{Program, find};
pub(crate) use site::Site;

/// Longest wait for a server to answer, and for it to end when asked to.
const PATIENCE: Duration = Duration::from_secs(20);
/// `nobody` and `nogroup`, on Debian and most others.
const NOBODY: u32 = 65_534;
/// Ports are taken from here, below the range from which the system gives clients theirs.
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 12_000;

/// A folder that only the protected paths live in.
const PROTECTED: [&str; 3] = ["backup", "profile", "report"];

/// A running server.
pub(crate) struct Server {
    program: Program,
    child: Child,
    port: u16,
    tls: bool,
    run: tempfile::TempDir,
}

/// How one attempt to start a server went wrong.
enum StartFailure {
    /// Somebody else has the port.
    PortTaken,
    /// Anything else, as the server itself says it.
    Other(String),
}

impl Server {
    /// Starts `program`, with TLS of these versions or without, and waits until it answers.
    pub(crate) fn start(program: Program, tls: Option<TlsVersions>, site: &Site) -> Server {
        Server::start_at(std::iter::repeat_with(free_port).take(20), program, tls, site)
    }

    /// The same on the first of these ports that nobody else has.
    pub(crate) fn start_at(
        ports: impl IntoIterator<Item = u16>,
        program: Program,
        tls: Option<TlsVersions>,
        site: &Site,
    ) -> Server {
        // A server inherits this: one open file a phone, and some.
        let files = rlimit::increase_nofile_limit(16_384).expect("the limit of open files can be read");
        let run = prepare(program, tls.is_some(), site);
        for port in ports {
            match launch(program, &Setup { run: run.path(), port, site, tls, files }) {
                Ok(child) => return Server { program, child, port, tls: tls.is_some(), run },
                Err(StartFailure::PortTaken) => {}
                Err(StartFailure::Other(why)) => panic!("{} cannot be started: {why}", program.name()),
            }
        }
        panic!("{} found every port taken", program.name());
    }

    /// The port it listens at, on `127.0.0.1`.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The number of the process that was started; what it starts itself is below it.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Scheme, address and port, without a trailing slash.
    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", if self.tls { "https" } else { "http" }, self.port)
    }

    /// The CA that signed the server's certificate (PEM), if it speaks TLS.
    pub(crate) fn ca_pem_path(&self) -> Option<PathBuf> {
        self.tls.then(|| self.run.path().join("ca.pem"))
    }

    /// Its own folder: `ocsp.der`, and whatever logs the site's directives name.
    pub(crate) fn folder(&self) -> &Path {
        self.run.path()
    }

    /// The folder it serves.
    pub(crate) fn docroot(&self) -> PathBuf {
        self.run.path().join("docroot")
    }

    /// What lies on disk at this path of the URL, if anything.
    pub(crate) fn stored(&self, path: &str) -> Option<Vec<u8>> {
        std::fs::read(self.docroot().join(path.trim_start_matches('/'))).ok()
    }

    /// Lets the server finish what it is at, ends it, and reads the whole of its access log.
    pub(crate) fn stop_and_read_log(mut self) -> Vec<LogLine> {
        // Killed, it may have lost lines: a count that then happened to fit would prove nothing.
        assert!(self.end(self.program.graceful_stop()), "{} had to be killed", self.program.name());
        let log = std::fs::read_to_string(self.run.path().join("access.log")).expect("the access log can be read");
        log.lines()
            .map(|line| LogLine::parse(line).unwrap_or_else(|| panic!("an access log line of another form: {line:?}")))
            .collect()
    }

    /// Lets it finish, ends it, and reads the whole of a log that the site's own directives name, in its own folder.
    pub(crate) fn stop_and_read(mut self, log: &str) -> String {
        assert!(self.end(self.program.graceful_stop()), "{} had to be killed", self.program.name());
        std::fs::read_to_string(self.run.path().join(log)).expect("the log can be read")
    }

    /// Lets it finish and ends it: logs the site's own directives name are whole then.
    pub(crate) fn stop_with_its_log_whole(mut self) {
        assert!(self.end(self.program.graceful_stop()), "{} had to be killed", self.program.name());
    }

    /// Sends `signal` and waits for the end; insists with SIGTERM, then SIGKILL. Whether the first was enough.
    fn end(&mut self, signal: Signal) -> bool {
        let mut asked = 0;
        for (signal, patience) in [(signal, PATIENCE), (Signal::SIGTERM, PATIENCE / 4), (Signal::SIGKILL, PATIENCE)] {
            // Not reaped yet, so the pid is still this process and no other.
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            asked += 1;
            let _ = kill(pid_of(&self.child), signal);
            if wait_until(patience, || !matches!(self.child.try_wait(), Ok(None))) {
                break;
            }
        }
        asked == 1
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.program.name(), words_of(self.run.path()));
        }
        self.end(Signal::SIGTERM);
    }
}

/// The folder with everything but the configuration, owned by whom the server will run as.
fn prepare(program: Program, tls: bool, site: &Site) -> tempfile::TempDir {
    let run = tempfile::Builder::new().prefix("bootstorm-").tempdir().expect("a temporary folder");
    let write = |name: &str, content: &[u8]| std::fs::write(run.path().join(name), content).expect("a file in it");
    for folder in PROTECTED {
        std::fs::create_dir_all(run.path().join("docroot").join(folder)).expect("the protected folders");
    }
    for (path, content) in &site.files {
        write(&format!("docroot/{path}"), content);
    }
    write("accounts", program.password_file(site).as_bytes());
    if let (true, Some(folder)) = (tls, &site.certificates) {
        for (theirs, ours) in
            [("ca.pem", "ca.pem"), ("cert.pem", "server.pem"), ("key.pem", "server.key"), ("ocsp.der", "ocsp.der")]
        {
            write(ours, &std::fs::read(folder.join(theirs)).expect("certificates in the folder"));
        }
    } else if tls {
        let certificates = certificates::generate();
        write("ca.pem", certificates.ca.as_bytes());
        write("server.pem", certificates.chain.as_bytes());
        write("server.key", certificates.key.as_bytes());
    }
    if owner_of(run.path()) == 0 {
        give_to_nobody(run.path());
    }
    run
}

fn owner_of(path: &Path) -> u32 {
    path.metadata().expect("a folder of ours has an owner").uid()
}

fn give_to_nobody(path: &Path) {
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("root may give files away");
    if path.is_dir() {
        for entry in std::fs::read_dir(path).expect("a folder of ours can be read") {
            give_to_nobody(&entry.expect("a folder of ours can be read").path());
        }
    }
}

/// Starts the program once and waits until it has bound its port and answers there.
fn launch(program: Program, setup: &Setup<'_>) -> Result<Child, StartFailure> {
    let run = setup.run;
    let config = run.join("server.conf");
    for old in ["error.log", "stderr", "server.pid"] {
        let _ = std::fs::remove_file(run.join(old));
    }
    std::fs::write(&config, program.config(setup)).expect("the configuration");
    let stderr = std::fs::File::create(run.join("stderr")).expect("a file for what it says");
    let mut command = program.command(run, &config);
    command.current_dir(run).stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    if owner_of(run) == NOBODY {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn().map_err(|e| StartFailure::Other(format!("{:?}: {e}", program.locate())))?;
    let mut ended = None;
    // Each of the three writes its pid file only once it has bound its port, so whoever answers there is this server.
    let pid = child.id().to_string();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, setup.port));
    let ready = wait_until(PATIENCE, || {
        ended = child.try_wait().expect("the state of a child can be asked for");
        ended.is_some()
            || std::fs::read_to_string(run.join("server.pid")).is_ok_and(|text| text.trim() == pid)
                && TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    });
    if ready && ended.is_none() {
        return Ok(child);
    }
    let _ = child.kill();
    let _ = child.wait();
    let words = words_of(run);
    if words.contains("Address already in use") {
        return Err(StartFailure::PortTaken);
    }
    let how = ended.map_or_else(|| format!("it does not answer within {PATIENCE:?}"), |s| format!("it ended ({s})"));
    Err(StartFailure::Other(format!("{how}; it said:\n{words}")))
}

/// What the server said on stderr and in its error log: of each the last 4,000 octets.
fn words_of(run: &Path) -> String {
    let tail = |name| {
        let octets = std::fs::read(run.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&octets[octets.len().saturating_sub(4_000)..]).into_owned()
    };
    tail("stderr") + &tail("error.log")
}

/// A port nobody listens at, never the same twice in this process. Somebody else may still be faster: the caller tries again.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test binaries that run side by side begin at different places.
    let offset = (std::process::id() * 97 % u32::from(PORTS)) as u16;
    loop {
        let port = FIRST_PORT + (offset + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS) % PORTS;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The processes this one has started.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let told =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("the system tells of children");
    told.split_ascii_whitespace().map(|pid| pid.parse().expect("a number")).collect()
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid is a positive i32"))
}

/// Whether `condition` came true within `patience`; asked every few milliseconds.
#[allow(clippy::disallowed_methods, reason = "a bounded wait for another process")]
fn wait_until(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begun.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
