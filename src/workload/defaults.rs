//! Defaults that depend on other values: filled in before anything is checked, so that the effective workload
//! says them too.

use std::time::Duration;

use crate::auth::Algorithm;

use super::file::{AuthSection, File, OfferName, OnOff, Until};
use super::quantity::{Count, Time};
use super::{Likeness, Offer};

/// Fills in what follows from something else; `stem` is the file's name without folder and `.toml`.
pub(crate) fn fill(file: &mut File, stem: &str) {
    let keep = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    file.name.get_or_insert_with(|| stem.chars().map(keep).collect());
    if file.run.duration.is_none() {
        file.run.until.get_or_insert(Until::Settled);
    }
    let mut realm = None;
    if let Some(OnOff::On(embedded)) = &mut file.target.embedded {
        fill_auth(&mut embedded.auth, embedded.likeness);
        let queue = embedded.likeness.usual_queue().map(|requests| Count(requests as u64));
        embedded.work.queue = embedded.work.queue.or(queue);
        realm = Some(embedded.auth.realm.clone());
    }
    for fleet in &mut file.fleet {
        fleet.name = fleet.name.take().or_else(|| fleet.family.clone());
        fleet.credentials.realm = fleet.credentials.realm.take().or_else(|| realm.clone());
    }
    let fleets: Vec<String> = file.fleet.iter().filter_map(|f| f.name.clone()).collect();
    for phase in &mut file.phase {
        phase.name = phase.name.take().or_else(|| phase.does.map(|does| does.name().to_owned()));
        phase.fleets.get_or_insert_with(|| fleets.clone());
    }
}

fn fill_auth(auth: &mut AuthSection, likeness: Likeness) {
    auth.offers.get_or_insert_with(|| likeness.usual_offers().iter().copied().map(OfferName).collect());
    auth.nonce_lifetime.get_or_insert(Time(likeness.nonce_lifetime()));
    auth.userhash.get_or_insert(likeness.usual_userhash());
}

impl Likeness {
    /// What a server of this kind offers as a rule. Sources: traces of IIS 10; Apache's mod_auth_digest knows MD5
    /// only; nginx has Basic only; lighttpd names the strongest first; for `strict`, RFC 7616 3.7.
    pub const fn usual_offers(self) -> &'static [Offer] {
        match self {
            Likeness::Iis => &[Offer::Digest(Algorithm::Md5Sess)],
            Likeness::Apache => &[Offer::Digest(Algorithm::Md5)],
            Likeness::Nginx => &[Offer::Basic],
            Likeness::Lighttpd | Likeness::Strict => &[Offer::Digest(Algorithm::Sha256), Offer::Digest(Algorithm::Md5)],
        }
    }

    /// How long its nonces live as a rule. Sources: Apache 300 s, lighttpd 600 s (tried); the others are assumed to be
    /// like Apache.
    pub const fn nonce_lifetime(self) -> Duration {
        match self {
            Likeness::Lighttpd => Duration::from_secs(600),
            _ => Duration::from_secs(300),
        }
    }

    /// How many requests wait for its workers as a rule; none: any number. Source: IIS's kernel queue of 1,000 (seen).
    pub const fn usual_queue(self) -> Option<usize> {
        match self {
            Likeness::Iis => Some(1_000),
            _ => None,
        }
    }

    /// Whether its challenges offer `userhash` as a rule: only where the RFC is taken to the letter.
    pub const fn usual_userhash(self) -> bool {
        matches!(self, Likeness::Strict)
    }
}
