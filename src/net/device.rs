//! The phones' own certificates, each phone its own: made or read when it first needs one, before its handshake.
//!
//! rustls asks one resolver per configuration. Which phone is asking is read from the thread-local of
//! [`super::session`], as for sessions.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rcgen::{PKCS_ECDSA_P256_SHA256, date_time_ymd};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::session::current_phone;
use super::verifier::note_presented;
use super::{DeviceCa, NetError};
use crate::phone::{AttributeKind, Fleet, Identity};
use crate::workload::{DeviceCertificates, TlsPlan};

/// Where the certificates of a run's phones come from. Shared by all shards.
pub struct Devices {
    /// The fleets that have some, each with where from.
    fleets: Vec<(Arc<Fleet>, Arc<Source>)>,
    /// Whether somebody has been told that a file is missing or unfit.
    told: AtomicBool,
}

enum Source {
    Issued(Box<DeviceCa>),
    Folder(PathBuf),
}

impl Source {
    fn of(wanted: &DeviceCertificates) -> Result<Source, NetError> {
        Ok(match wanted {
            DeviceCertificates::Derived => Source::Issued(Box::new(DeviceCa::new()?)),
            DeviceCertificates::DerivedBy(folder) => Source::Issued(Box::new(DeviceCa::kept_in(folder)?)),
            DeviceCertificates::Folder(folder) => Source::Folder(folder.clone()),
        })
    }
}

impl Devices {
    /// The certificates of these fleets, as the plan says; none if no fleet has any. Makes the CA, not the certificates.
    ///
    /// # Errors
    /// [`NetError::DeviceCa`]: the CA cannot be made, or its folder cannot be used.
    pub fn of(plan: &TlsPlan, fleets: &[Arc<Fleet>]) -> Result<Option<Arc<Devices>>, NetError> {
        let mut sources: Vec<(&DeviceCertificates, Arc<Source>)> = Vec::new();
        let mut having = Vec::new();
        for (fleet, (_, setup)) in fleets.iter().zip(&plan.fleets) {
            let Some(wanted) = &setup.device_certificates else { continue };
            let known = sources.iter().find(|(other, _)| *other == wanted).map(|(_, source)| Arc::clone(source));
            let source = match known {
                Some(source) => source,
                None => {
                    let source = Arc::new(Source::of(wanted)?);
                    sources.push((wanted, Arc::clone(&source)));
                    source
                }
            };
            having.push((Arc::clone(fleet), source));
        }
        let devices = || Arc::new(Devices { fleets: having, told: AtomicBool::new(false) });
        Ok((!sources.is_empty()).then(devices))
    }

    /// Whether phone `index` is of a fleet that has certificates.
    fn has(&self, index: u32) -> bool {
        self.fleets.iter().any(|(fleet, _)| fleet.contains(index))
    }

    /// What phone `index` presents, made or read now; none if it has none.
    fn certified(&self, index: u32, provider: &CryptoProvider) -> Option<CertifiedKey> {
        let (fleet, source) = self.fleets.iter().find(|(fleet, _)| fleet.contains(index))?;
        let who = fleet.identity(index);
        let found = match &**source {
            Source::Issued(ca) => issue(ca, fleet, &who),
            Source::Folder(folder) => read(folder, &who),
        };
        let certified = found.and_then(|(chain, key)| {
            let key = provider.key_provider.load_private_key(key).map_err(|e| e.to_string())?;
            Ok(CertifiedKey::new(chain, key))
        });
        certified.map_err(|why| self.tell(&who, &why)).ok()
    }

    /// Once is enough: a fleet without files would fill the screen.
    fn tell(&self, who: &Identity, why: &str) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!("phone {} presents no certificate: {why} (others are not told)", who.extension);
        }
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Devices").field("fleets", &self.fleets.len()).finish_non_exhaustive()
    }
}

type Presented = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A P-256 key of the phone's own and a certificate for it with the family's subject.
fn issue(ca: &DeviceCa, fleet: &Fleet, who: &Identity) -> Result<Presented, String> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|e| e.to_string())?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for attribute in fleet.family.subject(who) {
        let kind = match attribute.kind {
            AttributeKind::CommonName => DnType::CommonName,
            AttributeKind::OrganizationalUnit => DnType::OrganizationalUnitName,
            AttributeKind::Locality => DnType::LocalityName,
            // X.520 surname
            AttributeKind::Surname => DnType::CustomDnType(vec![2, 5, 4, 4]),
        };
        params.distinguished_name.push(kind, attribute.value);
    }
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2049, 12, 31);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, ca.issuer()).map_err(|e| e.to_string())?;
    Ok((vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

/// `<mac>.pem`, else `<extension>.pem`: certificates and key in one file.
fn read(folder: &Path, who: &Identity) -> Result<Presented, String> {
    let names = [&who.mac, &who.extension].map(|name| format!("{name}.pem"));
    let file = names.iter().map(|name| folder.join(name)).find(|file| file.is_file());
    let file = file.ok_or_else(|| format!("there is neither {} nor {} in {}", names[0], names[1], folder.display()))?;
    let unfit = |what: &str| format!("{} {what}", file.display());
    let pem = fs::read(&file).map_err(|e| unfit(&format!("cannot be read: {e}")))?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().map_err(|_| unfit("is not PEM"))?;
    if chain.is_empty() {
        return Err(unfit("has no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unfit("has no private key in it"))?;
    Ok((chain, key))
}

/// The certificates of a shard's phones, ready for their handshakes. Bounded; the phone that came first gives way.
pub(super) struct PhoneCertificates {
    devices: Arc<Devices>,
    provider: Arc<CryptoProvider>,
    // rustls wants the resolver to be `Sync`; a shard has it to itself, so the lock is never waited for.
    shelf: Mutex<Shelf>,
    most_phones: usize,
}

#[derive(Default)]
struct Shelf {
    phones: HashMap<u32, Option<Arc<CertifiedKey>>>,
    order: VecDeque<u32>,
}

impl PhoneCertificates {
    /// None ready yet, for at most `most_phones` phones (at least one).
    pub(super) fn new(devices: Arc<Devices>, provider: Arc<CryptoProvider>, most_phones: usize) -> PhoneCertificates {
        PhoneCertificates { devices, provider, shelf: Mutex::default(), most_phones: most_phones.max(1) }
    }

    /// Makes or reads the certificate of phone `index`, unless that has been done: what it costs is no part of a
    /// handshake.
    pub(super) fn prepare(&self, index: u32) {
        if !self.devices.has(index) || self.shelf().phones.contains_key(&index) {
            return;
        }
        let certified = self.devices.certified(index, &self.provider).map(Arc::new);
        let mut shelf = self.shelf();
        while shelf.phones.len() >= self.most_phones {
            let Some(first) = shelf.order.pop_front() else { break };
            shelf.phones.remove(&first);
        }
        shelf.phones.insert(index, certified);
        shelf.order.push_back(index);
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PhoneCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneCertificates").field("phones", &self.shelf().phones.len()).finish_non_exhaustive()
    }
}

impl ResolvesClientCert for PhoneCertificates {
    /// Which CAs the server names does not matter: a phone has one certificate, and presents it.
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certified = self.shelf().phones.get(&current_phone()?).cloned().flatten()?;
        // Without a scheme in common rustls presents nothing.
        if certified.key.choose_scheme(schemes).is_some() {
            note_presented();
        }
        Some(certified)
    }

    fn has_certs(&self) -> bool {
        true
    }
}
