//! The local ports that connections take, for as long as the system keeps them.

use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

/// For how long a port may not be given out again after its connection was closed: TIME_WAIT, or what is left of it
/// where the system lets it be cut short.
const TIME_WAIT: Duration = Duration::from_secs(60);
const TIME_WAIT_CUT_SHORT: Duration = Duration::from_secs(1);

/// The connections of all shards, at the time of a look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Connections {
    /// Open now.
    pub(super) open: u64,
    /// Opened, or tried to, since the run began.
    pub(super) opened: u64,
}

/// What ports connections have, and had until lately.
#[derive(Debug)]
pub(super) struct Ports {
    /// For how long they are not given out again.
    kept_back: Duration,
    /// The connections there were at each look, as long ago.
    looks: VecDeque<(Duration, Connections)>,
}

impl Ports {
    /// No connection yet, to an address of loopback or another.
    pub(super) fn none_yet(loopback: bool) -> Ports {
        Ports { kept_back: kept_back(loopback), looks: VecDeque::new() }
    }

    /// How many connections have a port, or had one so lately that it may not be given out again. At most: if the server
    /// closed first, it is the server that keeps a memory of the connection, and the port is free.
    pub(super) fn taken(&mut self, at: Duration, now: Connections) -> u64 {
        self.looks.push_back((at, now));
        // What lies further back than the one look that is just old enough is not needed any more.
        while self.looks.get(1).is_some_and(|(then, _)| *then + self.kept_back <= at) {
            self.looks.pop_front();
        }
        let since = match self.looks.front() {
            Some((then, before)) if *then + self.kept_back <= at => *before,
            _ => Connections::default(),
        };
        now.open.max(since.open + now.opened.saturating_sub(since.opened))
    }
}

/// For how long a port is not given out again. Systems let the wait be cut short, on loopback or everywhere.
fn kept_back(loopback: bool) -> Duration {
    let reuse = fs::read_to_string("/proc/sys/net/ipv4/tcp_tw_reuse").unwrap_or_default();
    match reuse.trim() {
        "1" => TIME_WAIT_CUT_SHORT,
        "2" if loopback => TIME_WAIT_CUT_SHORT,
        _ => TIME_WAIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_taken_while_open_and_a_while_longer() {
        let second = Duration::from_secs;
        let mut ports = Ports { kept_back: second(3), looks: VecDeque::new() };
        // Ten are opened at once and closed within a second; two are opened after, and stay.
        let looks = [(1, 10, 10), (2, 0, 10), (3, 2, 12), (4, 2, 12), (5, 2, 12), (6, 2, 12)];
        let taken = looks.map(|(at, open, opened)| ports.taken(second(at), Connections { open, opened }));
        assert_eq!(taken, [10, 10, 12, 12, 2, 2]);
        assert!(ports.looks.len() <= 4, "{}", ports.looks.len());
        assert!(matches!(kept_back(false), TIME_WAIT | TIME_WAIT_CUT_SHORT));
    }
}
