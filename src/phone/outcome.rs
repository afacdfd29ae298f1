//! How an operation ends. An outcome is an ending, not an error.

use std::borrow::Cow;
use std::fmt;

/// How one exchange failed below HTTP, or never got an answer that could be read. Each name says
/// what was seen; whose fault it is follows from [`Failure::fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Failure {
    /// The target's host answered the connect with a reset: nothing listens there.
    ConnectRefused,
    /// No answer to the connect within the limit.
    ConnectTimeout,
    /// The network says the target cannot be reached.
    ConnectUnreachable,
    /// Another failure of the connect.
    ConnectFailed,
    /// No free local port (source address and port range exhausted): the generator's limit.
    LocalPorts,
    /// No free file descriptor: the generator's limit.
    LocalFiles,
    /// The TLS handshake took longer than the limit.
    TlsTimeout,
    /// The peer does not speak TLS on this port.
    TlsNotTls,
    /// The certificate's chain ends in no CA this phone trusts.
    TlsUnknownCa,
    /// The certificate is not valid now (expired or not yet valid).
    TlsExpired,
    /// The certificate is not for this name or address.
    TlsWrongName,
    /// The certificate is unfit in another way (revoked, bad signature, wrong purpose, …).
    TlsBadCertificate,
    /// The peer refused the handshake with an alert.
    TlsAlert,
    /// No common version, suite or group.
    TlsIncompatible,
    /// The connection broke off during the handshake.
    TlsClosed,
    /// Another failure of the handshake or the record layer.
    TlsFailed,
    /// The request was sent, no first byte of an answer came within the limit.
    TimeoutFirstByte,
    /// The whole exchange took longer than the limit.
    TimeoutExchange,
    /// The peer reset the connection during the exchange.
    Reset,
    /// The peer closed the connection before an answer was complete.
    Closed,
    /// The answer is not HTTP/1.1 as it should be.
    MalformedResponse,
    /// The answer is larger than a phone would take.
    ResponseTooLarge,
    /// The run ended at once (second Ctrl-C) while the exchange was under way, or the phone lost power.
    Aborted,
}

/// Who must act so that it goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The file server or its setup.
    Server,
    /// The phone's own setup: its credentials, its URLs.
    Phone,
    /// The way between them.
    Network,
    /// This program or the machine it runs on.
    Generator,
    /// Nobody: it went well, or a person ended it.
    None,
}

impl Fault {
    /// The word used in output.
    pub const fn name(self) -> &'static str {
        match self {
            Fault::Server => "server",
            Fault::Phone => "phone",
            Fault::Network => "network",
            Fault::Generator => "generator",
            Fault::None => "none",
        }
    }
}

impl Failure {
    /// Every failure, for tables and tests.
    pub const ALL: [Failure; 23] = [
        Failure::ConnectRefused,
        Failure::ConnectTimeout,
        Failure::ConnectUnreachable,
        Failure::ConnectFailed,
        Failure::LocalPorts,
        Failure::LocalFiles,
        Failure::TlsTimeout,
        Failure::TlsNotTls,
        Failure::TlsUnknownCa,
        Failure::TlsExpired,
        Failure::TlsWrongName,
        Failure::TlsBadCertificate,
        Failure::TlsAlert,
        Failure::TlsIncompatible,
        Failure::TlsClosed,
        Failure::TlsFailed,
        Failure::TimeoutFirstByte,
        Failure::TimeoutExchange,
        Failure::Reset,
        Failure::Closed,
        Failure::MalformedResponse,
        Failure::ResponseTooLarge,
        Failure::Aborted,
    ];

    /// The word used in files and output.
    pub const fn name(self) -> &'static str {
        match self {
            Failure::ConnectRefused => "connect-refused",
            Failure::ConnectTimeout => "connect-timeout",
            Failure::ConnectUnreachable => "connect-unreachable",
            Failure::ConnectFailed => "connect-failed",
            Failure::LocalPorts => "local-ports",
            Failure::LocalFiles => "local-files",
            Failure::TlsTimeout => "tls-timeout",
            Failure::TlsNotTls => "tls-not-tls",
            Failure::TlsUnknownCa => "tls-unknown-ca",
            Failure::TlsExpired => "tls-expired",
            Failure::TlsWrongName => "tls-wrong-name",
            Failure::TlsBadCertificate => "tls-bad-certificate",
            Failure::TlsAlert => "tls-alert",
            Failure::TlsIncompatible => "tls-incompatible",
            Failure::TlsClosed => "tls-closed",
            Failure::TlsFailed => "tls-failed",
            Failure::TimeoutFirstByte => "timeout-first-byte",
            Failure::TimeoutExchange => "timeout-exchange",
            Failure::Reset => "reset",
            Failure::Closed => "closed",
            Failure::MalformedResponse => "malformed-response",
            Failure::ResponseTooLarge => "response-too-large",
            Failure::Aborted => "aborted",
        }
    }

    /// Whose fault it is, as far as one exchange can tell.
    pub const fn fault(self) -> Fault {
        match self {
            Failure::LocalPorts | Failure::LocalFiles => Fault::Generator,
            Failure::ConnectTimeout | Failure::ConnectUnreachable => Fault::Network,
            Failure::Aborted => Fault::None,
            _ => Fault::Server,
        }
    }
}

/// A phone's screen that waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Screen {
    /// Avaya: *HTTP Authentication*, "Enter backup/restore credentials" (seed).
    Authentication,
    /// Avaya: *HTTP Authentication Failure* (seed).
    AuthenticationFailure,
    /// Cisco: *Profile account setup* (seed).
    ProfileAccount,
}

impl Screen {
    /// Every screen, in the order figures are printed.
    pub const ALL: [Screen; 3] = [Screen::Authentication, Screen::AuthenticationFailure, Screen::ProfileAccount];

    /// The screen's heading, in the seed's words.
    pub const fn title(self) -> &'static str {
        match self {
            Screen::Authentication => "HTTP Authentication",
            Screen::AuthenticationFailure => "HTTP Authentication Failure",
            Screen::ProfileAccount => "Profile account setup",
        }
    }

    /// What it asks of the person: the seed's words for Avaya, the fields for Cisco, whose text is not known.
    pub const fn text(self) -> &'static str {
        match self {
            Screen::Authentication | Screen::AuthenticationFailure => "Enter backup/restore credentials",
            Screen::ProfileAccount => "Username, password",
        }
    }

    /// The word used in files and output; an operation that ends there has `prompt-` before it.
    pub const fn name(self) -> &'static str {
        match self {
            Screen::Authentication => "authentication",
            Screen::AuthenticationFailure => "authentication-failure",
            Screen::ProfileAccount => "profile-account",
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// Every step succeeded.
    Ok,
    /// It ended at a screen that waits for a person.
    Prompt(Screen),
    /// The file is not there (404).
    NotFound,
    /// The server refused the credentials and the phone has no others and shows no screen.
    CredentialsRejected,
    /// The server wants credentials, the phone has none and shows no screen.
    NoCredentials,
    /// None of the challenge's schemes is one this phone speaks (for example only `Negotiate`).
    NoUsableScheme,
    /// 401 without a challenge that can be read.
    MalformedChallenge,
    /// `Authentication-Info` proves the server does not know the password (`rspauth` wrong).
    ServerNotAuthentic,
    /// 503: the server says it has too much to do.
    Overload,
    /// Any other status that is no success, for example 405 or 500.
    Http(u16),
    /// A redirect that must not be followed: it leaves the named origins, or there were too many.
    RedirectRefused,
    /// What was read back is not what this phone had stored.
    ContentMismatch,
    /// It failed below HTTP.
    Failed(Failure),
}

impl Outcome {
    /// All that carry nothing: neither a screen, nor a status, nor a failure.
    pub const PLAIN: [Outcome; 10] = [
        Outcome::Ok,
        Outcome::NotFound,
        Outcome::CredentialsRejected,
        Outcome::NoCredentials,
        Outcome::NoUsableScheme,
        Outcome::MalformedChallenge,
        Outcome::ServerNotAuthentic,
        Outcome::Overload,
        Outcome::RedirectRefused,
        Outcome::ContentMismatch,
    ];

    /// Whether the operation did its job.
    pub const fn is_success(self) -> bool {
        matches!(self, Outcome::Ok)
    }

    /// The word used in files and output, for example `ok`, `prompt-authentication`, `http-405`.
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Outcome::Ok => "ok",
            Outcome::Prompt(Screen::Authentication) => "prompt-authentication",
            Outcome::Prompt(Screen::AuthenticationFailure) => "prompt-authentication-failure",
            Outcome::Prompt(Screen::ProfileAccount) => "prompt-profile-account",
            Outcome::NotFound => "not-found",
            Outcome::CredentialsRejected => "credentials-rejected",
            Outcome::NoCredentials => "no-credentials",
            Outcome::NoUsableScheme => "no-usable-scheme",
            Outcome::MalformedChallenge => "malformed-challenge",
            Outcome::ServerNotAuthentic => "server-not-authentic",
            Outcome::Overload => "overload",
            Outcome::Http(code) => return Cow::Owned(format!("http-{code}")),
            Outcome::RedirectRefused => "redirect-refused",
            Outcome::ContentMismatch => "content-mismatch",
            Outcome::Failed(failure) => failure.name(),
        })
    }

    /// Whose fault it is, as far as one operation can tell.
    pub const fn fault(self) -> Fault {
        match self {
            Outcome::Ok => Fault::None,
            Outcome::Prompt(_) | Outcome::CredentialsRejected | Outcome::NoCredentials => Fault::Phone,
            Outcome::NotFound => Fault::Phone,
            Outcome::Failed(failure) => failure.fault(),
            _ => Fault::Server,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
