//! Every error of the system, of rustls and of hyper, mapped to exactly one [`Failure`].

use std::error::Error as StdError;
use std::io::{self, ErrorKind};

use nix::errno::Errno;
use rustls::{AlertDescription, CertificateError, Error as TlsError, InvalidMessage};

use crate::phone::Failure;

/// A connect (or the making or binding of its socket) that failed.
pub(super) fn of_connect(error: &io::Error) -> Failure {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => Failure::ConnectRefused,
        Some(Errno::ETIMEDOUT) => Failure::ConnectTimeout,
        Some(
            Errno::EHOSTUNREACH
            | Errno::ENETUNREACH
            | Errno::ENETDOWN
            | Errno::EHOSTDOWN
            | Errno::EACCES
            | Errno::EPERM,
        ) => Failure::ConnectUnreachable,
        Some(Errno::EADDRNOTAVAIL | Errno::EADDRINUSE) => Failure::LocalPorts,
        Some(Errno::EMFILE | Errno::ENFILE) => Failure::LocalFiles,
        _ => Failure::ConnectFailed,
    }
}

/// What was seen of the peer when a handshake failed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// The first octet the peer sent.
    pub(super) first_octet: Option<u8>,
    /// Whether the server's certificates had come.
    pub(super) certificates: bool,
}

impl Seen {
    /// Whether the first octet can begin a TLS record (content types 20 to 24, RFC 8446 section 5.1 and RFC 6520).
    fn is_tls(self) -> bool {
        self.first_octet.is_none_or(|octet| (20..=24).contains(&octet))
    }
}

/// A handshake that failed.
pub(super) fn of_handshake(error: &io::Error, seen: Seen) -> Failure {
    if !seen.is_tls() {
        return Failure::TlsNotTls;
    }
    match tls_error(error) {
        Some(TlsError::AlertReceived(AlertDescription::HandshakeFailure)) if !seen.certificates => {
            Failure::TlsIncompatible
        }
        Some(tls) => of_tls(tls),
        None => match error.kind() {
            ErrorKind::TimedOut => Failure::TlsTimeout,
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::WriteZero
            | ErrorKind::NotConnected => Failure::TlsClosed,
            _ => Failure::TlsFailed,
        },
    }
}

/// An error of the TLS protocol itself.
pub(super) fn of_tls(error: &TlsError) -> Failure {
    match error {
        TlsError::InvalidCertificate(certificate) => of_certificate(certificate),
        TlsError::NoCertificatesPresented | TlsError::UnsupportedNameType => Failure::TlsBadCertificate,
        TlsError::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
            Failure::TlsNotTls
        }
        TlsError::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::InsufficientSecurity)
        | TlsError::PeerIncompatible(_) => Failure::TlsIncompatible,
        TlsError::AlertReceived(_) => Failure::TlsAlert,
        _ => Failure::TlsFailed,
    }
}

fn of_certificate(error: &CertificateError) -> Failure {
    match error {
        CertificateError::UnknownIssuer => Failure::TlsUnknownCa,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Failure::TlsExpired,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Failure::TlsWrongName,
        _ => Failure::TlsBadCertificate,
    }
}

/// An exchange that failed after the connection was made. `broken`: the peer had stopped taking what was written.
pub(super) fn of_exchange(error: &hyper::Error, broken: bool) -> Failure {
    if error.is_parse_too_large() {
        return Failure::ResponseTooLarge;
    }
    if error.is_parse() {
        return Failure::MalformedResponse;
    }
    let source = StdError::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    match source {
        Some(cause) => of_stream(cause, broken),
        None => gone(broken),
    }
}

/// A read or write on an established connection, or the decoding of a body, that failed.
pub(super) fn of_stream(error: &io::Error, broken: bool) -> Failure {
    if let Some(tls) = tls_error(error) {
        return of_tls(tls);
    }
    match error.kind() {
        // hyper's words for a body whose chunks or lengths make no sense.
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Failure::MalformedResponse,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Failure::Reset,
        _ => gone(broken),
    }
}

/// A reset that a write met first looks like a mere end when reading.
fn gone(broken: bool) -> Failure {
    if broken { Failure::Reset } else { Failure::Closed }
}

/// The rustls error in an I/O error, if that is what it is.
pub(super) fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
