//! Who is asking: Basic and Digest, really verified, in the manner of each likeness.
//!
//! ```text
//! no credentials needed ──────────────────────────────► Anonymous
//! none sent, of a scheme not offered, wrong ──────────► Challenged
//! right, but the nonce too old, unknown or replayed ──► Challenged (stale)
//! not to be read, for another URI ────────────────────► Refused
//! right ──────────────────────────────────────────────► User
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use rand::RngCore;

use super::challenge::{self, DigestWords};
use super::likeness::{DigestManners, Info, manners};
use super::{Accounts, FilePath, TargetError};
use crate::auth::digest::{Ha1, Qop, SessionKey, UserhashIndex};
use crate::auth::{
    Algorithm, AnswerUser, Authorization, Charset, Credentials, DigestAnswer, NonceVerdict, Nonces, Replay,
};
use crate::phone::{Chance, ContentHash, Moment, Purpose};
use crate::workload::{Befalls, CONSENT, Likeness, Offer, Protects, TargetAuth, TargetEvent};

/// Locks around the nonce counts, so that accept loops seldom meet.
const SHARDS: usize = 64;
/// Nonces whose counts are kept, over all shards: more phones than that within one nonce's life go stale.
const COUNTED: usize = 4 << 20;
/// The draw for the key of the nonces and for `opaque`, apart from those for single nonces.
const KEY_PHONE: u32 = u32::MAX;

/// What a request turned out to be.
#[derive(Debug)]
pub(crate) enum Admission {
    /// It needed no credentials.
    Anonymous,
    /// This user, with right credentials.
    User(User),
    /// 401: the challenges, one header line each.
    Challenged(Vec<HeaderValue>),
    /// Refused outright, without a challenge.
    Refused(StatusCode),
}

/// A user with right credentials.
#[derive(Debug)]
pub(crate) struct User {
    /// The name.
    pub(crate) name: Arc<str>,
    proof: Option<Proof>,
}

#[derive(Debug)]
struct Proof {
    answer: Box<DigestAnswer>,
    key: SessionKey,
    next_nonce: Option<String>,
    info: Info,
}

impl User {
    /// The `Authentication-Info` of the answer with this body, where the likeness sends one.
    pub(crate) fn info(&self, body: &[u8]) -> Option<HeaderValue> {
        let proof = self.proof.as_ref()?;
        match proof.info {
            Info::Nothing => None,
            Info::NextNonce(_) => HeaderValue::try_from(format!("nextnonce=\"{}\"", proof.next_nonce.as_ref()?)).ok(),
            Info::Proof(_) => Some(proof.answer.info(&proof.key, body, proof.next_nonce.as_deref())),
        }
    }
}

/// What of a request counts for authentication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    /// The method.
    pub(crate) method: &'a Method,
    /// The request target.
    pub(crate) uri: &'a Uri,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body: it counts under auth-int.
    pub(crate) body: &'a [u8],
}

/// The doorkeeper of a site.
#[derive(Debug)]
pub(crate) struct Authenticator {
    likeness: Likeness,
    auth: TargetAuth,
    /// One after another, each from its moment on; the first from the beginning.
    realms: Vec<Realm>,
    accounts: Accounts,
    /// Shares of users whose password is changed, each from its moment on.
    changes: Vec<(Moment, f64)>,
    chance: Chance,
    issued: AtomicU64,
    /// Issues and judges without a lock.
    nonces: Nonces,
    /// Notes nonce counts; same key, so that each knows the nonces of all.
    counts: Vec<Mutex<Nonces>>,
    opaque: String,
}

/// A realm, from a moment on.
#[derive(Debug)]
struct Realm {
    from: Moment,
    name: String,
    basic: HeaderValue,
    /// Users by userhash, per hash function; made when first needed.
    userhashes: [OnceLock<UserhashIndex>; 3],
}

impl Realm {
    fn new(likeness: Likeness, from: Moment, name: &str) -> Result<Realm, TargetError> {
        let refuse = || TargetError::Realm(name.to_owned());
        if name.chars().any(char::is_control) {
            return Err(refuse());
        }
        let basic = challenge::basic(likeness, name).ok_or_else(refuse)?;
        Ok(Realm { from, name: name.to_owned(), basic, userhashes: Default::default() })
    }
}

impl Authenticator {
    pub(crate) fn new(
        likeness: Likeness,
        auth: TargetAuth,
        events: &[TargetEvent],
        accounts: Accounts,
        chance: Chance,
    ) -> Result<Authenticator, TargetError> {
        let mut realms = vec![Realm::new(likeness, Moment::ZERO, &auth.realm)?];
        let mut changes = Vec::new();
        for event in events {
            match &event.what {
                Befalls::RenameRealm(name) => realms.push(Realm::new(likeness, event.at, name)?),
                Befalls::ChangePasswords(share) => changes.push((event.at, *share)),
                Befalls::Down(_) | Befalls::RotateTicketKeys | Befalls::SwapCertificate(_) => {}
            }
        }
        let mut draw = chance.draw(KEY_PHONE, Purpose::ServerNonce, 0);
        let mut key = [0; 32];
        draw.fill_bytes(&mut key);
        let opaque = format!("{:016x}", draw.next_u64());
        // A small table is one table: shards of it would hold none.
        let shards = if auth.nonce_table.is_some_and(|most| most < COUNTED) { 1 } else { SHARDS };
        let capacity = auth.nonce_table.unwrap_or(COUNTED) / shards;
        let replay = match manners(likeness).digest.refuses_replay || auth.nonce_table.is_some() {
            true => Replay::Counted { capacity },
            false => Replay::Ignored,
        };
        let nonces = Nonces::new(challenge::nonce_shape(likeness), auth.nonce_lifetime, key, replay);
        let counts = (0..shards).map(|_| Mutex::new(nonces.clone())).collect();
        let issued = AtomicU64::new(0);
        Ok(Authenticator { likeness, auth, realms, accounts, changes, chance, issued, nonces, counts, opaque })
    }

    /// Who is asking for this path; `None` for a request that names no file (`OPTIONS *`).
    pub(crate) fn admit(&self, now: Moment, path: Option<&FilePath>, claim: Claim<'_>) -> Admission {
        if self.auth.offers.is_empty() || !self.is_protected(claim.method, path) {
            return Admission::Anonymous;
        }
        let mut lines = claim.headers.get_all(AUTHORIZATION).iter();
        let (line, more) = (lines.next(), lines.next());
        let Some(line) = line else {
            return self.challenge(now, false);
        };
        if more.is_some() {
            return Admission::Refused(StatusCode::BAD_REQUEST);
        }
        match Authorization::parse(line.as_bytes()) {
            Ok(Authorization::Basic(credentials)) => self.basic(now, &credentials),
            Ok(Authorization::Digest(answer)) => self.digest(now, claim, answer),
            Ok(Authorization::Other(_)) => self.challenge(now, false),
            Err(_) => match self.manners().malformed {
                StatusCode::UNAUTHORIZED => self.challenge(now, false),
                status => Admission::Refused(status),
            },
        }
    }

    fn is_protected(&self, method: &Method, path: Option<&FilePath>) -> bool {
        let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
        // Who asks for consent is no phone yet, and has no account.
        if reads && path.is_some_and(|p| CONSENT.strip_prefix('/') == Some(p.as_str())) {
            return false;
        }
        match self.auth.protects {
            Protects::Everything => true,
            Protects::Writes => !reads,
            Protects::AllButSettings => !(reads && path.is_some_and(|p| is_settings(p.name()))),
        }
    }

    fn basic(&self, now: Moment, credentials: &Credentials) -> Admission {
        let offered = self.auth.offers.contains(&Offer::Basic) && !self.is_locked_out(now, credentials.user());
        if offered && self.accounts.is_right(credentials.user(), credentials.password()) {
            Admission::User(User { name: credentials.user().into(), proof: None })
        } else {
            self.challenge(now, false)
        }
    }

    fn digest(&self, now: Moment, claim: Claim<'_>, answer: Box<DigestAnswer>) -> Admission {
        let manners = self.manners();
        let at = now.as_micros();
        if !self.is_well_formed(manners, &answer, now) {
            return self.challenge(now, false);
        }
        if !is_same_target(&answer.uri, claim.uri) {
            return Admission::Refused(StatusCode::BAD_REQUEST);
        }
        if manners.stale_first && self.nonces.judge(&answer.nonce, at) != NonceVerdict::Fresh {
            return self.challenge(now, true);
        }
        let Some((name, key)) = self.prove(now, claim, &answer) else {
            return self.challenge(now, false);
        };
        // Only now, or anyone could use up the nonce counts of others.
        match self.take(&answer, at) {
            NonceVerdict::Fresh => {
                let next_nonce = self.next_nonce(manners, &answer, now);
                let proof = Proof { answer, key, next_nonce, info: manners.info };
                Admission::User(User { name, proof: Some(proof) })
            }
            // The secret is right: a new nonce is all it takes (RFC 7616 3.3).
            NonceVerdict::Stale | NonceVerdict::Unknown | NonceVerdict::Replayed => self.challenge(now, true),
        }
    }

    /// Whether the answer is one to the challenge that was sent.
    fn is_well_formed(&self, manners: &DigestManners, answer: &DigestAnswer, now: Moment) -> bool {
        let qop = match answer.qop {
            Qop::Auth => true,
            Qop::AuthInt => self.likeness == Likeness::Strict,
            Qop::Legacy => manners.takes_legacy,
        };
        let opaque = self.likeness != Likeness::Strict || answer.opaque.as_deref() == Some(&self.opaque);
        let offered = self.auth.offers.contains(&Offer::Digest(answer.algorithm()));
        qop && opaque && offered && answer.realm == self.realm(now).name
    }

    /// The user's name and the key of the session, if the answer shows that the sender knows the password.
    fn prove(&self, now: Moment, claim: Claim<'_>, answer: &DigestAnswer) -> Option<(Arc<str>, SessionKey)> {
        let name = match &answer.user {
            AnswerUser::Name(name) => name,
            AnswerUser::Hash(hash) => self.userhashes(now, answer.algorithm()).find(hash)?,
        };
        if self.is_locked_out(now, name) {
            return None;
        }
        let (method, realm) = (claim.method.as_str(), answer.realm_octets());
        self.accounts.passwords(name).find_map(|password| {
            let credentials = Credentials::new(name, &*password);
            // Clients differ in how they encode what is not ASCII, whatever the challenge says.
            let charsets = [Charset::Utf8, Charset::Latin1];
            let password = credentials.password();
            let tries = if name.is_ascii() && password.is_ascii() { &charsets[..1] } else { &charsets };
            tries.iter().find_map(|charset| {
                let key = answer.key(&Ha1::new(answer.algorithm(), *charset, &credentials, &realm))?;
                answer.verify_with(method, claim.body, &key).then(|| (Arc::from(name), key))
            })
        })
    }

    fn take(&self, answer: &DigestAnswer, at: u64) -> NonceVerdict {
        if !self.manners().refuses_replay && self.auth.nonce_table.is_none() {
            return self.nonces.judge(&answer.nonce, at);
        }
        let mut hash = ContentHash::default();
        hash.update(answer.nonce.as_bytes());
        let shard = &self.counts[(hash.finish() % self.counts.len() as u64) as usize];
        // A count is noted in one step: what a panicking thread leaves is sound.
        shard.lock().unwrap_or_else(PoisonError::into_inner).take(&answer.nonce, answer.nc, at)
    }

    fn next_nonce(&self, manners: &DigestManners, answer: &DigestAnswer, now: Moment) -> Option<String> {
        let (Info::NextNonce(margin) | Info::Proof(margin)) = manners.info else {
            return None;
        };
        // A session key is bound to its first nonce; a next one would need the key kept, which no server here does.
        if answer.algorithm().is_session() {
            return None;
        }
        let age = Duration::from_micros(now.as_micros().saturating_sub(self.nonces.issued_at(&answer.nonce)?));
        // With a life shorter than the margin every answer would carry one: the last tenth is enough then.
        let margin = margin.min(self.auth.nonce_lifetime / 10);
        (age + margin > self.auth.nonce_lifetime).then(|| self.issue(now))
    }

    fn challenge(&self, now: Moment, stale: bool) -> Admission {
        let realm = self.realm(now);
        let line = |offer: &Offer| match offer {
            Offer::Basic => Some(realm.basic.clone()),
            // Bare, each on a line of its own [seen].
            Offer::Negotiate => Some(HeaderValue::from_static("Negotiate")),
            Offer::Ntlm => Some(HeaderValue::from_static("NTLM")),
            Offer::Digest(algorithm) => {
                let (nonce, algorithm) = (self.issue(now), *algorithm);
                let (realm, opaque, userhash) = (realm.name.as_str(), self.opaque.as_str(), self.auth.userhash);
                let words = DigestWords { realm, nonce: &nonce, algorithm, stale, opaque, userhash };
                challenge::digest(self.likeness, words)
            }
        };
        Admission::Challenged(self.auth.offers.iter().filter_map(line).collect())
    }

    fn issue(&self, now: Moment) -> String {
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        let chance = self.chance.draw(0, Purpose::ServerNonce, number).next_u64();
        self.nonces.issue(now.as_micros(), chance)
    }

    fn userhashes(&self, now: Moment, algorithm: Algorithm) -> &UserhashIndex {
        let base = algorithm.base();
        let slot = match base {
            Algorithm::Sha256 | Algorithm::Sha256Sess => 1,
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => 2,
            Algorithm::Md5 | Algorithm::Md5Sess => 0,
        };
        let realm = self.realm(now);
        realm.userhashes[slot]
            .get_or_init(|| UserhashIndex::new(base, Charset::Utf8, realm.name.as_bytes(), self.accounts.users()))
    }

    /// The realm at this moment.
    fn realm(&self, now: Moment) -> &Realm {
        let begun = self.realms.partition_point(|realm| realm.from <= now);
        // The first begins at zero, so at least one has begun.
        &self.realms[begun.saturating_sub(1)]
    }

    /// Whether this user's password has been changed by now.
    fn is_locked_out(&self, now: Moment, user: &str) -> bool {
        let begun = self.changes.iter().take_while(|(at, _)| *at <= now);
        begun.enumerate().any(|(number, (_, share))| {
            let mut hash = ContentHash::default();
            hash.update(user.as_bytes());
            let phone = u32::try_from(number).unwrap_or(u32::MAX);
            self.chance.draw(phone, Purpose::ServerPassword, hash.finish()).unit() < *share
        })
    }

    fn manners(&self) -> &'static DigestManners {
        &manners(self.likeness).digest
    }
}

/// Files that phones fetch without credentials before they know any: upgrade scripts, settings, firmware, languages
/// and certificates \[assumed\].
fn is_settings(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    match extension {
        "txt" | "scr" => stem.ends_with("upgrade") || stem.ends_with("settings") || stem.starts_with("mlf_"),
        "tar" | "bin" | "loads" | "sgn" | "pem" | "crt" | "cer" | "der" => true,
        _ => false,
    }
}

/// Whether the `uri` of an answer is the request's (RFC 7616 3.4.6): the same text, or an absolute form of it.
fn is_same_target(claimed: &str, asked: &Uri) -> bool {
    let target = asked.path_and_query().map_or("", |p| p.as_str());
    if claimed == target {
        return true;
    }
    let path = claimed.split_once("://").map_or(claimed, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    path == target
}
