//! Connections and TLS: addresses, certificates, versions, suites, resumption, client certificates.

use std::net::SocketAddr;

use http::{Method, StatusCode};

use super::super::act::Act;
use super::super::bench::Bench;
use super::super::lab::LabError;
use super::super::scenario::{Need, Play, Scenario};
use super::super::subject::USUAL_BODY;
use super::super::{Cell, Stored, Tamper, Transcript};
use crate::metrics::HandshakeKind;
use crate::net::look::Judged;
use crate::phone::{Failure, Fault};
use crate::workload::TlsVersions;

const TLS: &[Need] = &[Need::Tls];

pub(super) const SCENARIOS: &[Scenario] = &[
    Scenario {
        key: "connect.ipv4",
        about: "the server answers over IPv4",
        needs: &[],
        play: Play::Own(|bench| Ok(family_of_address(bench, SocketAddr::is_ipv4, "IPv4"))),
        users: "no phone gets through over IPv4",
        change: "listen on its IPv4 address, or take that address out of DNS",
    },
    Scenario {
        key: "connect.ipv6",
        about: "the server answers over IPv6",
        needs: &[],
        play: Play::Own(|bench| Ok(family_of_address(bench, SocketAddr::is_ipv6, "IPv6"))),
        users: "phones with IPv6 lose time, or do not get through",
        change: "listen on its IPv6 address too, or take that address out of DNS",
    },
    Scenario {
        key: "tls.trusted",
        about: "certificate: chain ends in a CA the phones trust",
        needs: TLS,
        play: Play::Own(|bench| Ok(judged(bench, |j| Some(j.trusted.clone()), Failure::TlsUnknownCa))),
        users: "no phone connects: the certificate is not trusted",
        change: "let the server send its whole chain, or give the phones its CA",
    },
    Scenario {
        key: "tls.valid-now",
        about: "certificate: valid now",
        needs: TLS,
        play: Play::Own(|bench| Ok(judged(bench, |j| j.valid_now.clone(), Failure::TlsExpired))),
        users: "no phone connects: the certificate is not valid now",
        change: "renew the certificate",
    },
    Scenario {
        key: "tls.name",
        about: "certificate: for this name",
        needs: TLS,
        play: Play::Own(|bench| Ok(judged(bench, |j| j.names_it.clone(), Failure::TlsWrongName))),
        users: "no phone connects: the certificate is for another name",
        change: "give the server a certificate for the name the phones use",
    },
    Scenario {
        key: "tls.1.2",
        about: "TLS 1.2",
        needs: TLS,
        play: Play::Own(|bench| shakes(bench, TlsVersions::Only12, &[])),
        users: "phones that speak TLS 1.2 at most do not connect",
        change: "allow TLS 1.2",
    },
    Scenario {
        key: "tls.1.3",
        about: "TLS 1.3",
        needs: TLS,
        play: Play::Own(|bench| match bench.speaks_tls_1_3() {
            true => shakes(bench, TlsVersions::Only13, &[]),
            false => Ok(Cell::none("these phones speak TLS 1.2 at most (assumed)")),
        }),
        users: "nothing: every phone speaks TLS 1.2",
        change: "nothing, or allow TLS 1.3",
    },
    Scenario {
        key: "tls.rsa",
        about: "TLS 1.2 with ECDHE-RSA and AES-GCM",
        needs: TLS,
        play: Play::Own(|bench| {
            shakes(
                bench,
                TlsVersions::Only12,
                &["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"],
            )
        }),
        users: "phones without ECDSA suites (usual for their age) do not connect",
        change: "give the server a certificate with an RSA key (beside the other, if need be)",
    },
    Scenario {
        key: "tls.ecdsa",
        about: "TLS 1.2 with ECDHE-ECDSA and AES-GCM",
        needs: TLS,
        play: Play::Own(|bench| {
            shakes(
                bench,
                TlsVersions::Only12,
                &["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
            )
        }),
        users: "nothing, as long as ECDHE-RSA works",
        change: "nothing, or add a certificate with an ECDSA key",
    },
    Scenario {
        key: "tls.resumption",
        about: "session resumed on the next connection",
        needs: &[Need::Tls, Need::Connection],
        play: Play::Phone {
            stored: Stored::Right,
            body: USUAL_BODY,
            tamper: Tamper { request: None, answer: None },
            acts: &[Act::SignIn, Act::Close, Act::SignInAgain],
            judge: resumed,
        },
        users: "nothing; but every connection costs a full handshake",
        change: "switch session tickets (or a session cache) on",
    },
    Scenario {
        key: "tls.client-certificate",
        about: "client certificate asked for",
        needs: &[Need::Tls],
        play: Play::Own(client_certificate),
        users: "phones without a certificate the server trusts do not get in",
        change: "trust the phones' maker's CA, or do not demand certificates",
    },
];

fn family_of_address(bench: &Bench<'_>, belongs: fn(&SocketAddr) -> bool, name: &str) -> Cell {
    let addresses: Vec<_> = bench.lab.addresses().into_iter().filter(belongs).collect();
    if addresses.is_empty() {
        return Cell::none(format!("the target has no {name} address"));
    }
    let mut cell = Cell::WORKS;
    for address in addresses {
        match bench.lab.reach(address) {
            Ok(()) => return Cell::WORKS,
            Err(failure) => cell = Cell::failed(failure),
        }
    }
    cell
}

fn judged(bench: &Bench<'_>, part: fn(&Judged) -> Option<Result<(), String>>, failure: Failure) -> Cell {
    let Some(judged) = &bench.lab.judged else {
        return match bench.lab.blocked() {
            Some(failure) => Cell::failed(failure),
            None => Cell::none("the server showed no certificate"),
        };
    };
    match part(judged) {
        None => Cell::none("cannot be said before the chain is trusted"),
        Some(Ok(())) => Cell::WORKS,
        Some(Err(_)) => Cell::failed(failure),
    }
}

fn shakes(bench: &Bench<'_>, versions: TlsVersions, suites: &[&'static str]) -> Result<Cell, LabError> {
    let address = match bench.lab.address {
        Ok(address) => address,
        Err(failure) => return Ok(Cell::failed(failure)),
    };
    let seen = bench.lab.look(address, versions, suites)?;
    Ok(match seen.handshake {
        Ok(facts) => Cell::noted(facts.suite.unwrap_or_default()),
        // Whether it takes our missing certificate is told in a row of its own.
        Err(Failure::TlsAlert | Failure::TlsClosed) if seen.asked_for_certificate => Cell::WORKS,
        Err(Failure::TlsAlert | Failure::TlsClosed) => Cell::failed(Failure::TlsIncompatible),
        Err(failure) => Cell::failed(failure),
    })
}

fn resumed(_: &Bench<'_>, transcript: &Transcript) -> Cell {
    let handshakes: Vec<_> = transcript.exchanges().filter_map(|e| e.facts.handshake.as_ref()).collect();
    match handshakes.as_slice() {
        [] | [_] => Cell::none("the phone connected once only"),
        [.., last] if last.kind == HandshakeKind::Resumed => Cell::WORKS,
        [.., last] if last.kind == HandshakeKind::Failed => Cell::server("second-handshake-failed"),
        _ => Cell::server("full-handshake-each-time"),
    }
}

fn client_certificate(bench: &Bench<'_>) -> Result<Cell, LabError> {
    let Some(seen) = &bench.lab.tls else { return Ok(Cell::none("there was no handshake")) };
    if !seen.asked_for_certificate {
        return Ok(Cell::none("the server asks for none"));
    }
    let has_own = bench.lab.ground.device_certificates.is_some();
    let why = if has_own { "client-certificate-refused" } else { "client-certificate-demanded" };
    let refused = || Cell::Fails { why: why.to_owned(), fault: Fault::Server };
    if let (Err(failure), false) = (&seen.handshake, has_own) {
        return Ok(match failure {
            Failure::TlsAlert | Failure::TlsClosed | Failure::TlsFailed => refused(),
            other => Cell::failed(*other),
        });
    }
    if bench.lab.blocked().is_some() {
        return Ok(Cell::none("asked for; whether it is demanded cannot be said before the server is trusted"));
    }
    // Some take the handshake and refuse the request (nginx: 400).
    let root = bench.request(Method::HEAD, "/", Vec::new(), bytes::Bytes::new());
    let (answer, _) = bench.ask(None, &root);
    Ok(match (answer.status(), answer.failure()) {
        (Some(StatusCode::BAD_REQUEST), _) => refused(),
        (None, Some(failure)) if failure.name().starts_with("tls-") => refused(),
        (Some(_), _) if has_own => Cell::noted("asked for, and the phones have one"),
        (Some(_), _) => Cell::noted("asked for, not demanded; the phones have none"),
        (None, Some(failure)) => Cell::failed(failure),
        (None, None) => Cell::server("no-answer"),
    })
}
