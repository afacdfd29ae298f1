//! `[tls]`, `[fleet.tls]`, `[target.embedded.tls]`.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use super::Meaning;
use crate::phone::{Chance, Fleet};
use crate::workload::file::{DeviceCertificatesSection, EmbeddedTlsSection, File, TlsSection};
use crate::workload::locate::{KeyPath, key};
use crate::workload::quantity::{Count, Share};
use crate::workload::tls::left_out;
use crate::workload::{
    ClientCertificates, DeviceCertificates, Group, Resumption, Suite, TargetTls, TlsPlan, TlsSetup, TlsVersions,
};

/// Gives every fleet what `[tls]` says where the fleet says nothing; returns what each said itself.
pub(super) fn inherit(file: &mut File) -> Vec<TlsSection> {
    let all = &file.tls;
    let inherit = |own: &mut TlsSection| {
        let whole = own.or(all);
        std::mem::replace(own, whole)
    };
    file.fleet.iter_mut().map(|fleet| inherit(&mut fleet.tls)).collect()
}

/// Where a key of a fleet's TLS was said: by the fleet itself, or for all.
struct Said<'a> {
    fleet: usize,
    own: &'a TlsSection,
}

impl Said<'_> {
    fn at(&self, key: &str) -> KeyPath {
        let own = match key {
            "suites" => self.own.suites.is_some(),
            "groups" => self.own.groups.is_some(),
            "resumption-share" => self.own.resumption_share.is_some(),
            "tickets-kept" => self.own.tickets_kept.is_some(),
            _ => self.own.device_certificates.is_some(),
        };
        if own { key!["fleet", self.fleet, "tls", key] } else { key!["tls", key] }
    }
}

impl Meaning<'_> {
    /// What each fleet's TLS does; says the families' own ways in the file. `said` is what the fleets said themselves.
    pub(super) fn tls(&mut self, file: &mut File, said: &[TlsSection], fleets: &[Arc<Fleet>]) -> TlsPlan {
        let mut plan = TlsPlan { verify: true, chance: Chance::new(file.seed), fleets: Vec::new() };
        for (n, (typed, own)) in file.fleet.iter_mut().zip(said).enumerate() {
            // If one cannot be made out, that has been told, and the others are not in their places.
            let fleet = fleets.get(n).filter(|_| fleets.len() == said.len());
            if let Some(fleet) = fleet {
                fill(&mut typed.tls, fleet);
            }
            let setup = self.setup(&typed.tls, &Said { fleet: n, own });
            plan.fleets.push((fleet.map_or(0, |fleet| fleet.first), setup));
        }
        plan
    }

    fn setup(&mut self, typed: &TlsSection, said: &Said<'_>) -> TlsSetup {
        let usual = TlsSetup::default();
        let versions = typed.versions.unwrap_or(usual.versions);
        let suites = self.each_once(typed.suites.as_deref(), &said.at("suites"), Suite::name);
        let groups = self.each_once(typed.groups.as_deref(), &said.at("groups"), Group::name);
        for (key, what, right) in left_out(versions, &suites, &groups) {
            self.say(&said.at(key), what, right);
        }
        let tickets_kept = typed.tickets_kept.map_or(TlsSetup::TICKETS_KEPT as u64, |count| count.0);
        if !(1..=TlsSetup::MOST_TICKETS_KEPT as u64).contains(&tickets_kept) {
            let right = format!("1 to {}; for none, set resumption = \"never\"", TlsSetup::MOST_TICKETS_KEPT);
            self.say(&said.at("tickets-kept"), format!("is {tickets_kept}"), right);
        }
        let share = typed.resumption_share.unwrap_or(Share(1.0));
        TlsSetup {
            versions,
            suites,
            groups: if groups.is_empty() { usual.groups } else { groups },
            resumption: typed.resumption.unwrap_or(usual.resumption),
            resumption_share: self.share(&said.at("resumption-share"), share.0),
            sessions_lost_at_reboot: typed.sessions_lost_at_reboot.unwrap_or(usual.sessions_lost_at_reboot),
            tickets_kept: usize::try_from(tickets_kept).unwrap_or(TlsSetup::MOST_TICKETS_KEPT),
            sni: typed.sni.unwrap_or(usual.sni),
            name_check: typed.name_check.unwrap_or(usual.name_check),
            device_certificates: self.device_certificates(typed, said),
        }
    }

    /// A list in which nothing stands twice; what was not given is empty.
    fn each_once<T: Copy + Eq + Hash>(
        &mut self,
        typed: Option<&[T]>,
        at: &KeyPath,
        name: fn(T) -> &'static str,
    ) -> Vec<T> {
        let Some(list) = typed else { return Vec::new() };
        if list.is_empty() {
            self.say(at, "names none", "leave it out for the usual ones");
        }
        let mut seen = HashSet::new();
        if let Some(twice) = list.iter().find(|one| !seen.insert(**one)) {
            self.say(at, format!("names `{}` twice", name(*twice)), "name each once, the most wanted first");
        }
        list.to_vec()
    }

    fn device_certificates(&mut self, typed: &TlsSection, said: &Said<'_>) -> Option<DeviceCertificates> {
        match typed.device_certificates.as_ref()? {
            DeviceCertificatesSection::None => None,
            DeviceCertificatesSection::Derived => Some(DeviceCertificates::Derived),
            DeviceCertificatesSection::DerivedBy(folder) => Some(DeviceCertificates::DerivedBy(self.base.join(folder))),
            DeviceCertificatesSection::Folder(folder) => {
                let folder = self.base.join(folder);
                if !folder.is_dir() {
                    let right =
                        "paths are relative to the workload file; name a folder with <mac>.pem or <extension>.pem";
                    let what = format!("there is no folder {}", folder.display());
                    self.say(&said.at("device-certificates").then("folder"), what, right);
                }
                Some(DeviceCertificates::Folder(folder))
            }
        }
    }

    /// The embedded target's TLS.
    pub(super) fn embedded_tls(&mut self, typed: &EmbeddedTlsSection, at: &KeyPath) -> TargetTls {
        let client_ca = typed.client_ca.as_ref().map(|file| self.base.join(file));
        if let Some(file) = &client_ca {
            if !file.is_file() {
                let right = "paths are relative to the workload file; name a PEM file with CA certificates";
                self.say(&at.then("client-ca"), format!("there is no file {}", file.display()), right);
            }
            if typed.client_certificates == ClientCertificates::None {
                let right = "set client-certificates to \"asked\" or \"demanded\"";
                self.say(&at.then("client-ca"), "clients are not asked for certificates", right);
            }
        }
        let tls = TargetTls {
            versions: typed.versions,
            suites: self.each_once(typed.suites.as_deref(), &at.then("suites"), Suite::name),
            groups: self.each_once(Some(&typed.groups), &at.then("groups"), Group::name),
            tickets: typed.tickets,
            sessions: typed.sessions,
            key: typed.key,
            chain_depth: typed.chain_depth,
            ocsp_staple: typed.ocsp_staple,
            client_certificates: typed.client_certificates,
            client_ca,
        };
        for (key, what, right) in tls.problems() {
            self.say(&at.then(key), what, right);
        }
        tls
    }
}

/// Says what nobody said, but for what is left to the build and to the family.
fn fill(typed: &mut TlsSection, fleet: &Fleet) {
    let usual = TlsSetup::default();
    let by_family = if fleet.family.speaks_tls_1_3() { TlsVersions::Both } else { TlsVersions::Only12 };
    typed.versions.get_or_insert(by_family);
    typed.groups.get_or_insert(usual.groups);
    let resumption = *typed.resumption.get_or_insert(usual.resumption);
    if resumption == Resumption::PerPhone {
        typed.resumption_share.get_or_insert(Share(usual.resumption_share));
        typed.sessions_lost_at_reboot.get_or_insert(usual.sessions_lost_at_reboot);
        typed.tickets_kept.get_or_insert(Count(usual.tickets_kept as u64));
    }
    typed.sni.get_or_insert(usual.sni);
    typed.name_check.get_or_insert(fleet.family.checks_names());
}
