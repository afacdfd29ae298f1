//! TLS sessions, each phone its own: a phone never resumes what another was given.
//!
//! rustls asks one store per configuration, and names only the server. Which phone is asking is read from a
//! thread-local that [`as_phone`] sets around every poll of an exchange.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;

use crate::workload::TlsSetup;

/// Most servers a phone keeps sessions for.
const SERVERS: usize = 2;

thread_local! {
    static PHONE: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Runs `poll` as phone `index`: sessions stored and taken meanwhile are its own.
pub(super) fn as_phone<T>(index: u32, poll: impl FnOnce() -> T) -> T {
    struct Restore(Option<u32>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PHONE.set(self.0);
        }
    }
    let _restore = Restore(PHONE.replace(Some(index)));
    poll()
}

/// The phone whose exchange is being polled, if any.
pub(super) fn current_phone() -> Option<u32> {
    PHONE.get()
}

/// The sessions of a shard's phones. Bounded; the phone that came first gives way. A clone is the same store.
#[derive(Clone)]
pub(super) struct PhoneSessions {
    // rustls wants the store to be `Sync`; a shard has it to itself, so the lock is never waited for.
    shelf: Arc<Mutex<Shelf>>,
    most_phones: usize,
    /// Most TLS 1.3 tickets a phone keeps for one server. A stored session is about 1.2 KB.
    tickets: usize,
}

#[derive(Default)]
struct Shelf {
    phones: HashMap<u32, Slot>,
    /// Who came when, to know who gives way.
    order: BTreeMap<u64, u32>,
    arrivals: u64,
    evicted: u64,
}

struct Slot {
    arrival: u64,
    servers: Vec<Sessions>,
}

struct Sessions {
    server: ServerName<'static>,
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: VecDeque<Tls13ClientSessionValue>,
}

impl PhoneSessions {
    /// An empty store for at most `most_phones` phones (at least one).
    pub(super) fn new(most_phones: usize) -> PhoneSessions {
        PhoneSessions { shelf: Arc::default(), most_phones: most_phones.max(1), tickets: TlsSetup::TICKETS_KEPT }
    }

    /// The same store, for phones that keep so many tickets (at least one).
    pub(super) fn keeping(&self, tickets: usize) -> PhoneSessions {
        PhoneSessions { tickets: tickets.max(1), ..self.clone() }
    }

    /// Drops everything phone `index` had.
    pub(super) fn forget(&self, index: u32) {
        let mut shelf = self.shelf();
        if let Some(slot) = shelf.phones.remove(&index) {
            shelf.order.remove(&slot.arrival);
        }
    }

    /// How many phones lost their sessions because the store was full.
    pub(super) fn evicted(&self) -> u64 {
        self.shelf().evicted
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what the current phone has for `server`.
    fn read<T>(&self, server: &ServerName<'_>, read: impl FnOnce(&mut Sessions) -> Option<T>) -> Option<T> {
        let phone = PHONE.get()?;
        let mut shelf = self.shelf();
        let slot = shelf.phones.get_mut(&phone)?;
        slot.servers.iter_mut().find(|s| s.server == *server).and_then(read)
    }

    /// Changes what the current phone has for `server`, making room first.
    fn write(&self, server: ServerName<'static>, write: impl FnOnce(&mut Sessions)) {
        let Some(phone) = PHONE.get() else { return };
        let mut shelf = self.shelf();
        if !shelf.phones.contains_key(&phone) {
            while shelf.phones.len() >= self.most_phones {
                let Some((_, first)) = shelf.order.pop_first() else { break };
                shelf.phones.remove(&first);
                shelf.evicted += 1;
            }
            let arrival = shelf.arrivals;
            shelf.arrivals += 1;
            shelf.order.insert(arrival, phone);
            shelf.phones.insert(phone, Slot { arrival, servers: Vec::new() });
        }
        let Some(slot) = shelf.phones.get_mut(&phone) else { return };
        if let Some(sessions) = slot.servers.iter_mut().find(|s| s.server == server) {
            return write(sessions);
        }
        if slot.servers.len() >= SERVERS {
            slot.servers.remove(0);
        }
        let mut sessions = Sessions { server, group: None, tls12: None, tls13: VecDeque::new() };
        write(&mut sessions);
        slot.servers.push(sessions);
    }
}

impl fmt::Debug for PhoneSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneSessions").field("phones", &self.shelf().phones.len()).finish_non_exhaustive()
    }
}

impl ClientSessionStore for PhoneSessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.write(server, |s| s.group = Some(group));
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        self.read(server, |s| s.group)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, session: Tls12ClientSessionValue) {
        self.write(server, |s| s.tls12 = Some(session));
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.read(server, |s| s.tls12.clone())
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        let _: Option<()> = self.read(server, |s| {
            s.tls12 = None;
            None
        });
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, ticket: Tls13ClientSessionValue) {
        self.write(server, |s| {
            if s.tls13.len() >= self.tickets {
                s.tls13.pop_front();
            }
            s.tls13.push_back(ticket);
        });
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.read(server, |s| s.tls13.pop_back())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &'static str) -> ServerName<'static> {
        ServerName::try_from(name).unwrap()
    }

    /// The group hint stands for all that is stored: real sessions only come out of handshakes (tests/net_tls.rs).
    fn hint(store: &PhoneSessions, phone: u32, name: &'static str) -> Option<NamedGroup> {
        as_phone(phone, || store.kx_hint(&server(name)))
    }

    /// How many phones are stored, by either account.
    fn sizes(store: &PhoneSessions) -> (usize, usize) {
        let shelf = store.shelf();
        (shelf.phones.len(), shelf.order.len())
    }

    fn learn(store: &PhoneSessions, phone: u32, name: &'static str, group: NamedGroup) {
        as_phone(phone, || store.set_kx_hint(server(name), group));
    }

    #[test]
    fn each_phone_and_server_has_its_own() {
        let store = PhoneSessions::new(10);
        learn(&store, 1, "a.example", NamedGroup::X25519);
        learn(&store, 1, "b.example", NamedGroup::secp256r1);
        learn(&store, 2, "a.example", NamedGroup::secp384r1);
        assert_eq!(hint(&store, 1, "a.example"), Some(NamedGroup::X25519));
        assert_eq!(hint(&store, 1, "b.example"), Some(NamedGroup::secp256r1));
        assert_eq!(hint(&store, 2, "a.example"), Some(NamedGroup::secp384r1));
        assert_eq!(hint(&store, 2, "b.example"), None);
        assert_eq!(hint(&store, 3, "a.example"), None);
        learn(&store, 2, "a.example", NamedGroup::X25519);
        assert_eq!(hint(&store, 2, "a.example"), Some(NamedGroup::X25519));
    }

    #[test]
    fn nothing_is_stored_or_found_outside_an_exchange() {
        let store = PhoneSessions::new(10);
        store.set_kx_hint(server("a.example"), NamedGroup::X25519);
        assert_eq!(sizes(&store), (0, 0));
        learn(&store, 1, "a.example", NamedGroup::X25519);
        assert_eq!(store.kx_hint(&server("a.example")), None);
    }

    #[test]
    fn polls_may_nest_and_panic() {
        let store = PhoneSessions::new(10);
        as_phone(1, || {
            learn(&store, 2, "a.example", NamedGroup::X25519);
            store.set_kx_hint(server("a.example"), NamedGroup::secp384r1);
        });
        assert_eq!(hint(&store, 1, "a.example"), Some(NamedGroup::secp384r1));
        assert!(std::panic::catch_unwind(|| as_phone(7, || panic!("on purpose"))).is_err());
        assert_eq!(PHONE.get(), None);
    }

    #[test]
    fn forgetting_takes_all_of_one_phone() {
        let store = PhoneSessions::new(10);
        for phone in [1, 2] {
            learn(&store, phone, "a.example", NamedGroup::X25519);
            learn(&store, phone, "b.example", NamedGroup::X25519);
        }
        store.forget(1);
        store.forget(99);
        assert_eq!((hint(&store, 1, "a.example"), hint(&store, 1, "b.example")), (None, None));
        assert!(hint(&store, 2, "a.example").is_some());
        assert_eq!(sizes(&store), (1, 1));
    }

    #[test]
    fn the_store_is_bounded_and_says_whom_it_dropped() {
        let store = PhoneSessions::new(3);
        for phone in 0..3 {
            learn(&store, phone, "a.example", NamedGroup::X25519);
        }
        store.forget(1);
        learn(&store, 1, "a.example", NamedGroup::X25519);
        assert_eq!(store.evicted(), 0);
        learn(&store, 3, "a.example", NamedGroup::X25519);
        let kept: Vec<_> = (0..4).filter(|phone| hint(&store, *phone, "a.example").is_some()).collect();
        assert_eq!((kept, store.evicted()), (vec![1, 2, 3], 1));
        for name in ["b.example", "c.example"] {
            learn(&store, 3, name, NamedGroup::X25519);
        }
        assert_eq!(hint(&store, 3, "a.example"), None, "a phone has two servers at most");
        assert!(hint(&store, 3, "b.example").is_some() && hint(&store, 3, "c.example").is_some());
        assert_eq!(sizes(&store), (3, 3));
    }
}
