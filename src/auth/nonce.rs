//! A server's nonces: made without a table, known again by a keyed hash, counted against replays within a bound.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Issues nonces and judges those that come back.
///
/// A nonce is `prefix`, then in hexadecimal: when it was issued (8 octets of microseconds), a number of chance
/// (8 octets), and a hash of both under the server's key. So the server need not remember what it issued, a nonce of
/// another server or another run is unknown, and every thread may issue from a shared reference. Only the nonce
/// counts seen are remembered, and of no more than `capacity` nonces.
#[derive(Clone, Debug)]
pub struct Nonces {
    shape: NonceShape,
    lifetime: u64,
    key: Key,
    replay: Replay,
    /// In order of issue.
    seen: BTreeMap<Id, Seen>,
    /// Nonces issued up to this time may have been dropped from `seen` to make room.
    forgotten: Option<u64>,
}

/// What a nonce looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NonceShape {
    prefix: &'static str,
    digits: usize,
}

impl NonceShape {
    /// As IIS 10 writes them: `+Upgraded+v1` and 112 lower-case hexadecimal digits.
    pub const IIS: NonceShape = NonceShape::new("+Upgraded+v1", 112);
    /// 64 hexadecimal digits, nothing before them.
    pub const PLAIN: NonceShape = NonceShape::new("", 64);

    /// A prefix and how many hexadecimal digits follow it: an even number from 48 to 512, else the nearest that is.
    pub const fn new(prefix: &'static str, digits: usize) -> NonceShape {
        let digits = match digits {
            0..48 => 48,
            48..=512 => digits,
            _ => 512,
        };
        NonceShape { prefix, digits: digits + digits % 2 }
    }

    /// The prefix.
    pub const fn prefix(&self) -> &'static str {
        self.prefix
    }

    /// How many hexadecimal digits.
    pub const fn digits(&self) -> usize {
        self.digits
    }
}

/// What is done against replays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Replay {
    /// Nothing: a nonce is good as often as one likes while it lives (Apache's and lighttpd's default).
    Ignored,
    /// Each nonce count is taken once. The counts of at most this many nonces are kept; of the others the oldest
    /// are forgotten and go stale at once, as when a server's table is too small.
    Counted {
        /// How many nonces.
        capacity: usize,
    },
}

/// What a nonce that comes back is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NonceVerdict {
    /// Issued here, and young enough.
    Fresh,
    /// Issued here, and too old or forgotten: answer with a new one and `stale=true`.
    Stale,
    /// Not issued here, or not in this run.
    Unknown,
    /// Fresh, but this nonce count was used before.
    Replayed,
}

type Id = (u64, u64);

/// The nonce counts seen with one nonce: the highest, and which of the 64 up to it. Requests of one client over
/// several connections may overtake one another.
#[derive(Clone, Copy, Debug)]
struct Seen {
    highest: u32,
    window: u64,
}

#[derive(Clone)]
struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Nonces {
    /// Nonces of this shape that live this long. `key` is the server's secret: 32 octets of chance.
    pub fn new(shape: NonceShape, lifetime: Duration, key: [u8; 32], replay: Replay) -> Nonces {
        let lifetime = u64::try_from(lifetime.as_micros()).unwrap_or(u64::MAX);
        Nonces { shape, lifetime, key: Key(key), replay, seen: BTreeMap::new(), forgotten: None }
    }

    /// A new nonce, issued `now` (microseconds on any clock that does not go back). `chance` tells apart those of the
    /// same microsecond.
    pub fn issue(&self, now: u64, chance: u64) -> String {
        let mut nonce = String::with_capacity(self.shape.prefix.len() + self.shape.digits);
        nonce.push_str(self.shape.prefix);
        push_hex(&mut nonce, &now.to_be_bytes());
        push_hex(&mut nonce, &chance.to_be_bytes());
        push_hex(&mut nonce, &self.tag((now, chance)));
        nonce
    }

    /// What the nonce is `now`, nonce counts aside; nothing is noted.
    pub fn judge(&self, nonce: &str, now: u64) -> NonceVerdict {
        match self.id(nonce) {
            None => NonceVerdict::Unknown,
            Some(id) if self.is_stale(id, now) => NonceVerdict::Stale,
            Some(_) => NonceVerdict::Fresh,
        }
    }

    /// What the nonce is `now`, and whether this nonce count is new; a new one is noted. To be called once the answer
    /// has been verified, or anyone could use up the counts of others. Without a count (RFC 2069) there is nothing to
    /// note, and a replay goes unseen while the nonce lives.
    pub fn take(&mut self, nonce: &str, nc: Option<u32>, now: u64) -> NonceVerdict {
        let Some(id) = self.id(nonce) else {
            return NonceVerdict::Unknown;
        };
        if self.is_stale(id, now) {
            return NonceVerdict::Stale;
        }
        let (Replay::Counted { capacity }, Some(nc)) = (self.replay, nc) else {
            return NonceVerdict::Fresh;
        };
        if self.seen.entry(id).or_default().note(nc) {
            self.make_room(capacity, now);
            NonceVerdict::Fresh
        } else {
            NonceVerdict::Replayed
        }
    }

    /// When the nonce was issued (microseconds); none if it was not issued here.
    pub fn issued_at(&self, nonce: &str) -> Option<u64> {
        self.id(nonce).map(|(issued, _)| issued)
    }

    /// How long a nonce lives.
    pub const fn lifetime(&self) -> Duration {
        Duration::from_micros(self.lifetime)
    }

    /// Of how many nonces the counts are kept.
    pub fn counted(&self) -> usize {
        self.seen.len()
    }

    fn is_stale(&self, id: Id, now: u64) -> bool {
        let forgotten = self.forgotten.is_some_and(|up_to| id.0 <= up_to) && !self.seen.contains_key(&id);
        forgotten || now.saturating_sub(id.0) >= self.lifetime
    }

    /// Drops the counts of nonces that are too old anyway, then the oldest above capacity.
    fn make_room(&mut self, capacity: usize, now: u64) {
        while let Some(oldest) = self.seen.first_entry() {
            let issued = oldest.key().0;
            if now.saturating_sub(issued) >= self.lifetime {
                oldest.remove();
            } else if self.seen.len() > capacity {
                self.seen.pop_first();
                self.forgotten = Some(issued);
            } else {
                return;
            }
        }
    }

    /// What a nonce issued here was made of.
    fn id(&self, nonce: &str) -> Option<Id> {
        let digits = nonce.strip_prefix(self.shape.prefix)?;
        let number = |range| u64::from_str_radix(digits.get(range)?, 16).ok();
        let id = (number(0..16)?, number(16..32)?);
        (self.issue(id.0, id.1) == nonce).then_some(id)
    }

    /// The keyed hash that fills the shape: nested like HMAC, so that no one can lengthen it.
    fn tag(&self, id: Id) -> Vec<u8> {
        let inner = Sha256::new().chain_update(self.key.0).chain_update(id.0.to_be_bytes());
        let inner = inner.chain_update(id.1.to_be_bytes()).finalize();
        let octets = self.shape.digits / 2 - 16;
        let mut tag = Vec::with_capacity(octets.next_multiple_of(32));
        for block in 0..octets.div_ceil(32) as u8 {
            let outer = Sha256::new().chain_update(self.key.0).chain_update([block]).chain_update(inner);
            tag.extend_from_slice(&outer.finalize());
        }
        tag.truncate(octets);
        tag
    }
}

impl Default for Seen {
    /// Count 0 is never sent: it is there from the start.
    fn default() -> Seen {
        Seen { highest: 0, window: 1 }
    }
}

impl Seen {
    /// Notes a count; false if it was noted before, or is so far behind that nobody knows.
    fn note(&mut self, nc: u32) -> bool {
        if nc > self.highest {
            let ahead = nc - self.highest;
            self.window = self.window.checked_shl(ahead).unwrap_or(0) | 1;
            self.highest = nc;
            return true;
        }
        let bit = 1_u64.checked_shl(self.highest - nc).unwrap_or(0);
        let new = bit != 0 && self.window & bit == 0;
        self.window |= bit;
        new
    }
}

fn push_hex(text: &mut String, octets: &[u8]) {
    for octet in octets {
        for nibble in [octet >> 4, octet & 15] {
            text.extend(char::from_digit(u32::from(nibble), 16));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NonceVerdict::{Fresh, Replayed, Stale, Unknown};
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000;

    fn nonces(shape: NonceShape, replay: Replay) -> Nonces {
        Nonces::new(shape, Duration::from_secs(300), [7; 32], replay)
    }

    #[test]
    fn shapes() {
        let table = [
            (NonceShape::IIS, "+Upgraded+v1", 112),
            (NonceShape::PLAIN, "", 64),
            (NonceShape::new("x", 0), "x", 48),
            (NonceShape::new("", 51), "", 52),
            (NonceShape::new("", 9999), "", 512),
        ];
        for (shape, prefix, digits) in table {
            let n = nonces(shape, Replay::Ignored);
            let nonce = n.issue(5, 6);
            let hex = nonce.strip_prefix(prefix).unwrap();
            assert_eq!(hex.len(), digits);
            assert!(hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{nonce}");
            assert_eq!((n.judge(&nonce, 5), n.issued_at(&nonce)), (Fresh, Some(5)));
        }
    }

    #[test]
    fn a_nonce_ages() {
        let n = nonces(NonceShape::PLAIN, Replay::Ignored);
        let nonce = n.issue(10 * SECOND, 1);
        let table = [(0, Fresh), (10, Fresh), (309, Fresh), (310, Stale), (u64::MAX / SECOND, Stale)];
        for (second, verdict) in table {
            assert_eq!(n.judge(&nonce, second * SECOND), verdict, "{second} s");
            assert_eq!(n.clone().take(&nonce, Some(1), second * SECOND), verdict, "{second} s");
        }
    }

    #[test]
    fn foreign_nonces_are_unknown() {
        let n = nonces(NonceShape::IIS, Replay::Ignored);
        let other = Nonces::new(NonceShape::IIS, n.lifetime(), [8; 32], Replay::Ignored);
        let mine = n.issue(1, 1);
        let upper = mine.to_uppercase();
        for nonce in ["", "+Upgraded+v1", "abc", &other.issue(1, 1), &mine[1..], &upper, &mine[..mine.len() - 2]] {
            assert_eq!(n.judge(nonce, 1), Unknown, "{nonce}");
        }
    }

    #[test]
    fn counts_are_taken_once_and_may_overtake_one_another() {
        let mut n = nonces(NonceShape::PLAIN, Replay::Counted { capacity: 10 });
        let nonce = n.issue(0, 1);
        let table = [(0, Replayed), (1, Fresh), (1, Replayed), (3, Fresh), (2, Fresh), (2, Replayed), (3, Replayed)];
        for (nc, verdict) in table {
            assert_eq!(n.take(&nonce, Some(nc), 1), verdict, "nc {nc}");
        }
        assert_eq!(n.take(&nonce, Some(u32::MAX), 1), Fresh);
        assert_eq!(n.take(&nonce, Some(u32::MAX - 63), 1), Fresh, "just within the window");
        assert_eq!(n.take(&nonce, Some(u32::MAX - 64), 1), Replayed, "beyond it nobody knows");
        assert_eq!(n.take(&nonce, None, 1), Fresh, "without a count there is nothing to note");
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_goes_stale() {
        let mut n = nonces(NonceShape::PLAIN, Replay::Counted { capacity: 2 });
        let all: Vec<String> = (0..4).map(|i| n.issue(i, i)).collect();
        for nonce in &all {
            assert_eq!(n.take(nonce, Some(1), 9), Fresh);
        }
        assert_eq!(n.counted(), 2);
        let verdicts: Vec<_> = all.iter().map(|nonce| n.take(nonce, Some(1), 9)).collect();
        assert_eq!(verdicts, [Stale, Stale, Replayed, Replayed]);
        assert_eq!(n.judge(&all[0], 9), Stale);
        // What is too old anyway goes first, and forgets nothing that matters.
        let late = n.issue(200 * SECOND, 9);
        assert_eq!(n.take(&late, Some(1), 301 * SECOND), Fresh);
        assert_eq!(n.counted(), 1);
    }

    #[test]
    fn the_key_never_shows() {
        assert!(!format!("{:?}", nonces(NonceShape::PLAIN, Replay::Ignored)).contains("7, 7"));
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text: String, tail in "[0-9a-f]{0,130}\\PC{0,3}") {
            let n = nonces(NonceShape::IIS, Replay::Ignored);
            for nonce in [text.clone(), format!("+Upgraded+v1{tail}"), format!("+Upgraded+v1{text}")] {
                prop_assert_eq!(n.judge(&nonce, 0), Unknown);
            }
        }

        /// Whatever order requests come in, no count passes twice.
        #[test]
        fn no_count_passes_twice(counts in prop::collection::vec(1..100_u32, 0..200)) {
            let mut n = nonces(NonceShape::PLAIN, Replay::Counted { capacity: 1 });
            let nonce = n.issue(0, 0);
            let mut passed = std::collections::HashSet::new();
            for nc in counts {
                if n.take(&nonce, Some(nc), 1) == Fresh {
                    prop_assert!(passed.insert(nc), "{nc}");
                }
            }
        }
    }
}
