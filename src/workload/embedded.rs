//! The embedded server as meant: what it resembles, how it asks, how hard it works, what befalls it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::StatusCode;

use super::TargetTls;
use crate::auth::{Algorithm, AnswerScheme};
use crate::phone::Moment;

/// The embedded server, as `serve` and `run` start it.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddedTarget {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Which server it resembles.
    pub likeness: Likeness,
    /// How it asks for credentials.
    pub auth: TargetAuth,
    /// Whether it speaks TLS, with a CA of its own making.
    pub tls: Option<TargetTls>,
    /// Folder to store uploads in; memory if none.
    pub folder: Option<PathBuf>,
    /// Whether every phone's backup file is there from the start.
    pub prefilled: bool,
    /// Largest body it takes, in octets; the likeness's own limit if none.
    pub body_limit: Option<u64>,
    /// How many accept loops (threads).
    pub accept_loops: usize,
    /// Whether PUT and DELETE are taken; else 405, as of a server without WebDAV.
    pub webdav: bool,
    /// How long requests take, and how many wait.
    pub work: Work,
    /// What goes wrong at random.
    pub faults: Faults,
    /// What befalls it in the course of the run, in order of time.
    pub events: Vec<TargetEvent>,
}

impl EmbeddedTarget {
    /// One of this likeness with all defaults: on a free port of loopback, TLS with a P-256 certificate, one accept
    /// loop, realm `Digest`, settings open to all.
    pub fn of(likeness: Likeness) -> EmbeddedTarget {
        EmbeddedTarget {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            likeness,
            auth: TargetAuth::of(likeness),
            tls: Some(TargetTls::default()),
            folder: None,
            prefilled: false,
            body_limit: None,
            accept_loops: 1,
            webdav: true,
            work: Work::of(likeness),
            faults: Faults::default(),
            events: Vec::new(),
        }
    }
}

/// How long requests take, in phone time, and how many wait. Without a service time nothing ever waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Least and greatest time a request is worked on; uniform between.
    pub service: (Duration, Duration),
    /// Requests worked on at once; none: all of them.
    pub workers: Option<usize>,
    /// Requests that may wait for a worker; none: any number.
    pub queue: Option<usize>,
    /// What becomes of one that finds the queue full.
    pub overload: Overload,
}

impl Work {
    /// No work at all, with the queue of the likeness: IIS's kernel queue holds 1,000; the others hold any number.
    pub fn of(likeness: Likeness) -> Work {
        Work {
            service: (Duration::ZERO, Duration::ZERO),
            workers: None,
            queue: likeness.usual_queue(),
            overload: Overload::Unavailable,
        }
    }
}

/// What becomes of a request that finds the queue full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overload {
    /// 503, and the connection is closed.
    Unavailable,
    /// The connection is reset.
    Reset,
}

/// Shares of answers (0 to 1) that go wrong at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Faults {
    /// Half of the answer is sent, then nothing any more, on an open connection.
    pub stall: f64,
    /// Half of the answer is sent, then the connection is closed.
    pub cut: f64,
    /// No answer is sent, and the connection is reset.
    pub reset: f64,
    /// Another status is sent in place of the answer, and nothing is done.
    pub status: f64,
    /// That status.
    pub status_code: StatusCode,
}

impl Default for Faults {
    fn default() -> Self {
        Faults { stall: 0.0, cut: 0.0, reset: 0.0, status: 0.0, status_code: StatusCode::INTERNAL_SERVER_ERROR }
    }
}

/// Something that befalls the target.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetEvent {
    /// When, in phone time.
    pub at: Moment,
    /// What.
    pub what: Befalls,
}

/// What can befall the target.
#[derive(Clone, Debug, PartialEq)]
pub enum Befalls {
    /// Challenges name this realm from now on.
    RenameRealm(String),
    /// It is gone for so long (phone time): connections break and are refused. It comes back as it was.
    Down(Duration),
    /// Tickets handed out before are worth nothing.
    RotateTicketKeys,
    /// It shows another certificate from now on.
    SwapCertificate(Swap),
    /// This share (0 to 1) of the users has another password from now on, which no phone and no person knows.
    ChangePasswords(f64),
}

/// Which certificate comes after the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Swap {
    /// A new one from the same CA: no phone should notice.
    Renewed,
    /// One from a CA that no phone trusts.
    OtherCa,
}

/// Which server the embedded target resembles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// IIS-like: challenge, bodies and limits as read in traces of IIS 10.
    Iis,
    /// Apache-like.
    Apache,
    /// nginx-like.
    Nginx,
    /// lighttpd-like.
    Lighttpd,
    /// Keeps to the RFCs to the letter.
    Strict,
}

/// How the embedded target asks for credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetAuth {
    /// Schemes offered, in this order; empty: no credentials asked.
    pub offers: Vec<Offer>,
    /// The realm in every challenge.
    pub realm: String,
    /// Which requests need credentials.
    pub protects: Protects,
    /// How long a Digest nonce lives.
    pub nonce_lifetime: Duration,
    /// How many nonces the server has room for: others are stale before their time. None: room for all.
    pub nonce_table: Option<usize>,
    /// Whether Digest challenges offer `userhash` (RFC 7616 3.4.4).
    pub userhash: bool,
}

impl TargetAuth {
    /// As this likeness has it, with the realm `Digest`.
    pub fn of(likeness: Likeness) -> TargetAuth {
        TargetAuth {
            offers: likeness.usual_offers().to_vec(),
            realm: "Digest".into(),
            protects: Protects::AllButSettings,
            nonce_lifetime: likeness.nonce_lifetime(),
            nonce_table: None,
            userhash: likeness.usual_userhash(),
        }
    }
}

/// One scheme the embedded target offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Basic (RFC 7617).
    Basic,
    /// Digest with this algorithm (RFC 7616).
    Digest(Algorithm),
    /// Windows authentication, Kerberos or NTLM (RFC 4559); offered, and never granted.
    Negotiate,
    /// Windows authentication, NTLM alone; offered, and never granted.
    Ntlm,
}

impl Offer {
    /// Every offer there is.
    pub fn all() -> impl Iterator<Item = Offer> + Clone {
        let digests = Algorithm::ALL.into_iter().map(Offer::Digest);
        std::iter::once(Offer::Basic).chain(digests).chain([Offer::Negotiate, Offer::Ntlm])
    }

    /// The word of files, flags and figures: `basic`, `digest-md5-sess`, `negotiate`, …
    pub const fn name(self) -> &'static str {
        match self {
            Offer::Basic => AnswerScheme::Basic.name(),
            Offer::Digest(algorithm) => AnswerScheme::Digest(algorithm).name(),
            Offer::Negotiate => "negotiate",
            Offer::Ntlm => "ntlm",
        }
    }
}

/// Which requests need credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protects {
    /// Everything.
    Everything,
    /// Everything but the settings files that phones fetch without credentials.
    AllButSettings,
    /// Only requests that write.
    Writes,
}
