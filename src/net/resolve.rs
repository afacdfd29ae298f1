//! From origins to addresses, once, before the storm; and who may be sent load.

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use super::NetError;
use crate::phone::Origin;

/// The allowed origins of a run and where they are. Nothing else is ever connected to.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    servers: Vec<(Origin, Vec<SocketAddr>)>,
}

impl Addresses {
    /// Every origin with its addresses (IPv4 and IPv6), in the resolver's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Origin, &[SocketAddr])> {
        self.servers.iter().map(|(origin, addresses)| (origin, addresses.as_slice()))
    }

    /// The addresses of one origin.
    pub fn of(&self, origin: &Origin) -> Option<&[SocketAddr]> {
        self.iter().find(|(known, _)| *known == origin).map(|(_, addresses)| addresses)
    }
}

/// Looks up every origin. Whether load may be sent there is another question: [`require_loopback`], or consent.
///
/// # Errors
/// [`NetError::Unresolved`] if a name has no address.
pub async fn resolve(origins: impl IntoIterator<Item = &Origin>) -> Result<Addresses, NetError> {
    let mut servers: Vec<(Origin, Vec<SocketAddr>)> = Vec::new();
    for origin in origins {
        if servers.iter().any(|(known, _)| known == origin) {
            continue;
        }
        let addresses = look_up(origin).await?;
        servers.push((origin.clone(), addresses));
    }
    Ok(Addresses { servers })
}

async fn look_up(origin: &Origin) -> Result<Vec<SocketAddr>, NetError> {
    if let Ok(ip) = origin.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, origin.port)]);
    }
    let unresolved =
        |reason: String| NetError::Unresolved { origin: origin.to_string(), host: origin.host.clone(), reason };
    let found =
        lookup_host((origin.host.as_str(), origin.port)).await.map_err(|error| unresolved(error.to_string()))?;
    let mut addresses = Vec::new();
    for address in found {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() { Err(unresolved("it has no address".to_owned())) } else { Ok(addresses) }
}

/// The consent rule: loopback is free, everything else needs consent.
///
/// # Errors
/// [`NetError::NoConsent`] with the first address that is not loopback.
pub fn require_loopback(origin: &Origin, addresses: &[SocketAddr]) -> Result<(), NetError> {
    match addresses.iter().find(|address| !is_loopback(address.ip())) {
        Some(address) => Err(NetError::NoConsent { origin: origin.to_string(), address: address.ip() }),
        None => Ok(()),
    }
}

/// 127.0.0.0/8, ::1, and the IPv4 ones mapped into IPv6.
fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(host: &str) -> Origin {
        Origin { tls: false, host: host.to_owned(), port: 8080 }
    }

    fn now<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    #[test]
    fn only_loopback_is_free() {
        for (address, free) in [
            ("127.0.0.1", true),
            ("127.255.255.254", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("128.0.0.1", false),
            ("0.0.0.0", false),
            ("192.0.2.1", false),
            ("10.0.0.1", false),
            ("::", false),
            ("::2", false),
            ("::127.0.0.1", false),
            ("::ffff:192.0.2.1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(is_loopback(address), free, "{address}");
        }
    }

    #[test]
    fn one_foreign_address_among_loopback_ones_is_refused() {
        let addresses = ["127.0.0.1:80".parse().unwrap(), "192.0.2.7:80".parse().unwrap()];
        let error = require_loopback(&origin("both.example"), &addresses).unwrap_err();
        assert!(matches!(error, NetError::NoConsent { address, .. } if address.to_string() == "192.0.2.7"));
        assert!(require_loopback(&origin("both.example"), &addresses[..1]).is_ok());
    }

    #[test]
    fn addresses_need_no_lookup() {
        let origins = [origin("127.0.0.1"), origin("::1"), origin("127.0.0.1")];
        let addresses = now(resolve(&origins)).unwrap();
        assert_eq!(addresses.iter().count(), 2);
        assert_eq!(addresses.of(&origins[1]).unwrap(), ["[::1]:8080".parse().unwrap()]);
        assert!(addresses.of(&origin("127.0.0.2")).is_none());
    }

    #[test]
    fn localhost_is_loopback_and_foreign_addresses_are_named() {
        let addresses = now(resolve([&origin("localhost")])).unwrap();
        assert!(!addresses.of(&origin("localhost")).unwrap().is_empty());
        let foreign = origin("192.0.2.1");
        let addresses = now(resolve([&foreign])).unwrap();
        let error = require_loopback(&foreign, addresses.of(&foreign).unwrap()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("http://192.0.2.1:8080") && text.contains("consent"), "{text}");
    }

    #[test]
    fn a_name_that_cannot_exist_is_unresolved() {
        let error = now(resolve([&origin("no such name")])).unwrap_err();
        assert!(matches!(error, NetError::Unresolved { .. }), "{error}");
    }
}
