//! The running target: started, watched, stopped.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::accept::{bind, run};
use super::authority::seen_from_here;
use super::connection::Shared;
use super::metered::now;
use super::stats::{Counters, sum};
use super::{AccessLog, Authority, Site, Stats, TargetError};
use crate::phone::Origin;
use crate::workload::EmbeddedTarget;

/// How long open connections may take to end when the target stops.
const GRACE: Duration = Duration::from_secs(2);

/// A target that serves. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
    counters: Vec<Arc<Counters>>,
    /// Dropped last, when no loop sends any more.
    log: Option<AccessLog>,
}

/// Starts a target: listens as the configuration says and serves the site. With TLS and no authority given, it
/// makes its own.
///
/// # Errors
/// The address cannot be had, the certificates cannot be used, or there are no threads.
pub fn start(config: &EmbeddedTarget, site: Arc<Site>, authority: Option<&Authority>) -> Result<Running, TargetError> {
    start_logged(config, site, authority, None)
}

/// As [`start`], with an access log.
///
/// # Errors
/// As [`start`].
pub fn start_logged(
    config: &EmbeddedTarget,
    site: Arc<Site>,
    authority: Option<&Authority>,
    log: Option<AccessLog>,
) -> Result<Running, TargetError> {
    let own;
    let (ca_pem, acceptor) = match (&config.tls, authority) {
        (None, _) => (None, None),
        (Some(tls), given) => {
            let authority = match given {
                Some(authority) => authority,
                None => {
                    own = Authority::new(tls.key, config.listen.ip())?;
                    &own
                }
            };
            (Some(authority.ca_pem().to_owned()), Some(TlsAcceptor::from(authority.server_config(tls)?)))
        }
    };
    let (listeners, address) = bind(config.listen, config.accept_loops)?;
    let (stop, stopped) = watch::channel(false);
    // Built before the threads: dropped on an error below, it stops those that run already.
    let mut running = Running { address, ca_pem, stop, loops: Vec::new(), counters: Vec::new(), log };
    let started = now();
    for (number, listener) in listeners.into_iter().enumerate() {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(TargetError::AcceptLoop)?;
        let counters = Counters::new();
        running.counters.push(Arc::clone(&counters));
        let shared = Shared {
            site: Arc::clone(&site),
            counters,
            tls: acceptor.clone(),
            log: running.log.as_ref().and_then(AccessLog::sender),
            start: started,
            stop: stopped.clone(),
        };
        let thread = thread::Builder::new().name(format!("target-{number}"));
        let joined = thread.spawn(move || run(runtime, listener, shared, GRACE)).map_err(TargetError::AcceptLoop)?;
        running.loops.push(joined);
    }
    Ok(running)
}

impl Running {
    /// Where phones find it: an address they can connect to, and the port it got.
    pub fn origin(&self) -> Origin {
        let host: IpAddr = seen_from_here(self.address.ip());
        Origin { tls: self.ca_pem.is_some(), host: host.to_string(), port: self.address.port() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CA certificate its clients must trust, as PEM; `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// What it has seen so far.
    pub fn stats(&self) -> Stats {
        sum(&self.counters)
    }

    /// Stops: no more connections, idle ones close, those under way get two seconds. Says what was seen in all.
    pub fn stop(mut self) -> Stats {
        self.end();
        self.stats()
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        for thread in self.loops.drain(..) {
            // A loop that panicked is over as well.
            let _ = thread.join();
        }
        self.log = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
