//! The server scenarios are played against: the way there, its TLS, and what was left behind on it.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::UnixTime;
use tokio::runtime::Runtime;

use crate::auth::Commons;
use crate::net::look::{self, Judged, Offer, Seen};
use crate::net::{Addresses, NetError, Trust};
use crate::phone::{Chance, Failure, Origin, SettingsError};
use crate::workload::{DeviceCertificates, Timeouts, TlsVersions};

/// Everything scenarios need to know of the server and the way there.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The server.
    pub origin: Arc<Origin>,
    /// Folder before every path; no trailing slash.
    pub base: String,
    /// Where it is: loopback, all of it.
    pub addresses: Addresses,
    /// The CA certificates the phones trust.
    pub trust: Trust,
    /// How long what may take.
    pub timeouts: Timeouts,
    /// The phones' own certificates, if they have any.
    pub device_certificates: Option<DeviceCertificates>,
    /// Where all chance comes from.
    pub seed: u64,
}

/// Why nothing can be played.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The network.
    #[error(transparent)]
    Net(#[from] NetError),
    /// A family does not take its settings.
    #[error("settings of {family}: {error}")]
    Settings {
        /// The family.
        family: &'static str,
        /// What it says.
        error: SettingsError,
    },
}

/// The server, looked at once.
#[derive(Debug)]
pub struct Lab<'a> {
    /// The server.
    pub ground: &'a Ground,
    pub(super) runtime: &'a Runtime,
    pub(super) chance: Chance,
    pub(super) commons: Commons,
    /// The first address that takes a connection, or why none does.
    pub address: Result<SocketAddr, Failure>,
    /// What a look at its TLS showed, under TLS.
    pub tls: Option<Seen>,
    /// What is to be said of its certificate.
    pub judged: Option<Judged>,
    /// What was written and must go.
    litter: RefCell<Vec<String>>,
}

impl<'a> Lab<'a> {
    /// Looks at the server: whether it can be reached, and at its TLS.
    ///
    /// # Errors
    /// [`NetError`] if the host can be no name.
    pub fn new(ground: &'a Ground, runtime: &'a Runtime, now: UnixTime) -> Result<Lab<'a>, LabError> {
        let mut lab = Lab {
            ground,
            runtime,
            chance: Chance::new(ground.seed),
            commons: Commons::default(),
            address: Err(Failure::ConnectUnreachable),
            tls: None,
            judged: None,
            litter: RefCell::default(),
        };
        for address in lab.addresses() {
            match runtime.block_on(look::reach(address, &ground.timeouts)) {
                Ok(()) => {
                    lab.address = Ok(address);
                    break;
                }
                Err(failure) => lab.address = Err(failure),
            }
        }
        if let (true, Ok(address)) = (ground.origin.tls, lab.address) {
            let seen = lab.look(address, TlsVersions::Both, &[])?;
            if seen.has_chain() {
                lab.judged = Some(seen.judge(&ground.trust, &ground.origin, now));
            }
            lab.tls = Some(seen);
        }
        Ok(lab)
    }

    /// All addresses of the server.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.ground.addresses.of(&self.ground.origin).unwrap_or_default().to_vec()
    }

    /// A look at the server's TLS.
    ///
    /// # Errors
    /// As [`look::look`].
    pub fn look(&self, address: SocketAddr, versions: TlsVersions, suites: &[&'static str]) -> Result<Seen, NetError> {
        let offer = Offer { versions, suites: suites.to_vec() };
        self.runtime.block_on(look::look(&self.ground.origin, address, &offer, &self.ground.timeouts))
    }

    /// A connection to the address, and no more.
    ///
    /// # Errors
    /// How it failed.
    pub fn reach(&self, address: SocketAddr) -> Result<(), Failure> {
        self.runtime.block_on(look::reach(address, &self.ground.timeouts))
    }

    /// Why no phone gets as far as a request, if none does.
    pub fn blocked(&self) -> Option<Failure> {
        if let Err(failure) = self.address {
            return Some(failure);
        }
        let tls = self.tls.as_ref()?;
        // A look shows no certificate; phones that have some may still get in.
        let may_show = tls.asked_for_certificate && self.ground.device_certificates.is_some();
        if let (Err(failure), false) = (&tls.handshake, may_show) {
            return Some(*failure);
        }
        let judged = self.judged.as_ref()?;
        if judged.trusted.is_err() {
            return Some(Failure::TlsUnknownCa);
        }
        if judged.valid_now.as_ref().is_some_and(Result::is_err) {
            return Some(Failure::TlsExpired);
        }
        judged.names_it.as_ref().is_some_and(Result::is_err).then_some(Failure::TlsWrongName)
    }

    /// What was written and could not be taken away again.
    pub fn litter(&self) -> Vec<String> {
        self.litter.borrow().clone()
    }

    /// Notes something that may have been written and must go.
    pub(super) fn note_litter(&self, path: &str) {
        let mut litter = self.litter.borrow_mut();
        if !litter.iter().any(|p| p == path) {
            litter.push(path.to_owned());
        }
    }

    /// What was noted, which is then noted no more.
    pub(super) fn take_litter(&self) -> Vec<String> {
        std::mem::take(&mut *self.litter.borrow_mut())
    }
}
