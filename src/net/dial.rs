//! The TCP connect, from a source address where one is named.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt::IpBindAddressNoPort};
use tokio::net::{TcpSocket, TcpStream};

/// Connects to `target`, from `source` if one is named (any free port of it), with Nagle's algorithm off.
pub(super) async fn dial(target: SocketAddr, source: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(address) = source {
        // The port is chosen at connect, for the whole four-tuple: binding would search all ports of the address
        // for one that nobody uses at all, and find none once they are used up towards other targets.
        setsockopt(&socket, IpBindAddressNoPort, &true)?;
        socket.bind(SocketAddr::new(address, 0))?;
    }
    socket.set_nodelay(true)?;
    let stream = socket.connect(target).await?;
    // A port of the ephemeral range on which nobody listens can be connected to itself (simultaneous open).
    if target.ip().is_loopback() && stream.local_addr()? == target {
        return Err(io::Error::from_raw_os_error(nix::errno::Errno::ECONNREFUSED as i32));
    }
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use nix::sys::socket::getsockopt;
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn sources_are_bound_without_a_port_of_their_own() {
        let test = async {
            for (target, source) in [("127.0.0.1:0", "127.0.0.5"), ("[::1]:0", "::1")] {
                let listener = TcpListener::bind(target).await.unwrap();
                let source: IpAddr = source.parse().unwrap();
                let stream = dial(listener.local_addr().unwrap(), Some(source)).await.unwrap();
                assert_eq!(stream.local_addr().unwrap().ip(), source);
                assert!(getsockopt(&stream, IpBindAddressNoPort).unwrap(), "{target}");
                assert!(stream.nodelay().unwrap());
            }
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
    }
}
