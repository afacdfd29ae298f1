//! Accept loops: each a thread with its own listener and runtime, sharing nothing but the site.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::TargetError;
use super::connection::{Shared, serve};
use super::stats::Counters;
use crate::phone::Moment;

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
        let listener = listen(bound).map_err(refuse)?;
        bound = listener.local_addr().map_err(refuse)?;
        listeners.push(listener);
    }
    Ok((listeners, bound))
}

/// Holds the port while nobody listens there: connections are refused, and nobody else takes it, not even a client
/// of this machine as its own port.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn hold(address: SocketAddr) -> Result<Socket, TargetError> {
    let held = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP)).and_then(|held| {
        // Shared with our own listeners. An address that could be reused would be anybody's while nobody listens.
        held.set_reuse_port(true)?;
        held.bind(&address.into()).map(|()| held)
    });
    held.map_err(|cause| TargetError::CannotBind { address, cause })
}

/// A listener that shares its address with the other loops'.
fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = socket(address, true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
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

async fn accept(mut listener: TcpListener, shared: Shared, grace: Duration) {
    let mut open = JoinSet::new();
    let mut stop = shared.stop.clone();
    let mut outages = shared.site.outages().to_vec().into_iter();
    let mut outage = outages.next();
    let mut falls = Box::pin(shared.clock.clone().until(outage.map_or(Moment::NEVER, |(from, _)| from)));
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            () = falls.as_mut(), if outage.is_some() => {
                let address = listener.local_addr();
                drop(listener);
                // As when a process ends: all connections go with it.
                open.shutdown().await;
                let back = async {
                    shared.clock.clone().until(outage.map_or(Moment::ZERO, |(_, until)| until)).await;
                    listen_again(address, &shared.counters).await
                };
                let mut stopped = shared.stop.clone();
                listener = tokio::select! {
                    _ = stopped.wait_for(|stop| *stop) => return,
                    again = back => again,
                };
                outage = outages.next();
                falls = Box::pin(shared.clock.clone().until(outage.map_or(Moment::NEVER, |(from, _)| from)));
            }
            (place, accepted) = take(&listener, &shared.places) => match accepted {
                Ok((stream, peer)) => {
                    Counters::add(&shared.counters.connections, 1);
                    open.spawn(serve(shared.clone(), stream, peer.ip(), place));
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

/// The next connection, once there is a place for it. Until then the system keeps it.
async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    // It is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, listener.accept().await)
}

/// A listener at the same address after an outage; what is in the way is waited out.
async fn listen_again(address: io::Result<SocketAddr>, counters: &Counters) -> TcpListener {
    loop {
        // The address of a listener that was there: it can be told.
        let again = address.as_ref().map_err(|e| e.kind().into()).and_then(|a| listen(*a));
        match again.and_then(TcpListener::from_std) {
            Ok(listener) => return listener,
            Err(error) => {
                Counters::add(&counters.accept_errors, 1);
                tracing::warn!("the target cannot listen again yet: {error}");
                sleep(BACK_OFF).await;
            }
        }
    }
}
