//! Accept loops: each a thread with its own listener and runtime, sharing nothing but the site.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::TargetError;
use super::connection::{Shared, serve};
use super::stats::Counters;

/// Connections the system keeps ready for one loop; it cuts this to its own limit (`net.core.somaxconn`).
const BACKLOG: i32 = 16_384;
/// How long a loop rests when the system has no file or memory left for a connection.
const BACK_OFF: Duration = Duration::from_millis(50);

/// One listener per loop, all of the same address; the system spreads connections over them.
///
/// # Errors
/// Somebody else listens there, or the address cannot be had.
pub(crate) fn bind(address: SocketAddr, loops: usize) -> Result<(Vec<std::net::TcpListener>, SocketAddr), TargetError> {
    let refuse = |cause: io::Error| match cause.kind() {
        io::ErrorKind::AddrInUse => TargetError::PortInUse { address },
        _ => TargetError::CannotBind { address, cause },
    };
    // Listeners that share a port would share it with another target of this user too, in silence. A socket that
    // does not share finds out.
    if address.port() != 0 {
        let probe = socket(address, false).map_err(refuse)?;
        probe.bind(&address.into()).map_err(refuse)?;
    }
    let mut listeners = Vec::new();
    let mut bound = address;
    for _ in 0..loops.max(1) {
        let socket = socket(bound, true).map_err(refuse)?;
        socket.bind(&bound.into()).map_err(refuse)?;
        socket.listen(BACKLOG).map_err(refuse)?;
        let listener = std::net::TcpListener::from(socket);
        bound = listener.local_addr().map_err(refuse)?;
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

fn socket(address: SocketAddr, shares: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if shares {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Accepts and serves until told to stop, then gives the open connections `grace` to end;
/// what is still open then is cut off with the runtime.
pub(crate) fn run(runtime: Runtime, listener: std::net::TcpListener, shared: Shared, grace: Duration) {
    runtime.block_on(async move {
        match TcpListener::from_std(listener) {
            Ok(listener) => accept(listener, shared, grace).await,
            // Only a runtime without I/O or a broken descriptor comes here: neither is made above.
            Err(error) => tracing::error!("an accept loop cannot use its listener: {error}"),
        }
    });
}

async fn accept(listener: TcpListener, shared: Shared, grace: Duration) {
    let mut open = JoinSet::new();
    let mut stop = shared.stop.clone();
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    Counters::add(&shared.counters.connections, 1);
                    open.spawn(serve(shared.clone(), stream, peer.ip()));
                }
                Err(error) => {
                    Counters::add(&shared.counters.accept_errors, 1);
                    // A peer that left before it was accepted costs nothing; anything else may be want of
                    // files or memory, and trying again at once would only burn the processor.
                    if error.kind() != io::ErrorKind::ConnectionAborted {
                        sleep(BACK_OFF).await;
                    }
                }
            },
            // Keeps the set as small as what is open.
            Some(_) = open.join_next() => {}
        }
    }
    drop(listener);
    let _ = timeout(grace, async { while open.join_next().await.is_some() {} }).await;
}
