//! Authorities made, kept, renewed and refused.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::target::der::parts;
use crate::workload::{KeyKind, TlsVersions};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 7));

fn tls(key: KeyKind, chain_depth: u32) -> TargetTls {
    TargetTls { key, chain_depth, ..TargetTls::default() }
}

fn usual() -> TargetTls {
    TargetTls::default()
}

fn config(authority: &Authority, tls: &TargetTls) -> Result<Arc<ServerConfig>, TargetError> {
    authority.server_config(tls, &session_store(tls))
}

#[test]
fn a_new_authority_is_valid_where_it_listens_and_on_loopback() {
    for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Rsa2048] {
        let authority = Authority::new(&tls(kind, 1), LOCAL).unwrap();
        for ip in ["127.0.0.7", "127.0.0.1", "::1", "0.0.0.0"] {
            authority.check(ip.parse().unwrap()).unwrap();
        }
        assert!(authority.check("127.0.0.8".parse().unwrap()).is_err());
        for versions in [TlsVersions::Both, TlsVersions::Only12, TlsVersions::Only13] {
            let config = config(&authority, &TargetTls { versions, ..usual() }).unwrap();
            assert!(config.ticketer.enabled() && !config.session_storage.can_cache());
        }
        let config = config(&authority, &TargetTls { tickets: false, sessions: true, ..usual() }).unwrap();
        assert!(!config.ticketer.enabled() && config.send_tls13_tickets == 0 && config.session_storage.can_cache());
    }
}

#[test]
fn a_chain_is_as_long_as_asked_and_holds() {
    for depth in 1..=3 {
        let authority = Authority::new(&tls(KeyKind::EcdsaP256, depth), LOCAL).unwrap();
        let chain = &authority.shown.chain;
        assert_eq!(chain.len(), depth as usize);
        authority.check(LOCAL).unwrap();
        for pair in chain.windows(2) {
            assert_eq!(parts(&pair[0]).unwrap().issuer, parts(&pair[1]).unwrap().subject);
        }
        // Each link is needed.
        for missing in 1..chain.len() {
            let mut short = authority.renewed().unwrap();
            short.shown.chain.remove(missing);
            assert!(short.check(LOCAL).is_err(), "{missing} of {depth}");
        }
    }
}

#[test]
fn a_renewed_certificate_is_another_one_of_the_same_ca() {
    // RSA signatures are the same each time: only another serial number makes another certificate.
    for kind in [KeyKind::EcdsaP256, KeyKind::Rsa2048] {
        let first = Authority::new(&tls(kind, 2), LOCAL).unwrap();
        let second = first.renewed().unwrap();
        assert_eq!(first.ca_pem(), second.ca_pem());
        assert_ne!(first.shown.chain[0], second.shown.chain[0]);
        assert_eq!(first.shown.chain[1], second.shown.chain[1]);
        assert_ne!(first.shown.staple, second.shown.staple);
        second.check(LOCAL).unwrap();
    }
    let home = tempfile::tempdir().unwrap();
    Authority::kept_in(home.path(), &usual(), LOCAL).unwrap();
    let loaded = Authority::kept_in(home.path(), &usual(), LOCAL).unwrap();
    assert!(loaded.renewed().unwrap_err().to_string().contains("leave the swap out"));
}

#[test]
fn a_kept_authority_is_the_same_next_time_and_its_key_is_the_owners() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("tls");
    let wanted = TargetTls { ocsp_staple: true, ..tls(KeyKind::EcdsaP384, 3) };
    let made = Authority::kept_in(&folder, &wanted, LOCAL).unwrap();
    let again = Authority::kept_in(&folder, &wanted, LOCAL).unwrap();
    assert_eq!(made.ca_pem(), again.ca_pem());
    assert_eq!(made.shown, again.shown);
    config(&again, &wanted).unwrap();
    let mode = fs::metadata(folder.join("key.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_kept_authority_of_another_make_is_refused_with_a_remedy() {
    let home = tempfile::tempdir().unwrap();
    Authority::kept_in(home.path(), &tls(KeyKind::EcdsaP256, 2), LOCAL).unwrap();
    for (other, told) in [(tls(KeyKind::EcdsaP384, 2), "key = \"ecdsa-p384\""), (usual(), "chain-depth = 1")] {
        let told_so = Authority::kept_in(home.path(), &other, LOCAL).unwrap_err().to_string();
        assert!(told_so.contains("chain-depth = 2, key = \"ecdsa-p256\""), "{told_so}");
        assert!(told_so.contains(told) && told_so.contains("ask for the same"), "{told_so}");
    }
    // Versions, suites and tickets make no other certificates.
    let other = TargetTls { versions: TlsVersions::Only12, tickets: false, ..tls(KeyKind::EcdsaP256, 2) };
    Authority::kept_in(home.path(), &other, LOCAL).unwrap();
    // Made elsewhere, they are what they are; what is left of former ones does not matter.
    fs::remove_file(home.path().join("made.toml")).unwrap();
    Authority::kept_in(home.path(), &usual(), LOCAL).unwrap();
    for name in ["ca.pem", "cert.pem", "key.pem"] {
        fs::remove_file(home.path().join(name)).unwrap();
    }
    let anew = Authority::kept_in(home.path(), &usual(), LOCAL).unwrap();
    assert_eq!(anew.shown.staple, Authority::kept_in(home.path(), &usual(), LOCAL).unwrap().shown.staple);
}

#[test]
fn a_kept_authority_that_does_not_fit_is_refused_with_a_remedy() {
    let home = tempfile::tempdir().unwrap();
    Authority::kept_in(home.path(), &usual(), LOCAL).unwrap();
    let elsewhere = Authority::kept_in(home.path(), &usual(), "192.0.2.1".parse().unwrap());
    assert!(elsewhere.unwrap_err().to_string().contains(crate::target::kept::REMEDY));
    fs::remove_file(home.path().join("ocsp.der")).unwrap();
    let stapling = TargetTls { ocsp_staple: true, ..usual() };
    let unstapled = Authority::kept_in(home.path(), &stapling, LOCAL).unwrap();
    assert!(config(&unstapled, &stapling).unwrap_err().to_string().contains("no ocsp.der"));
    fs::write(home.path().join("cert.pem"), "rubbish").unwrap();
    assert!(Authority::kept_in(home.path(), &usual(), LOCAL).is_err());
    fs::remove_file(home.path().join("cert.pem")).unwrap();
    let partly = Authority::kept_in(home.path(), &usual(), LOCAL).unwrap_err().to_string();
    assert!(partly.contains("not all"), "{partly}");
}
