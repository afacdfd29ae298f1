//! Which address a phone connects from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::NetError;
use crate::workload::SourceRange;

/// The source addresses of a run, in order; a phone keeps its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    ranges: Vec<SourceRange>,
    count: u64,
}

impl Sources {
    /// Takes the ranges as named.
    ///
    /// # Errors
    /// [`NetError::SourceRange`] if one is empty or runs past the end of its address space.
    pub(super) fn new(ranges: &[SourceRange]) -> Result<Sources, NetError> {
        for range in ranges {
            if range.count == 0 || nth(range.first, range.count - 1).is_none() {
                return Err(NetError::SourceRange { first: range.first, count: range.count });
            }
        }
        let count = ranges.iter().map(|r| u64::from(r.count)).sum();
        Ok(Sources { ranges: ranges.to_vec(), count })
    }

    /// The address of phone `index`: taken in turn; none if none are named.
    pub(super) fn of(&self, index: u32) -> Option<IpAddr> {
        if self.count == 0 {
            return None;
        }
        let mut turn = u64::from(index) % self.count;
        for range in &self.ranges {
            if turn < u64::from(range.count) {
                return u32::try_from(turn).ok().and_then(|n| nth(range.first, n));
            }
            turn -= u64::from(range.count);
        }
        None
    }

    /// How many addresses there are of the target's family.
    pub(super) fn towards(&self, target: IpAddr) -> u64 {
        let alike = self.ranges.iter().filter(|r| r.first.is_ipv4() == target.is_ipv4());
        alike.map(|r| u64::from(r.count)).sum()
    }

    /// The first range of each family, as (address, whether IPv4).
    pub(super) fn firsts(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ranges.iter().map(|r| r.first)
    }

    /// The first and the last address of every range.
    pub(super) fn ends(&self) -> Vec<IpAddr> {
        self.ranges.iter().flat_map(|r| [Some(r.first), nth(r.first, r.count.saturating_sub(1))]).flatten().collect()
    }

    /// Checks that every address belongs to this machine.
    ///
    /// # Errors
    /// [`NetError::SourceNotLocal`] with the first that does not.
    pub(super) fn require_local(&self) -> Result<(), NetError> {
        for range in &self.ranges {
            for n in 0..range.count {
                let Some(address) = nth(range.first, n) else { break };
                // A datagram socket binds without sending anything and without touching the TCP ports.
                UdpSocket::bind(SocketAddr::new(address, 0))
                    .map_err(|error| NetError::SourceNotLocal { address, reason: error.to_string() })?;
            }
        }
        Ok(())
    }
}

/// The address `n` after `first`; none past the end of the address space.
fn nth(first: IpAddr, n: u32) -> Option<IpAddr> {
    match first {
        IpAddr::V4(v4) => u32::from(v4).checked_add(n).map(|a| IpAddr::V4(Ipv4Addr::from(a))),
        IpAddr::V6(v6) => u128::from(v6).checked_add(u128::from(n)).map(|a| IpAddr::V6(Ipv6Addr::from(a))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(first: &str, count: u32) -> SourceRange {
        SourceRange { first: first.parse().unwrap(), count }
    }

    #[test]
    fn phones_take_them_in_turn() {
        let sources = Sources::new(&[range("127.0.0.254", 3), range("::1", 1)]).unwrap();
        let taken: Vec<String> = (0..6).map(|phone| sources.of(phone).unwrap().to_string()).collect();
        assert_eq!(taken, ["127.0.0.254", "127.0.0.255", "127.0.1.0", "::1", "127.0.0.254", "127.0.0.255"]);
        assert_eq!(sources.towards("127.0.0.1".parse().unwrap()), 3);
        assert_eq!(sources.towards("::1".parse().unwrap()), 1);
        assert_eq!(Sources::new(&[]).unwrap().of(5), None);
    }

    #[test]
    fn ranges_that_make_no_sense() {
        for (first, count, sound) in [
            ("127.0.0.1", 0, false),
            ("255.255.255.255", 1, true),
            ("255.255.255.255", 2, false),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2, false),
            ("::", u32::MAX, true),
        ] {
            assert_eq!(Sources::new(&[range(first, count)]).is_ok(), sound, "{first} {count}");
        }
    }

    #[test]
    fn only_this_machines_addresses_are_local() {
        assert!(Sources::new(&[range("127.9.9.9", 20)]).unwrap().require_local().is_ok());
        let foreign = Sources::new(&[range("127.0.0.1", 1), range("192.0.2.1", 1)]).unwrap().require_local();
        assert!(matches!(foreign, Err(NetError::SourceNotLocal { address, .. }) if address.to_string() == "192.0.2.1"));
    }

    proptest! {
        #[test]
        fn every_phone_has_one_of_them_and_all_are_used_alike(
            counts in prop::collection::vec(1u32..50, 1..5),
            rounds in 1u32..4,
        ) {
            let ranges: Vec<_> =
                counts.iter().enumerate().map(|(n, count)| range(&format!("127.{n}.0.0"), *count)).collect();
            let sources = Sources::new(&ranges).unwrap();
            let total: u32 = counts.iter().sum();
            let mut uses = std::collections::HashMap::new();
            for phone in 0..total * rounds {
                *uses.entry(sources.of(phone).unwrap()).or_insert(0) += 1;
            }
            prop_assert_eq!(uses.len() as u32, total);
            prop_assert!(uses.values().all(|n| *n == rounds));
        }
    }
}
