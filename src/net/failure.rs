//! Every error of the system and of rustls, mapped to exactly one [`Failure`].

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

/// A read or write on an established connection that failed. `broken`: the peer had stopped taking what was written.
pub(super) fn of_stream(error: &io::Error, broken: bool) -> Failure {
    if let Some(tls) = tls_error(error) {
        return of_tls(tls);
    }
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput => Failure::MalformedResponse,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Failure::Reset,
        _ => of_end(broken),
    }
}

/// The connection has come to its end too soon. A reset that a write met first looks like a mere end when reading.
pub(super) fn of_end(broken: bool) -> Failure {
    if broken { Failure::Reset } else { Failure::Closed }
}

/// The rustls error in an I/O error, if that is what it is.
pub(super) fn tls_error(error: &io::Error) -> Option<&TlsError> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

#[cfg(test)]
mod tests {
    use rustls::{OtherError, PeerIncompatible, PeerMisbehaved};

    use super::*;

    fn os(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno as i32)
    }

    fn tls(error: TlsError) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, error)
    }

    fn certificate(error: CertificateError) -> io::Error {
        tls(TlsError::InvalidCertificate(error))
    }

    #[test]
    fn connect_table() {
        for (errno, want) in [
            (Errno::ECONNREFUSED, Failure::ConnectRefused),
            (Errno::ETIMEDOUT, Failure::ConnectTimeout),
            (Errno::EHOSTUNREACH, Failure::ConnectUnreachable),
            (Errno::ENETUNREACH, Failure::ConnectUnreachable),
            (Errno::ENETDOWN, Failure::ConnectUnreachable),
            (Errno::EACCES, Failure::ConnectUnreachable),
            (Errno::EADDRNOTAVAIL, Failure::LocalPorts),
            (Errno::EADDRINUSE, Failure::LocalPorts),
            (Errno::EMFILE, Failure::LocalFiles),
            (Errno::ENFILE, Failure::LocalFiles),
            (Errno::ECONNRESET, Failure::ConnectFailed),
            (Errno::ENOBUFS, Failure::ConnectFailed),
            (Errno::ENOMEM, Failure::ConnectFailed),
        ] {
            assert_eq!(of_connect(&os(errno)), want, "{errno}");
        }
        assert_eq!(of_connect(&io::Error::other("?")), Failure::ConnectFailed);
    }

    #[test]
    fn handshake_table() {
        use AlertDescription as Alert;
        let alert = |description| tls(TlsError::AlertReceived(description));
        let table = [
            (certificate(CertificateError::UnknownIssuer), Failure::TlsUnknownCa),
            (certificate(CertificateError::Expired), Failure::TlsExpired),
            (certificate(CertificateError::NotValidYet), Failure::TlsExpired),
            (certificate(CertificateError::NotValidForName), Failure::TlsWrongName),
            (certificate(CertificateError::BadSignature), Failure::TlsBadCertificate),
            (certificate(CertificateError::BadEncoding), Failure::TlsBadCertificate),
            (certificate(CertificateError::Revoked), Failure::TlsBadCertificate),
            (certificate(CertificateError::InvalidPurpose), Failure::TlsBadCertificate),
            (
                certificate(CertificateError::Other(OtherError(std::sync::Arc::new(io::Error::other("x"))))),
                Failure::TlsBadCertificate,
            ),
            (tls(TlsError::NoCertificatesPresented), Failure::TlsBadCertificate),
            (tls(TlsError::InvalidMessage(InvalidMessage::InvalidContentType)), Failure::TlsNotTls),
            (tls(TlsError::InvalidMessage(InvalidMessage::UnknownProtocolVersion)), Failure::TlsNotTls),
            (tls(TlsError::InvalidMessage(InvalidMessage::MessageTooShort)), Failure::TlsFailed),
            (tls(TlsError::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare)), Failure::TlsFailed),
            (tls(TlsError::DecryptError), Failure::TlsFailed),
            (tls(TlsError::General("x".to_owned())), Failure::TlsFailed),
            (
                tls(TlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)),
                Failure::TlsIncompatible,
            ),
            (alert(Alert::ProtocolVersion), Failure::TlsIncompatible),
            (alert(Alert::InsufficientSecurity), Failure::TlsIncompatible),
            (alert(Alert::HandshakeFailure), Failure::TlsIncompatible),
            (alert(Alert::InternalError), Failure::TlsAlert),
            (alert(Alert::UnrecognisedName), Failure::TlsAlert),
            (alert(Alert::CertificateRequired), Failure::TlsAlert),
            (ErrorKind::UnexpectedEof.into(), Failure::TlsClosed),
            (os(Errno::ECONNRESET), Failure::TlsClosed),
            (os(Errno::EPIPE), Failure::TlsClosed),
            (os(Errno::ECONNABORTED), Failure::TlsClosed),
            (os(Errno::ETIMEDOUT), Failure::TlsTimeout),
            (os(Errno::EIO), Failure::TlsFailed),
        ];
        for (error, want) in table {
            let seen = Seen { first_octet: Some(22), certificates: false };
            assert_eq!(of_handshake(&error, seen), want, "{error}");
            let nothing = Seen::default();
            assert_eq!(of_handshake(&error, nothing), want, "{error}, nothing seen");
            let plaintext = Seen { first_octet: Some(b'H'), certificates: false };
            assert_eq!(of_handshake(&error, plaintext), Failure::TlsNotTls, "{error}, after plaintext");
        }
        // TLS 1.2 servers say so too when they miss a client certificate, which is no matter of suites.
        let late = Seen { first_octet: Some(22), certificates: true };
        assert_eq!(of_handshake(&alert(Alert::HandshakeFailure), late), Failure::TlsAlert);
    }

    #[test]
    fn stream_table() {
        for (error, whole, broken) in [
            (os(Errno::ECONNRESET), Failure::Reset, Failure::Reset),
            (os(Errno::EPIPE), Failure::Reset, Failure::Reset),
            (ErrorKind::UnexpectedEof.into(), Failure::Closed, Failure::Reset),
            (os(Errno::ETIMEDOUT), Failure::Closed, Failure::Reset),
            (ErrorKind::InvalidInput.into(), Failure::MalformedResponse, Failure::MalformedResponse),
            (ErrorKind::InvalidData.into(), Failure::MalformedResponse, Failure::MalformedResponse),
            (tls(TlsError::AlertReceived(AlertDescription::CertificateRequired)), Failure::TlsAlert, Failure::TlsAlert),
            (tls(TlsError::DecryptError), Failure::TlsFailed, Failure::TlsFailed),
        ] {
            assert_eq!(of_stream(&error, false), whole, "{error}");
            assert_eq!(of_stream(&error, true), broken, "{error}, broken");
        }
    }
}
