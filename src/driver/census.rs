//! Counts the local ports that connections to the server take, as the system has them (`NETLINK_SOCK_DIAG`).
//!
//! The system is asked for the sockets towards the server's port alone, so a count costs what these cost: about a
//! microsecond for four of them. It sees those of other programs on this machine towards the same server too: they share
//! the ports.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

/// TIME_WAIT of Linux.
const TIME_WAIT: Duration = Duration::from_secs(60);

const DONE: u16 = 3;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const REQUEST_DUMP: u16 = 0x301;
const HEADER: usize = 16;
const REQUEST: usize = HEADER + 56;
const MESSAGE: usize = 72;
const STATE_TIME_WAIT: u8 = 6;
/// Every state but listening (10) and closed (7).
const STATES: u32 = 0xffff & !(1 << 10) & !(1 << 7);

/// Asks the system for its sockets towards some addresses.
#[derive(Debug)]
pub(super) struct Census {
    socket: OwnedFd,
    targets: Vec<SocketAddr>,
    kept_back: Duration,
}

impl Census {
    /// Towards these; `None` where the system cannot be asked. Ports of connections that ended longer ago than
    /// `kept_back` do not count: they are given out again.
    pub(super) fn towards(targets: &[SocketAddr], kept_back: Duration) -> Option<Census> {
        if targets.is_empty() {
            return None;
        }
        let family = AddressFamily::Netlink;
        let socket = socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag).ok()?;
        let census = Census { socket, targets: targets.to_vec(), kept_back };
        // A sandbox may give the socket and refuse the question.
        census.taken().map(|_| census)
    }

    /// How many ports are taken now; `None` if the system does not say.
    pub(super) fn taken(&self) -> Option<u64> {
        self.targets.iter().map(|target| self.towards_one(*target)).sum()
    }

    fn towards_one(&self, target: SocketAddr) -> Option<u64> {
        let fd = self.socket.as_raw_fd();
        sendto(fd, &request(target), &NetlinkAddr::new(0, 0), MsgFlags::empty()).ok()?;
        let (mut taken, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let octets = recv(fd, &mut buffer, MsgFlags::empty()).ok()?;
            match read(buffer.get(..octets)?, target, self.kept_back)? {
                (n, true) => return Some(taken + n),
                (n, false) => taken += n,
            }
        }
    }
}

/// All TCP sockets of this family towards this port.
fn request(target: SocketAddr) -> [u8; REQUEST] {
    let mut out = [0; REQUEST];
    let mut put = |at: usize, octets: &[u8]| out[at..at + octets.len()].copy_from_slice(octets);
    put(0, &(REQUEST as u32).to_ne_bytes());
    put(4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(6, &REQUEST_DUMP.to_ne_bytes());
    let family = if target.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    put(HEADER, &[family as u8, SockProtocol::Tcp as u8]);
    put(HEADER + 4, &STATES.to_ne_bytes());
    put(HEADER + 10, &target.port().to_be_bytes());
    out
}

/// How many of the sockets told here go to the target and keep their port, and whether these are the last; `None` if the
/// system tells of an error, or what cannot be understood.
fn read(mut told: &[u8], target: SocketAddr, kept_back: Duration) -> Option<(u64, bool)> {
    let mut taken = 0;
    while told.len() >= HEADER {
        let length = u32::from_ne_bytes(told.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(told.get(4..6)?.try_into().ok()?);
        match kind {
            DONE => return Some((taken, true)),
            SOCK_DIAG_BY_FAMILY => {
                let socket = told.get(HEADER..length.max(HEADER))?;
                taken += u64::from(takes_a_port(socket.get(..MESSAGE)?, target, kept_back)?);
            }
            _ => return None,
        }
        told = told.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((taken, false))
}

/// Whether a socket (`struct inet_diag_msg`) goes to the target and keeps its port.
fn takes_a_port(socket: &[u8], target: SocketAddr, kept_back: Duration) -> Option<bool> {
    let port = u16::from_be_bytes(socket.get(6..8)?.try_into().ok()?);
    let address = match target.ip() {
        IpAddr::V4(_) => IpAddr::from(<[u8; 4]>::try_from(socket.get(24..28)?).ok()?),
        IpAddr::V6(_) => IpAddr::from(<[u8; 16]>::try_from(socket.get(24..40)?).ok()?),
    };
    let remaining = Duration::from_millis(u32::from_ne_bytes(socket.get(52..56)?.try_into().ok()?).into());
    let state = *socket.get(1)?;
    let given_out_again = state == STATE_TIME_WAIT && TIME_WAIT.saturating_sub(remaining) > kept_back;
    Some(SocketAddr::new(address, port) == target && !given_out_again)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connections_are_counted_open_and_in_time_wait() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let target = listener.local_addr().unwrap();
            let Some(census) = Census::towards(&[target], Duration::MAX) else { return };
            let pairs = (0..300).map(|_| (TcpStream::connect(target).unwrap(), listener.accept().unwrap().0));
            let (open, accepted): (Vec<_>, Vec<_>) = pairs.unzip();
            assert_eq!(census.taken(), Some(300), "the server's ends are none of them");
            // These close first, and their system remembers them; that the other end has seen it tells when.
            drop(open);
            for accepted in accepted {
                std::io::Read::read(&mut &accepted, &mut [0]).unwrap();
            }
            assert_eq!(census.taken(), Some(300));
        }
    }

    #[test]
    fn ports_that_are_given_out_again_do_not_count() {
        let target = "127.0.0.1:8080".parse().unwrap();
        let told = |state: u8, port: u16, remaining: u32| {
            let mut socket = [0; MESSAGE];
            socket[1] = state;
            socket[6..8].copy_from_slice(&port.to_be_bytes());
            socket[24..28].copy_from_slice(&[127, 0, 0, 1]);
            socket[52..56].copy_from_slice(&remaining.to_ne_bytes());
            takes_a_port(&socket, target, Duration::from_secs(1)).unwrap()
        };
        assert!(told(1, 8080, 0), "open");
        assert!(!told(1, 8081, 0), "elsewhere");
        assert!(told(STATE_TIME_WAIT, 8080, 59_500));
        assert!(!told(STATE_TIME_WAIT, 8080, 58_500));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        let target = "127.0.0.1:80".parse().unwrap();
        assert_eq!(read(&[], target, TIME_WAIT), Some((0, false)));
        assert_eq!(read(&[0xff; 200], target, TIME_WAIT), None);
        let mut done = [0; HEADER];
        done[4] = DONE as u8;
        assert_eq!(read(&done, target, TIME_WAIT), Some((0, true)));
        let mut short = [0; HEADER + 8];
        short[0] = (HEADER + 8) as u8;
        short[4] = SOCK_DIAG_BY_FAMILY as u8;
        assert_eq!(read(&short, target, TIME_WAIT), None);
    }
}
