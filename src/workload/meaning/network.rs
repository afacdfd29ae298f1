//! `[timeouts]`, `[network]`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::Meaning;
use crate::workload::file::{NetworkSection, TimeoutsSection};
use crate::workload::locate::key;
use crate::workload::{Network, SourceRange, Target, Timeouts};

impl Meaning<'_> {
    pub(super) fn timeouts(&mut self, typed: &TimeoutsSection) -> Timeouts {
        let mut some = |key: &str, time: Duration| {
            if time.is_zero() {
                self.say(&key!["timeouts", key], "nothing would ever be in time", "for example \"10s\"");
            }
            time
        };
        Timeouts {
            connect: some("connect", typed.connect.0),
            tls: some("tls", typed.tls.0),
            first_byte: some("first-byte", typed.first_byte.0),
            exchange: some("exchange", typed.exchange.0),
        }
    }

    pub(super) fn network(&mut self, typed: &NetworkSection, target: Option<&Target>) -> Network {
        let path = key!["network", "sources"];
        let target = target.and_then(Target::address);
        let mut sources: Vec<SourceRange> = Vec::new();
        for text in &typed.sources {
            let range = match source_range(text) {
                Ok(range) => range,
                Err((what, right)) => {
                    self.say(&path, format!("`{text}` {what}"), right);
                    continue;
                }
            };
            if target.is_some_and(|t| t.is_ipv4() != range.first.is_ipv4()) {
                let what = format!("`{text}` cannot reach the target, whose address is of the other IP version");
                self.say(&path, what, "use addresses of the target's version");
            }
            if sources.iter().any(|other| overlap(*other, range)) {
                self.say(&path, format!("`{text}` has addresses named before"), "name each address once");
            }
            sources.push(range);
        }
        let max_connections = typed.max_connections.map(|count| usize::try_from(count.0).unwrap_or(usize::MAX));
        if max_connections == Some(0) {
            let right = "leave it out for as many as open files allow";
            self.say(&key!["network", "max-connections"], "no phone could connect", right);
        }
        Network { sources, max_connections, idle: typed.idle.0 }
    }
}

/// Most addresses one entry may stand for: a /12. More is a slip.
const MOST: u128 = 1 << 20;

/// Reads `a`, `a-b` or `a/prefix`.
fn source_range(text: &str) -> Result<SourceRange, (String, String)> {
    let wrong = |what: &str, right: &str| (what.to_owned(), right.to_owned());
    const FORMS: &str = "write an address, a range \"127.0.0.10-127.0.0.50\" or a network \"127.0.1.0/24\"";
    let read = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| wrong("is no address", FORMS));
    let (first, count) = if let Some((network, prefix)) = text.split_once('/') {
        let network = read(network)?;
        let width = if network.is_ipv4() { 32 } else { 128 };
        let prefix: u32 = prefix
            .trim()
            .parse()
            .ok()
            .filter(|p| *p <= width)
            .ok_or_else(|| (format!("has a prefix that is not 0 to {width}"), FORMS.to_owned()))?;
        let all = 1u128.checked_shl(width - prefix).unwrap_or(0);
        let start = number(network);
        if all != 1 && (all == 0 || !start.is_multiple_of(all)) {
            let base = address_of(start & !(all.wrapping_sub(1)), network.is_ipv4());
            return Err((format!("is no network of /{prefix}"), format!("the network it is in is {base}/{prefix}")));
        }
        // RFC 3021: a /31 has neither network nor broadcast address.
        match network.is_ipv4() && all > 2 {
            true => (address_of(start + 1, true), all - 2),
            false => (network, all),
        }
    } else if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (read(first)?, read(last)?);
        if first.is_ipv4() != last.is_ipv4() || number(first) > number(last) {
            return Err(wrong("is no range", "the first address comes before the last"));
        }
        (first, number(last) - number(first) + 1)
    } else {
        (read(text)?, 1)
    };
    if count > MOST {
        return Err((format!("stands for {count} addresses"), format!("at most {MOST}")));
    }
    let last = address_of(number(first) + (count - 1), first.is_ipv4());
    if [first, last].iter().any(|a| a.is_unspecified() || a.is_multicast() || *a == IpAddr::V4(Ipv4Addr::BROADCAST)) {
        return Err(wrong("has addresses that no host can have", FORMS));
    }
    Ok(SourceRange { first, count: u32::try_from(count).unwrap_or(u32::MAX) })
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(a) => u128::from(u32::from(a)),
        IpAddr::V6(a) => u128::from(a),
    }
}

fn address_of(number: u128, v4: bool) -> IpAddr {
    match u32::try_from(number) {
        Ok(n) if v4 => IpAddr::V4(Ipv4Addr::from(n)),
        _ => IpAddr::V6(Ipv6Addr::from(number)),
    }
}

fn overlap(a: SourceRange, b: SourceRange) -> bool {
    let ends = |r: SourceRange| (number(r.first), number(r.first) + u128::from(r.count));
    let ((a_first, a_end), (b_first, b_end)) = (ends(a), ends(b));
    a.first.is_ipv4() == b.first.is_ipv4() && a_first < b_end && b_first < a_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read() {
        for (text, want) in [
            ("127.0.0.1", Ok(("127.0.0.1", 1))),
            ("::1", Ok(("::1", 1))),
            ("127.0.0.10-127.0.0.50", Ok(("127.0.0.10", 41))),
            ("127.0.1.0/24", Ok(("127.0.1.1", 254))),
            ("127.0.1.4/31", Ok(("127.0.1.4", 2))),
            ("127.0.1.4/32", Ok(("127.0.1.4", 1))),
            ("fd00::/120", Ok(("fd00::", 256))),
            ("127.0.1.5/24", Err("the network it is in is 127.0.1.0/24")),
            ("127.0.0.50-127.0.0.10", Err("the first address comes before the last")),
            ("127.0.0.1-::1", Err("the first address comes before the last")),
            ("10.0.0.0/8", Err("at most 1048576")),
            ("::/0", Err("the network it is in is ::/0")),
            ("127.0.0.0/33", Err("write an address")),
            ("localhost", Err("write an address")),
            ("0.0.0.0", Err("write an address")),
            ("224.0.0.1", Err("write an address")),
        ] {
            match (source_range(text), want) {
                (Ok(range), Ok((first, count))) => {
                    assert_eq!((range.first.to_string().as_str(), range.count), (first, count), "{text}");
                }
                (Err((_, right)), Err(want)) => assert!(right.starts_with(want), "{text}: {right}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_source_is_too_odd(text in "[0-9a-f.:/-]{0,30}") {
            let _ = source_range(&text);
        }
    }
}
