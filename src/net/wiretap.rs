//! What a handshake's records tell without its secrets: how many there were each way, whether the client offered a
//! ticket, how often it said hello, and alerts that went in the clear.

/// Length of a record's header: content type, version, length (RFC 8446 section 5.1).
const HEADER: usize = 5;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// Longest record kept while its rest is on its way: a client hello is a tenth of it.
const LONGEST: usize = 16_384;

/// Watches the records of one handshake pass. Once that is over nobody watches any more.
#[derive(Debug, Default)]
pub(super) struct Wiretap {
    out: Records,
    inward: Records,
    /// Whether the last client hello offered a session ticket of TLS 1.2 (RFC 5077).
    ticket_offered: bool,
    hellos: u32,
    alert_sent: Option<u8>,
}

impl Wiretap {
    /// These octets were written.
    pub(super) fn wrote(&mut self, octets: &[u8]) {
        let Wiretap { out, ticket_offered, hellos, alert_sent, .. } = self;
        out.take(octets, |kind, content| match (kind, content) {
            (HANDSHAKE, content) => {
                if let Some(hello) = client_hello(content) {
                    *hellos += 1;
                    *ticket_offered = offers_ticket(hello).unwrap_or(false);
                }
            }
            (ALERT, [_level, alert]) => *alert_sent = Some(*alert),
            _ => {}
        });
    }

    /// These octets were read.
    pub(super) fn read(&mut self, octets: &[u8]) {
        self.inward.take(octets, |_, _| {});
    }

    /// Whole records that were written and read.
    pub(super) fn records(&self) -> (u32, u32) {
        (self.out.whole, self.inward.whole)
    }

    /// Whether the client offered a ticket of TLS 1.2: if such a session was resumed, it was by that. Without one it
    /// was by the session's id.
    pub(super) fn ticket_offered(&self) -> bool {
        self.ticket_offered
    }

    /// Whether the client had to say hello again.
    pub(super) fn retried(&self) -> bool {
        self.hellos > 1
    }

    /// The alert the client sent in the clear, if it did.
    pub(super) fn alert_sent(&self) -> Option<u8> {
        self.alert_sent
    }
}

/// Records one way, as they pass in pieces of any size.
#[derive(Debug, Default)]
struct Records {
    whole: u32,
    header: [u8; HEADER],
    /// How much of the header has passed.
    have: usize,
    /// How much of the record's content is still to pass.
    left: usize,
    /// What has passed of the content, if it is worth a look and did not pass whole.
    part: Vec<u8>,
}

impl Records {
    /// Takes in what passes; `look` is shown the content type and content of each record that may be in the clear.
    fn take(&mut self, mut octets: &[u8], mut look: impl FnMut(u8, &[u8])) {
        while !octets.is_empty() {
            if self.have < HEADER {
                let missing = (HEADER - self.have).min(octets.len());
                let (head, rest) = octets.split_at(missing);
                self.header[self.have..self.have + missing].copy_from_slice(head);
                self.have += missing;
                octets = rest;
                if self.have < HEADER {
                    return;
                }
                self.left = usize::from(u16::from_be_bytes([self.header[3], self.header[4]]));
                self.part.clear();
                if self.left > 0 {
                    continue;
                }
                self.whole += 1;
                self.have = 0;
                continue;
            }
            let (content, rest) = octets.split_at(self.left.min(octets.len()));
            octets = rest;
            let kind = self.header[0];
            let clear = matches!(kind, ALERT | HANDSHAKE);
            let passed_whole = self.part.is_empty() && content.len() == self.left;
            if clear && !passed_whole && self.part.len() + content.len() <= LONGEST {
                self.part.extend_from_slice(content);
            }
            self.left -= content.len();
            if self.left == 0 {
                self.whole += 1;
                self.have = 0;
                if clear {
                    look(kind, if passed_whole { content } else { &self.part });
                }
            }
        }
    }
}

/// The content of a client hello (RFC 8446 section 4), if that is what the record holds.
fn client_hello(record: &[u8]) -> Option<&[u8]> {
    let [1, a, b, c, rest @ ..] = record else { return None };
    rest.get(..usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c))
}

/// Whether the hello's extension `session_ticket` holds a ticket; `None` if there is no such extension, or the hello
/// makes no sense.
fn offers_ticket(hello: &[u8]) -> Option<bool> {
    const VERSION_AND_RANDOM: usize = 2 + 32;
    const SESSION_TICKET: u16 = 35;
    let rest = hello.get(VERSION_AND_RANDOM..)?;
    let (_session_id, rest) = behind_u8(rest)?;
    let (_suites, rest) = behind_u16(rest)?;
    let (_compressions, rest) = behind_u8(rest)?;
    let (mut extensions, _) = behind_u16(rest)?;
    while let [a, b, rest @ ..] = extensions {
        let (content, rest) = behind_u16(rest)?;
        if u16::from_be_bytes([*a, *b]) == SESSION_TICKET {
            return Some(!content.is_empty());
        }
        extensions = rest;
    }
    None
}

/// A vector behind its length, and what follows.
fn behind_u8(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first()?;
    rest.split_at_checked(usize::from(*length))
}

fn behind_u16(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let [a, b, rest @ ..] = octets else { return None };
    rest.split_at_checked(usize::from(u16::from_be_bytes([*a, *b])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A hello with these extensions, as a handshake message.
    fn hello(extensions: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([2, 9, 9]);
        body.extend([0, 2, 0x13, 0x02]);
        body.extend([1, 0]);
        let mut all = Vec::new();
        for (kind, content) in extensions {
            all.extend(kind.to_be_bytes());
            all.extend((content.len() as u16).to_be_bytes());
            all.extend(*content);
        }
        body.extend((all.len() as u16).to_be_bytes());
        body.extend(all);
        let mut message = vec![1, 0];
        message.extend((body.len() as u16).to_be_bytes());
        message.extend(body);
        message
    }

    fn record(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut record = vec![kind, 3, 3];
        record.extend((content.len() as u16).to_be_bytes());
        record.extend(content);
        record
    }

    fn seen(octets: &[u8], piece: usize) -> Wiretap {
        let mut tap = Wiretap::default();
        octets.chunks(piece).for_each(|piece| tap.wrote(piece));
        tap
    }

    #[test]
    fn tickets_are_seen_in_pieces_of_any_size() {
        type Extensions = &'static [(u16, &'static [u8])];
        let cases: [(Extensions, bool); 4] = [
            (&[(10, b"\0\x02\0\x1d"), (35, b"a ticket"), (41, b"x")], true),
            (&[(35, b"")], false),
            (&[(0, b"35")], false),
            (&[], false),
        ];
        for (extensions, offered) in cases {
            let octets = [record(HANDSHAKE, &hello(extensions)), record(20, &[1]), record(23, &[0; 300])].concat();
            for piece in [1, 2, 5, 7, 50, 1_000] {
                let tap = seen(&octets, piece);
                assert_eq!((tap.ticket_offered(), tap.records(), tap.hellos), (offered, (3, 0), 1), "{piece}");
            }
        }
    }

    #[test]
    fn the_second_hello_and_the_clear_alert_are_seen() {
        let octets = [record(HANDSHAKE, &hello(&[(35, b"t")])), record(HANDSHAKE, &hello(&[(35, b"")]))].concat();
        let mut tap = seen(&octets, 3);
        assert!(tap.retried() && !tap.ticket_offered() && tap.alert_sent().is_none());
        tap.wrote(&record(ALERT, &[2, 70]));
        assert_eq!((tap.alert_sent(), tap.records()), (Some(70), (3, 0)));
        // Encrypted in TLS 1.2: of the same type, and longer.
        tap.wrote(&record(ALERT, &[9; 26]));
        assert_eq!((tap.alert_sent(), tap.records()), (Some(70), (4, 0)));
    }

    #[test]
    fn a_record_counts_when_it_is_whole() {
        let mut tap = Wiretap::default();
        let octets = [record(22, &[2; 90]), record(23, &[]), record(23, &[1; 20])].concat();
        tap.read(&octets[..octets.len() - 1]);
        assert_eq!(tap.records(), (0, 2));
        tap.read(&octets[octets.len() - 1..]);
        assert_eq!(tap.records(), (0, 3));
    }

    proptest! {
        #[test]
        fn nothing_that_passes_is_too_odd(octets in prop::collection::vec(any::<u8>(), 0..600), piece in 1usize..80) {
            let (whole, pieces) = (seen(&octets, octets.len().max(1)), seen(&octets, piece));
            prop_assert_eq!(whole.records(), pieces.records());
            prop_assert_eq!((whole.hellos, whole.alert_sent), (pieces.hellos, pieces.alert_sent));
            prop_assert!(pieces.out.part.len() <= LONGEST);
        }

        #[test]
        fn a_hello_cut_or_spoilt_anywhere_is_no_reason_to_fail(cut in 0usize..80, at in 0usize..80, with: u8) {
            let mut hello = hello(&[(35, b"ticket"), (13, b"\0\x02\x04\x03")]);
            let at = at % hello.len();
            hello[at] = with;
            hello.truncate(cut.max(1));
            seen(&record(HANDSHAKE, &hello), 1_000);
        }
    }
}
