//! The running target: started, watched, stopped.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use socket2::Socket;
use tokio::runtime::Builder;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use super::accept::{bind, hold, run};
use super::authority::{seen_from_here, session_store};
use super::clock::{Clock, Epoch};
use super::connection::Shared;
use super::gauge;
use super::metered::now;
use super::stats::{Counters, sum};
use super::{AccessLog, Authority, Site, Stats, TargetError};
use crate::metrics::TargetReading;
use crate::phone::{Moment, Origin};
use crate::workload::{Befalls, EmbeddedTarget, Swap, TargetTls};

/// How long open connections may take to end when the target stops.
const GRACE: Duration = Duration::from_secs(2);

/// A target that serves. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    ca_pem: Option<String>,
    stop: watch::Sender<bool>,
    /// Tells the loops when phone time begins.
    epoch: watch::Sender<Epoch>,
    places: Arc<Semaphore>,
    /// Keeps the port through outages.
    _held: Option<Socket>,
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
    let running = start_waiting(config, site, authority, log)?;
    running.begin(1.0);
    Ok(running)
}

/// As [`start_logged`], but its time stands at zero until [`Running::begin`]: a run begins later than its target.
///
/// # Errors
/// As [`start`].
pub fn start_waiting(
    config: &EmbeddedTarget,
    site: Arc<Site>,
    authority: Option<&Authority>,
    log: Option<AccessLog>,
) -> Result<Running, TargetError> {
    let own;
    let (ca_pem, acceptors) = match (&config.tls, authority) {
        (None, _) => (None, Vec::new()),
        (Some(tls), given) => {
            let authority = match given {
                Some(authority) => authority,
                None => {
                    own = Authority::new(tls, config.listen.ip())?;
                    &own
                }
            };
            (Some(authority.ca_pem().to_owned()), acceptors(config, tls, authority)?)
        }
    };
    let (listeners, address) = bind(config.listen, config.accept_loops)?;
    let held = if site.outages().is_empty() { None } else { Some(hold(address)?) };
    let (stop, stopped) = watch::channel(false);
    let (epoch, begun) = watch::channel(Epoch { began: None, compression: 1.0 });
    let clock = Clock(begun);
    let mut acceptors = acceptors.into_iter();
    let (changes, tls) = acceptors.next().map(|(_, first)| watch::channel(first)).unzip();
    let mut changes = changes.map(|tls| (tls, acceptors.collect::<Vec<_>>()));
    // Built before the threads: dropped on an error below, it stops those that run already.
    let places = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
    let mut running =
        Running { address, ca_pem, stop, epoch, places, _held: held, loops: Vec::new(), counters: Vec::new(), log };
    for (number, listener) in listeners.into_iter().enumerate() {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(TargetError::AcceptLoop)?;
        let counters = Counters::new();
        running.counters.push(Arc::clone(&counters));
        let shared = Shared {
            site: Arc::clone(&site),
            counters,
            tls: tls.clone(),
            log: running.log.as_ref().and_then(AccessLog::sender),
            clock: clock.clone(),
            stop: stopped.clone(),
            places: Arc::clone(&running.places),
        };
        // The first loop carries the others' changes out as well: a change of TLS is one value for all.
        if let Some((tls, changes)) = changes.take() {
            runtime.spawn(change(clock.clone(), tls, changes));
        }
        let thread = thread::Builder::new().name(format!("target-{number}"));
        let joined = thread
            .spawn(move || {
                gauge::runs_here(&shared.counters);
                run(runtime, listener, shared, GRACE);
            })
            .map_err(TargetError::AcceptLoop)?;
        running.loops.push(joined);
    }
    Ok(running)
}

/// What the target shows, from which moment on: as it starts, then after each event that concerns TLS. Made now: a
/// key takes its time.
fn acceptors(
    config: &EmbeddedTarget,
    tls: &TargetTls,
    authority: &Authority,
) -> Result<Vec<(Moment, TlsAcceptor)>, TargetError> {
    let mut sessions = session_store(tls);
    let mut acceptors = vec![(Moment::ZERO, TlsAcceptor::from(authority.server_config(tls, &sessions)?))];
    let mut current: Option<Authority> = None;
    for event in &config.events {
        match event.what {
            // A new configuration has new ticket keys; the table of sessions is another matter.
            Befalls::RotateTicketKeys => {}
            Befalls::SwapCertificate(Swap::Renewed) => current = Some(current.as_ref().unwrap_or(authority).renewed()?),
            Befalls::SwapCertificate(Swap::OtherCa) => current = Some(Authority::other(tls, config.listen.ip())?),
            Befalls::RenameRealm(_) | Befalls::Down(_) | Befalls::ChangePasswords(_) => continue,
        }
        if matches!(event.what, Befalls::SwapCertificate(_)) {
            sessions = session_store(tls);
        }
        let shown = current.as_ref().unwrap_or(authority);
        acceptors.push((event.at, TlsAcceptor::from(shown.server_config(tls, &sessions)?)));
    }
    Ok(acceptors)
}

/// Shows each at its moment.
async fn change(clock: Clock, tls: watch::Sender<TlsAcceptor>, changes: Vec<(Moment, TlsAcceptor)>) {
    for (at, acceptor) in changes {
        clock.clone().until(at).await;
        tls.send_replace(acceptor);
    }
    // The last one stays while anybody looks.
    tls.closed().await;
}

impl Running {
    /// Phone time begins now, `compression` phone seconds a real one: nonces live by it, events come by it. Once it
    /// has begun, this does nothing.
    pub fn begin(&self, compression: f64) {
        self.epoch.send_if_modified(|epoch| {
            let begins = epoch.began.is_none();
            if begins {
                *epoch = Epoch { began: Some(now()), compression };
            }
            begins
        });
    }

    /// From now on no more connections than that are open at once; others wait, where the system keeps them, until one
    /// has ended. To be said once. A target in its phones' process shares their files with them: what they have closed
    /// stays open here until a loop comes to it.
    pub fn bound(&self, most: usize) {
        self.places.forget_permits(Semaphore::MAX_PERMITS.saturating_sub(most.max(1)));
    }

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

    /// Tells what its threads have used so far, and of that, what its handshakes took; 0 where the system does not say.
    pub fn gauge(&self) -> impl FnMut() -> TargetReading + Send + 'static {
        gauge::of(self.counters.clone())
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
