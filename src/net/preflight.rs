//! One look at the target before the storm, and what is wrong in words.

use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, Error as TlsError};
use tokio::net::TcpStream;

use super::deadline::Deadline;
use super::dial::dial;
use super::failure::{self, tls_error};
use super::handshake::{Broken, handshake};
use super::meter::{Meter, Socket};
use super::session::as_phone;
use super::source::Sources;
use super::stream::Stream;
use super::tls::{Tls, TlsSettings};
use super::{Connector, NetError, Settings, Trust};
use crate::phone::{Failure, Origin, Reason, Request};
use crate::workload::TlsPlan;

/// Connects to `origin` as the first phone would. An https target gets one handshake for each way in which fleets do TLS,
/// with verification as the plan says, and no request; an http target one `HEAD /`, to learn whether HTTP is what it speaks.
///
/// # Errors
/// What is wrong, whose fault it is and what to do: [`NetError::Unreachable`], [`NetError::NotTls`],
/// [`NetError::SpeaksTls`], [`NetError::UnknownCa`], [`NetError::WrongName`], [`NetError::Expired`],
/// [`NetError::BadCertificate`], [`NetError::Handshake`], [`NetError::NotHttp`]; and those of [`Connector::new`].
pub async fn probe(settings: &Settings, origin: &Origin) -> Result<(), NetError> {
    let connector = Connector::new(settings)?;
    if origin.tls {
        let tls = Tls::new(&settings.tls, settings.shards)?;
        for phone in tls.one_of_each() {
            let tcp = connect(settings, origin).await.map_err(|failure| unreachable_target(origin, failure))?;
            if let Some(certificates) = &tls.certificates {
                certificates.prepare(phone);
            }
            let shaken = shake(settings, origin, &tls, phone, tcp).await;
            shaken.map_err(|broken| describe(settings, origin, phone, &broken))?;
        }
        return Ok(());
    }
    let done = connector.exchange(0, None, &question(origin)).await;
    match done.answer {
        Ok(answer) if answer.status != StatusCode::BAD_REQUEST => Ok(()),
        Err(failure) if done.facts.send.is_none() => Err(unreachable_target(origin, failure)),
        // A TLS port may answer with an alert, with a 400 in plaintext, or not at all: ask it in TLS.
        answer => {
            if speaks_tls(settings, origin).await? {
                return Err(NetError::SpeaksTls { origin: origin.to_string() });
            }
            let not_http = |failure: Failure| NetError::NotHttp {
                origin: origin.to_string(),
                failure,
                failure_name: failure.name(),
            };
            answer.map(drop).map_err(not_http)
        }
    }
}

/// A connection to `origin`, as the first phone would make it, and the address it is made from.
///
/// # Errors
/// As [`probe`].
pub(super) async fn open(settings: &Settings, origin: &Origin) -> Result<(Stream, IpAddr), NetError> {
    let tcp = connect(settings, origin).await.map_err(|failure| unreachable_target(origin, failure))?;
    let own = tcp.local_addr().map(|address| address.ip());
    let own = own.map_err(|_| unreachable_target(origin, Failure::ConnectUnreachable))?;
    if !origin.tls {
        let meter = Rc::new(Meter::default());
        return Ok((Stream::plain(Socket::new(tcp, Rc::clone(&meter)), meter), own));
    }
    let tls = Tls::new(&settings.tls, settings.shards)?;
    let stream =
        shake(settings, origin, &tls, 0, tcp).await.map_err(|broken| describe(settings, origin, 0, &broken))?;
    Ok((stream, own))
}

fn question(origin: &Origin) -> Request {
    Request {
        origin: Arc::new(origin.clone()),
        method: Method::HEAD,
        path: "/".to_owned(),
        headers: vec![(header::USER_AGENT, HeaderValue::from_static("bootstorm-preflight"))],
        body: Bytes::new(),
        reason: Reason::First,
        keep_alive: false,
    }
}

async fn connect(settings: &Settings, origin: &Origin) -> Result<TcpStream, Failure> {
    let source = Sources::new(&settings.network.sources).ok().and_then(|sources| sources.of(0));
    let addresses = settings.addresses.of(origin).unwrap_or_default();
    let mut failure = Failure::ConnectUnreachable;
    for address in addresses.iter().filter(|a| source.is_none_or(|s| s.is_ipv4() == a.is_ipv4())) {
        let deadline = Deadline::after(settings.timeouts.exchange);
        match deadline.wait(settings.timeouts.connect, Failure::ConnectTimeout, dial(*address, source)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = failure::of_connect(&error),
            Err(late) => failure = late,
        }
    }
    Err(failure)
}

async fn shake(settings: &Settings, origin: &Origin, tls: &Tls, phone: u32, tcp: TcpStream) -> Result<Stream, Broken> {
    let meter = Rc::new(Meter::default());
    let socket = Socket::new(tcp, Rc::clone(&meter));
    let failed = |error: io::Error| Broken { failure: Failure::TlsFailed, error: Some(error) };
    let name = ServerName::try_from(origin.host.clone()).map_err(|error| failed(io::Error::other(error)))?;
    let config = tls.config(phone).ok_or_else(|| failed(io::Error::other("there is no fleet")))?;
    let limit = settings.timeouts.tls;
    let deadline = Deadline::after(settings.timeouts.exchange);
    let shaken = {
        let mut handshake = pin!(handshake(config, name, socket, &meter, limit, deadline));
        poll_fn(|cx| as_phone(phone, || handshake.as_mut().poll(cx))).await
    };
    Ok(Stream::tls(shaken.result?, meter))
}

/// Whether a handshake, without verification, gets as far as records of the server's.
async fn speaks_tls(settings: &Settings, origin: &Origin) -> Result<bool, NetError> {
    let plan = TlsPlan { verify: false, ..settings.tls.plan.clone() };
    let tls = Tls::new(
        &TlsSettings { plan, trust: Trust::default(), alpn: false, devices: settings.tls.devices.clone() },
        1,
    )?;
    let Ok(tcp) = connect(settings, origin).await else { return Ok(false) };
    Ok(match shake(settings, origin, &tls, 0, tcp).await {
        Ok(stream) => {
            stream.farewell();
            true
        }
        Err(broken) => matches!(broken.failure, Failure::TlsAlert | Failure::TlsIncompatible),
    })
}

fn unreachable_target(origin: &Origin, failure: Failure) -> NetError {
    let what = match failure {
        Failure::ConnectRefused => {
            "nothing listens there (connection refused): start the server, or correct the target's URL"
        }
        Failure::ConnectTimeout => {
            "no answer to the connect within timeouts.connect: is the server up, and nothing in between dropping packets?"
        }
        Failure::ConnectUnreachable => "the network has no way there: check the route, or correct the target's URL",
        Failure::LocalPorts => {
            "this machine has no free local port: wait for old connections to end, or name more network.sources"
        }
        Failure::LocalFiles => "this process may open no more files: raise the limit (`ulimit -n`)",
        _ => "the connection cannot be made",
    };
    NetError::Unreachable { origin: origin.to_string(), failure, what: what.to_owned() }
}

fn describe(settings: &Settings, origin: &Origin, phone: u32, broken: &Broken) -> NetError {
    let here = origin.to_string();
    let tls = broken.error.as_ref().and_then(tls_error);
    match broken.failure {
        Failure::TlsNotTls => NetError::NotTls { origin: here },
        Failure::TlsUnknownCa => NetError::UnknownCa { origin: here, trusted: settings.tls.trust.names() },
        Failure::TlsWrongName => {
            NetError::WrongName { origin: here, host: origin.host.clone(), presented: presented(tls) }
        }
        Failure::TlsExpired => NetError::Expired { origin: here, what: validity(tls) },
        Failure::TlsBadCertificate => NetError::BadCertificate { origin: here, what: unfitness(settings, tls) },
        failure => {
            let whose = match settings.tls.plan.fleets.len() {
                0 | 1 => String::new(),
                _ => format!("phones from number {phone} on: "),
            };
            let what = whose + &handshake_words(failure, broken.error.as_ref());
            NetError::Handshake { origin: here, failure, what }
        }
    }
}

fn presented(error: Option<&TlsError>) -> String {
    match error {
        Some(TlsError::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }))
            if !presented.is_empty() =>
        {
            format!("for {}", presented.join(", "))
        }
        _ => "without a subject alternative name that could be compared".to_owned(),
    }
}

fn validity(error: Option<&TlsError>) -> String {
    let days = |from: u64, to: u64| to.saturating_sub(from) / 86_400;
    match error {
        Some(TlsError::InvalidCertificate(CertificateError::ExpiredContext { time, not_after })) => {
            format!("expired, for {} days", days(not_after.as_secs(), time.as_secs()))
        }
        Some(TlsError::InvalidCertificate(CertificateError::NotValidYetContext { time, not_before })) => {
            format!("not valid yet, for another {} days", days(time.as_secs(), not_before.as_secs()))
        }
        Some(TlsError::InvalidCertificate(CertificateError::NotValidYet)) => "not valid yet".to_owned(),
        _ => "expired".to_owned(),
    }
}

fn unfitness(settings: &Settings, error: Option<&TlsError>) -> String {
    match error {
        Some(TlsError::InvalidCertificate(CertificateError::BadSignature)) => format!(
            "its issuer has the name of a trusted CA but another key: was the CA made anew? Trusted: {}; name the present one as target.ca",
            settings.tls.trust.names()
        ),
        Some(other) => other.to_string(),
        None => "no reason was given".to_owned(),
    }
}

fn handshake_words(failure: Failure, error: Option<&io::Error>) -> String {
    let said = error.map_or_else(String::new, |error| format!(" ({error})"));
    match failure {
        Failure::TlsTimeout | Failure::TimeoutExchange => {
            "no end of it within timeouts.tls and timeouts.exchange: a server that speaks no TLS may just stay silent; is this its TLS port?"
                .to_owned()
        }
        Failure::TlsClosed => {
            format!("the server closed the connection{said}: is this its TLS port, and does it take these versions?")
        }
        Failure::TlsIncompatible => {
            format!(
                "no version, suite or group in common{said}: compare tls.versions, tls.suites and tls.groups (a fleet's \
                 own come first) with the server's setup"
            )
        }
        Failure::TlsAlert => format!("the server refused it{said}: its log says why"),
        _ => format!("the server does not keep to the protocol{said}"),
    }
}
