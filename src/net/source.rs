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
