//! What is wrong before the storm: each says what, where, and what to do.

use std::net::IpAddr;

use thiserror::Error;

use crate::phone::{Failure, Fault};

/// Why the phones' network cannot be set up, or the target cannot be used. Found before any load is sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NetError {
    /// The CA of the phones' own certificates cannot be made or used.
    #[error(
        "the CA of the phones' certificates cannot be used: {reason}; tls.device-certificates must name a folder that \
         this user may write to, with both device-ca.pem and device-ca-key.pem in it or neither"
    )]
    DeviceCa {
        /// What is wrong.
        reason: String,
    },
    /// The name has no address.
    #[error(
        "{origin}: the name {host:?} cannot be resolved ({reason}): correct the target's URL, or this machine's name service"
    )]
    Unresolved {
        /// The target.
        origin: String,
        /// Its host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The host can be neither a name nor an address.
    #[error("target.url: {host:?} is neither a host name nor an IP address")]
    BadHost {
        /// As written.
        host: String,
    },
    /// The target is not this machine, and nobody has consented.
    #[error(
        "{origin} is not on this machine ({address} is no loopback address): load on another machine needs the consent of \
         those who run it. Nothing was sent. If they agreed, say who: --authorised-by \"NAME\" (or BOOTSTORM_AUTHORISED_BY), \
         which is recorded with the results; or let them put the line `allow-load-from: ADDRESS` (of this machine, or `any`) \
         into the file {origin}/bootstorm-consent.txt, and say --ask-consent"
    )]
    NoConsent {
        /// The target.
        origin: String,
        /// The address that is not loopback.
        address: IpAddr,
    },
    /// The target was asked for its consent, and does not give it.
    #[error(
        "{url}: no consent: {what}; those who run the server must write there `allow-load-from: ADDRESS` (of this machine, or \
         `any`), and may write `max-phones: N`. No load was sent"
    )]
    ConsentDenied {
        /// Where the consent should be.
        url: String,
        /// What is wrong with it.
        what: String,
    },
    /// A CA file is not there.
    #[error(
        "{file}: there is no such file: target.ca must name a PEM file with the certificate of the CA the phones trust"
    )]
    CaMissing {
        /// As named.
        file: String,
    },
    /// A CA file cannot be read.
    #[error("{file}: the CA file cannot be read: {reason}")]
    CaUnreadable {
        /// As named.
        file: String,
        /// What the system said.
        reason: String,
    },
    /// A CA file is not PEM.
    #[error("{file}: this CA file is not PEM: {reason}")]
    CaNotPem {
        /// As named.
        file: String,
        /// What it is.
        reason: String,
    },
    /// A CA file is PEM but has no certificate.
    #[error("{file}: there is PEM in this CA file but no CERTIFICATE: is it the key or the request instead?")]
    CaEmpty {
        /// As named.
        file: String,
    },
    /// A certificate in a CA file cannot be used.
    #[error("{file}: a certificate in this CA file cannot be a trust anchor: {reason}")]
    CaUnfit {
        /// As named.
        file: String,
        /// Why.
        reason: String,
    },
    /// Certificates are to be verified, and no CA is named.
    #[error(
        "the target is https, and no CA is named that the phones trust: write target.ca = \"ca.pem\" with the PEM file of \
         the CA that signed the server's certificate, or --set target.ca=ca.pem (the system's CAs are never used)"
    )]
    CaNotNamed,
    /// rustls refuses the settings.
    #[error("the TLS settings cannot be used: {reason}")]
    TlsSetup {
        /// What rustls said.
        reason: String,
    },
    /// A source range makes no sense.
    #[error("network.sources: {count} addresses from {first} on is no range of addresses")]
    SourceRange {
        /// Its first address.
        first: IpAddr,
        /// How many.
        count: u32,
    },
    /// A source address is not this machine's.
    #[error(
        "network.sources: {address} is not an address of this machine ({reason}): add it to an interface, or name addresses of this machine"
    )]
    SourceNotLocal {
        /// The address.
        address: IpAddr,
        /// What the system said.
        reason: String,
    },
    /// A source address cannot reach the target: one is IPv4, the other IPv6.
    #[error(
        "network.sources: from {source_address} no address of {origin} can be reached: one is IPv4, the other IPv6"
    )]
    SourceFamily {
        /// The source.
        source_address: IpAddr,
        /// The target.
        origin: String,
    },
    /// Too few open files allowed.
    #[error(
        "this run needs {needed} open files ({connections} connections{}), {allowed} are allowed: \
         raise the hard limit (as root `ulimit -Hn {needed}`, for a service LimitNOFILE={needed}){}{}",
        if *.embedded { ", both ends in this process" } else { "" },
        target_apart(*.embedded),
        or_fewer(*.fitting)
    )]
    Files {
        /// Open files needed.
        needed: u64,
        /// Open files allowed (hard limit).
        allowed: u64,
        /// Connections asked for.
        connections: u64,
        /// Whether the embedded target's ends count too.
        embedded: bool,
        /// Connections that would fit.
        fitting: u64,
    },
    /// Too few local ports.
    #[error(
        "this run needs {connections} connections at once; {sources} source address(es) with {ports} local ports each \
         ({range}) allow {fitting}: {}widen the range (`sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"`){}",
        more_sources(*.ports, *.wanted_sources),
        or_fewer(*.fitting)
    )]
    Ports {
        /// Connections asked for.
        connections: u64,
        /// Source addresses there are.
        sources: u64,
        /// Ports of each.
        ports: u64,
        /// The system's range, as `first-last`.
        range: String,
        /// Connections that would fit.
        fitting: u64,
        /// Source addresses that would do.
        wanted_sources: u64,
    },
    /// Too few local ports, because the system keeps those of closed connections back.
    #[error(
        "this run takes {needed} local ports at once: of at most {connections} connections that are open, and of those that the \
         phones closed in the last {kept_back_s} s, whose ports the system keeps back (TIME_WAIT); {sources} source address(es) \
         with {ports} each ({range}) do not suffice: {}let phones keep their connections longer (network.idle), or spread the \
         storm, or take fewer phones",
        more_sources(*.ports, *.wanted_sources)
    )]
    PortsKeptBack {
        /// Ports needed.
        needed: u64,
        /// Connections open at once.
        connections: u64,
        /// For how long a port is kept back, in seconds.
        kept_back_s: f64,
        /// Source addresses there are.
        sources: u64,
        /// Ports of each.
        ports: u64,
        /// The system's range, as `first-last`.
        range: String,
        /// Source addresses that would do.
        wanted_sources: u64,
    },
    /// Too little memory.
    #[error(
        "this run needs {} of memory ({connections} connections at once{}), {} are free: take fewer phones (--phones){}{}",
        mib(*.needed),
        if *.embedded { ", both ends in this process" } else { "" },
        mib(*.free),
        target_apart(*.embedded),
        or_fewer(*.fitting)
    )]
    Memory {
        /// Octets needed.
        needed: u64,
        /// Octets to be had.
        free: u64,
        /// Connections open at once.
        connections: u64,
        /// Whether the embedded target's ends count too.
        embedded: bool,
        /// Connections that would fit.
        fitting: u64,
    },
    /// A limit of the system cannot be read or set.
    #[error("{what}: {reason}")]
    System {
        /// Which limit.
        what: &'static str,
        /// What the system said.
        reason: String,
    },
    /// The TCP connection cannot be made.
    #[error("{origin}: {what}")]
    Unreachable {
        /// The target.
        origin: String,
        /// How the connect failed.
        failure: Failure,
        /// In words, with what to do.
        what: String,
    },
    /// An https target does not speak TLS.
    #[error(
        "{origin} does not speak TLS: what it answered to the client hello is plaintext; write http:// in its URL, or name the server's TLS port"
    )]
    NotTls {
        /// The target.
        origin: String,
    },
    /// An http target speaks TLS.
    #[error(
        "{origin} speaks TLS: write https:// in its URL (and name its CA as target.ca), or name the server's plain port"
    )]
    SpeaksTls {
        /// The target.
        origin: String,
    },
    /// The server's certificate is from a CA that is not trusted.
    #[error(
        "{origin}: the phones do not trust the server's certificate: its chain ends in another CA than those in {trusted}; \
         name the PEM file of the CA that signed it as target.ca"
    )]
    UnknownCa {
        /// The target.
        origin: String,
        /// The files trusted.
        trusted: String,
    },
    /// The server's certificate bears other names.
    #[error(
        "{origin}: the server's certificate is {presented}, not for {host}: use one of its names in the target's URL, or a certificate for this one"
    )]
    WrongName {
        /// The target.
        origin: String,
        /// Its host.
        host: String,
        /// `for …`, or that it names none.
        presented: String,
    },
    /// The server's certificate is not valid now.
    #[error("{origin}: the server's certificate is {what}: renew it, or set this machine's clock right")]
    Expired {
        /// The target.
        origin: String,
        /// Expired or not yet valid, and since when.
        what: String,
    },
    /// The server's certificate is unfit in another way.
    #[error("{origin}: the server's certificate is unfit: {what}")]
    BadCertificate {
        /// The target.
        origin: String,
        /// Why.
        what: String,
    },
    /// The TLS handshake failed otherwise.
    #[error("{origin}: the TLS handshake failed: {what}")]
    Handshake {
        /// The target.
        origin: String,
        /// How.
        failure: Failure,
        /// In words, with what to do.
        what: String,
    },
    /// What answers is no HTTP server.
    #[error(
        "{origin}: something listens there, but it gives no HTTP answer ({failure_name}): is this the server's port?"
    )]
    NotHttp {
        /// The target.
        origin: String,
        /// How the exchange failed.
        failure: Failure,
        /// Its name.
        failure_name: &'static str,
    },
}

/// Fewer connections as a way out, where any would be left.
fn or_fewer(fitting: u64) -> String {
    if fitting == 0 { String::new() } else { format!(", or lower network.max-connections to {fitting}") }
}

/// More source addresses as a way out, where each brings ports.
fn more_sources(ports: u64, wanted: u64) -> String {
    if ports == 0 { String::new() } else { format!("name at least {wanted} addresses in network.sources, ") }
}

/// The server in a process of its own as a way out, where it is in this one.
fn target_apart(embedded: bool) -> &'static str {
    if embedded {
        ", start the target in a process of its own (`bootstorm serve WORKLOAD`, then --target URL)"
    } else {
        ""
    }
}

fn mib(octets: u64) -> String {
    format!("{} MiB", octets.div_ceil(1 << 20))
}

impl NetError {
    /// Whether what was typed (workload, arguments, files they name) is at fault, rather than what was found
    /// when it was tried.
    pub const fn is_usage(&self) -> bool {
        matches!(
            self,
            NetError::BadHost { .. }
                | NetError::NoConsent { .. }
                | NetError::ConsentDenied { .. }
                | NetError::CaMissing { .. }
                | NetError::CaUnreadable { .. }
                | NetError::CaNotPem { .. }
                | NetError::CaEmpty { .. }
                | NetError::CaUnfit { .. }
                | NetError::CaNotNamed
                | NetError::SourceRange { .. }
                | NetError::SourceFamily { .. }
        )
    }

    /// Who must act so that it goes away.
    pub const fn fault(&self) -> Fault {
        match self {
            NetError::Unresolved { .. }
            | NetError::BadHost { .. }
            | NetError::NoConsent { .. }
            | NetError::ConsentDenied { .. } => Fault::Generator,
            NetError::CaMissing { .. }
            | NetError::CaUnreadable { .. }
            | NetError::CaNotPem { .. }
            | NetError::CaEmpty { .. }
            | NetError::CaUnfit { .. }
            | NetError::CaNotNamed => Fault::Phone,
            NetError::TlsSetup { .. }
            | NetError::DeviceCa { .. }
            | NetError::SourceRange { .. }
            | NetError::SourceNotLocal { .. }
            | NetError::SourceFamily { .. }
            | NetError::Files { .. }
            | NetError::Ports { .. }
            | NetError::PortsKeptBack { .. }
            | NetError::Memory { .. }
            | NetError::System { .. } => Fault::Generator,
            NetError::NotTls { .. } | NetError::SpeaksTls { .. } | NetError::UnknownCa { .. } => Fault::Phone,
            NetError::Unreachable { failure, .. }
            | NetError::Handshake { failure, .. }
            | NetError::NotHttp { failure, .. } => failure.fault(),
            NetError::WrongName { .. } | NetError::Expired { .. } | NetError::BadCertificate { .. } => Fault::Server,
        }
    }
}
