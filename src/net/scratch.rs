//! Room that all connections of a thread share: nothing stays in it from one poll to the next.

use std::cell::RefCell;

/// Room to read to: two of the longest records (2^14 octets of plaintext, 2,048 more in TLS 1.2, five of a header), so that
/// behind whatever part of one is still incomplete there is room for a whole one.
const INCOMING: usize = 36 * 1024;
/// Room to write from at first: a request's first piece, encrypted.
const OUTGOING: usize = 20 * 1024;

thread_local! {
    static IN: RefCell<Vec<u8>> = RefCell::new(vec![0; INCOMING]);
    static OUT: RefCell<Room> = RefCell::new(Room { octets: vec![0; OUTGOING], filled: 0 });
}

/// Lends the room octets are read to, with at least 18 KiB behind the first `kept`. Never lent twice at once: who reads
/// does not ask a connection to read meanwhile.
pub(super) fn incoming<T>(kept: usize, read: impl FnOnce(&mut [u8]) -> T) -> T {
    IN.with_borrow_mut(|room| {
        if room.len() < kept + INCOMING / 2 {
            // A handshake message may be longer than a record; rustls bounds it.
            room.resize(kept + INCOMING / 2, 0);
        }
        read(room)
    })
}

/// Lends the room records are made in, empty.
pub(super) fn outgoing<T>(write: impl FnOnce(&mut Room) -> T) -> T {
    OUT.with_borrow_mut(|room| {
        room.filled = 0;
        write(room)
    })
}

/// Octets on their way out.
#[derive(Debug, Default)]
pub(super) struct Room {
    octets: Vec<u8>,
    filled: usize,
}

impl Room {
    /// What is in it.
    pub(super) fn filled(&self) -> &[u8] {
        &self.octets[..self.filled]
    }

    /// The free part, of at least so many octets.
    pub(super) fn free(&mut self, least: usize) -> &mut [u8] {
        if self.octets.len() - self.filled < least {
            self.octets.resize(self.filled + least, 0);
        }
        &mut self.octets[self.filled..]
    }

    /// The first `octets` of the free part hold something now.
    pub(super) fn fill(&mut self, octets: usize) {
        self.filled = (self.filled + octets).min(self.octets.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_behind_whatever_is_kept() {
        for kept in [0, 18_437, 100_000, 3] {
            let room = incoming(kept, |room| room.len());
            assert!(room >= kept + 18_437 - 5, "{kept}: {room}");
        }
    }

    #[test]
    fn what_is_filled_is_there_and_gone_the_next_time() {
        for size in [3, 70_000] {
            outgoing(|room| {
                assert!(room.filled().is_empty());
                for octet in [1, 2] {
                    room.free(size)[..size].fill(octet);
                    room.fill(size);
                }
                assert_eq!(room.filled(), [vec![1; size], vec![2; size]].concat());
            });
        }
    }
}
