//! The phases of an exchange.

use serde::{Deserialize, Serialize};

/// Something of each phase of an exchange. Only those that took place count: a kept connection has no connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phases<T> {
    /// Waiting for a free slot, port or file: the generator's, never the server's.
    pub waited: T,
    /// TCP connect.
    pub connect: T,
    /// TLS handshake, done or failed.
    pub tls: T,
    /// Writing the request.
    pub send: T,
    /// From the request sent to the first octet of the answer.
    pub first_byte: T,
    /// From the first octet of the answer to the last.
    pub receive: T,
    /// From dispatch to the end.
    pub total: T,
}

/// As programs know them.
const NAMES: [&str; 7] = ["waited", "connect", "tls", "send", "first_byte", "receive", "total"];
/// As people do; the whole has words of its own wherever it stands.
const TITLES: [&str; 6] = ["waited", "TCP connect", "TLS handshake", "send", "first byte", "receive"];

impl<T> Phases<T> {
    /// In the order they come, the whole last.
    pub fn each(&self) -> [&T; 7] {
        let Phases { waited, connect, tls, send, first_byte, receive, total } = self;
        [waited, connect, tls, send, first_byte, receive, total]
    }

    /// The same, to be changed.
    pub fn each_mut(&mut self) -> [&mut T; 7] {
        let Phases { waited, connect, tls, send, first_byte, receive, total } = self;
        [waited, connect, tls, send, first_byte, receive, total]
    }

    /// With the name that outputs for programs have: `first_byte`.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &T)> {
        NAMES.into_iter().zip(self.each())
    }

    /// Without the whole, with the words that a person reads.
    pub fn titled(&self) -> impl Iterator<Item = (&'static str, &T)> {
        TITLES.into_iter().zip(self.each())
    }

    /// Something else of each.
    pub fn map<U>(&self, made: impl FnMut(&T) -> U) -> Phases<U> {
        let [waited, connect, tls, send, first_byte, receive, total] = self.each().map(made);
        Phases { waited, connect, tls, send, first_byte, receive, total }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_fields_in_their_order() {
        let phases = Phases { waited: 0, connect: 1, tls: 2, send: 3, first_byte: 4, receive: 5, total: 6 };
        assert_eq!(phases.map(|n| *n), phases);
        let written = serde_json::to_string(&phases).unwrap();
        let fields = phases.named().map(|(name, n)| format!("\"{name}\":{n}")).collect::<Vec<_>>().join(",");
        assert_eq!(written, format!("{{{fields}}}"));
        assert_eq!(phases.titled().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    }
}
