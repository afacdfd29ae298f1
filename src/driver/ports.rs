//! The local ports that connections take, for as long as the system keeps them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use crate::net::limits::ports_kept_back;

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
    /// What the system itself tells, where it does.
    #[cfg(target_os = "linux")]
    census: Option<super::census::Census>,
}

impl Ports {
    /// No connection yet, to any of these addresses.
    pub(super) fn none_yet(targets: &[SocketAddr]) -> Ports {
        let loopback = targets.iter().any(|target| target.ip().to_canonical().is_loopback());
        let kept_back = ports_kept_back(loopback);
        Ports {
            kept_back,
            looks: VecDeque::new(),
            #[cfg(target_os = "linux")]
            census: super::census::Census::towards(targets, kept_back),
        }
    }

    /// How many ports are taken: as the system counts them, else as the run's own connections let conclude.
    pub(super) fn taken(&mut self, at: Duration, now: Connections) -> u64 {
        let at_most = self.at_most(at, now);
        #[cfg(target_os = "linux")]
        if let Some(counted) = self.census.as_ref().and_then(super::census::Census::taken) {
            return counted;
        }
        at_most
    }

    /// How many connections have a port, or had one so lately that it may not be given out again. At most: if the server
    /// closed first, it is the server that keeps a memory of the connection, and the port is free.
    fn at_most(&mut self, at: Duration, now: Connections) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_taken_while_open_and_a_while_longer() {
        let second = Duration::from_secs;
        let mut ports = Ports { kept_back: second(3), ..Ports::none_yet(&[]) };
        // Ten are opened at once and closed within a second; two are opened after, and stay.
        let looks = [(1, 10, 10), (2, 0, 10), (3, 2, 12), (4, 2, 12), (5, 2, 12), (6, 2, 12)];
        let taken = looks.map(|(at, open, opened)| ports.at_most(second(at), Connections { open, opened }));
        assert_eq!(taken, [10, 10, 12, 12, 2, 2]);
        assert!(ports.looks.len() <= 4, "{}", ports.looks.len());
    }
}
