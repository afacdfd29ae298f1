//! The access log, in the combined format that every log analyser reads.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use http::header::{CONTENT_LENGTH, REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Response};

use super::connection::Peer;
use super::{AuthenticatedUser, TargetError};

/// How long a line may stay in memory.
const FLUSH: Duration = Duration::from_millis(200);

/// Writes one line per answered request: no line is lost while the disk takes them, and no accept loop waits for it.
#[derive(Debug)]
pub struct AccessLog {
    lines: Option<Sender<String>>,
    writer: Option<JoinHandle<()>>,
}

/// Where the accept loops put their lines.
#[derive(Clone, Debug)]
pub(crate) struct LogSender(Sender<String>);

impl AccessLog {
    /// A log that begins at the end of this file, or goes to standard output for `-`.
    ///
    /// # Errors
    /// The file cannot be opened, or there is no thread to write it.
    pub fn open(file: &Path) -> Result<AccessLog, TargetError> {
        if file == Path::new("-") {
            return AccessLog::to(io::stdout(), file.to_owned());
        }
        let opened = File::options().append(true).create(true).open(file);
        let opened = opened.map_err(|cause| TargetError::File { action: "write", file: file.to_owned(), cause })?;
        AccessLog::to(opened, file.to_owned())
    }

    fn to(sink: impl Write + Send + 'static, name: PathBuf) -> Result<AccessLog, TargetError> {
        let (lines, received) = mpsc::channel::<String>();
        let write = move || {
            let mut sink = BufWriter::with_capacity(64 * 1024, sink);
            let mut healthy = true;
            loop {
                let done = match received.recv_timeout(FLUSH) {
                    Ok(line) => sink.write_all(line.as_bytes()),
                    Err(RecvTimeoutError::Timeout) => sink.flush(),
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if let Err(error) = done
                    && std::mem::take(&mut healthy)
                {
                    tracing::error!("access log {}: {error}; lines are missing from here on", name.display());
                }
            }
            if let Err(error) = sink.flush() {
                tracing::error!("access log {}: {error}; its end is missing", name.display());
            }
        };
        let writer = thread::Builder::new().name("access-log".into()).spawn(write).map_err(TargetError::AcceptLoop)?;
        Ok(AccessLog { lines: Some(lines), writer: Some(writer) })
    }

    pub(crate) fn sender(&self) -> Option<LogSender> {
        self.lines.clone().map(LogSender)
    }
}

/// Writes what is left. Senders must be gone by then, or this waits for them.
impl Drop for AccessLog {
    fn drop(&mut self) {
        self.lines = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has nothing left to say.
            let _ = writer.join();
        }
    }
}

impl LogSender {
    pub(crate) fn log(&self, peer: &Peer, head: &LogHead, response: &Response<bytes::Bytes>) {
        // The writer only ends after the last sender: a line that cannot be sent has nobody to miss it.
        let _ = self.0.send(line(clock(), peer, head, response));
    }
}

/// What the log says of a request.
#[derive(Clone, Debug)]
pub(crate) struct LogHead {
    request: String,
    referer: String,
    agent: String,
}

impl LogHead {
    pub(crate) fn of(head: &Parts) -> LogHead {
        let mut request = String::new();
        let _ = write!(request, "{} {} {:?}", head.method, head.uri, head.version);
        LogHead {
            request: escaped(request.as_bytes()),
            referer: field(&head.headers, &REFERER),
            agent: field(&head.headers, &USER_AGENT),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a log line carries the time of day")]
fn clock() -> SystemTime {
    SystemTime::now()
}

/// `peer - user [time] "request" status octets "referer" "user agent"`, and the subject of the peer's certificate, in
/// quotes too, if it showed one.
fn line(at: SystemTime, peer: &Peer, head: &LogHead, response: &Response<bytes::Bytes>) -> String {
    let user: Option<&AuthenticatedUser> = response.extensions().get();
    let user = user.map_or("-".into(), |AuthenticatedUser(name): &AuthenticatedUser| {
        Arc::<str>::from(escaped(name.as_bytes()).replace(' ', "\\x20"))
    });
    let octets = match response.body().len() {
        0 => "-".into(),
        n => n.to_string(),
    };
    let (status, LogHead { request, referer, agent }) = (response.status().as_u16(), head);
    debug_assert!(response.headers().contains_key(CONTENT_LENGTH) || response.body().is_empty());
    let subject = peer.subject.as_ref().map(|s| format!(" \"{}\"", escaped(s.as_bytes()))).unwrap_or_default();
    let (peer, time) = (peer.address, time(at));
    format!("{peer} - {user} [{time}] \"{request}\" {status} {octets} \"{referer}\" \"{agent}\"{subject}\n")
}

/// As in `10/Oct/2000:13:55:36 +0000`.
fn time(at: SystemTime) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 2000-10-10T13:55:36Z
    let iso = humantime::format_rfc3339_seconds(at).to_string();
    let part = |range| iso.get(range).unwrap_or("");
    let month = part(5..7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.checked_sub(1)?)).unwrap_or(&"-");
    format!("{}/{month}/{}:{} +0000", part(8..10), part(0..4), part(11..19))
}

fn field(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).map_or_else(|| "-".to_owned(), |value| escaped(value.as_bytes()))
}

/// Text that cannot break out of its quotes or its line, as Apache writes it.
fn escaped(octets: &[u8]) -> String {
    let mut text = String::with_capacity(octets.len());
    for &octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(octet)]),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => {
                let _ = write!(text, "\\x{octet:02x}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http::Request;

    fn peer(address: &str) -> Peer {
        Peer { address: address.parse().unwrap(), subject: None }
    }

    #[test]
    fn a_line_is_combined_format_and_cannot_be_forged() {
        let (head, ()) = Request::put("/a%22b.txt").header(USER_AGENT, "Cisco \"CP\"\\").body(()).unwrap().into_parts();
        let mut response = Response::new(Bytes::from_static(b"12345"));
        response.headers_mut().insert(CONTENT_LENGTH, 5.into());
        response.extensions_mut().insert(AuthenticatedUser("a b\n\"c".into()));
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(971_186_136);
        assert_eq!(
            line(at, &peer("127.0.0.1"), &LogHead::of(&head), &response),
            "127.0.0.1 - a\\x20b\\x0a\\\"c [10/Oct/2000:13:55:36 +0000] \"PUT /a%22b.txt HTTP/1.1\" 200 5 \"-\" \
             \"Cisco \\\"CP\\\"\\\\\"\n"
        );
    }

    #[test]
    fn a_certificates_subject_comes_last() {
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        let peer = Peer { subject: Some("OU=CP-8841, \"x\"".into()), ..peer("::1") };
        let line = line(SystemTime::UNIX_EPOCH, &peer, &LogHead::of(&head), &Response::new(Bytes::new()));
        assert!(line.ends_with(" \"-\" \"-\" \"OU=CP-8841, \\\"x\\\"\"\n"), "{line}");
    }

    #[test]
    fn every_line_is_in_the_file_once_the_log_is_dropped() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("access.log");
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        for _ in 0..2 {
            let log = AccessLog::open(&file).unwrap();
            let sender = log.sender().unwrap();
            for _ in 0..1000 {
                sender.log(&peer("::1"), &LogHead::of(&head), &Response::new(Bytes::new()));
            }
            drop(sender);
        }
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text.lines().count(), 2000);
        assert!(
            text.lines().all(|l| l.starts_with("::1 - - [") && l.ends_with("\"GET / HTTP/1.1\" 200 - \"-\" \"-\""))
        );
    }
}
