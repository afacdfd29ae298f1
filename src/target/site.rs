//! The site: a request and the time go in, the response comes out. No socket, no clock.
//!
//! The order in which a request is judged: the path can be read → the body is not too large (some servers ask for
//! credentials first) → the method is known → credentials → the method is allowed → the file.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION, SERVER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};

use super::authenticate::{Admission, Authenticator, Claim, User};
use super::likeness::{Manners, MissingParent, Post, manners};
use super::page::{overload_page, page};
use super::store::MEMORY_CAPACITY;
use super::work::Workbench;
use super::{
    Accounts, Document, Documents, FilePath, Former, Found, Mishap, Patience, Served, Store, StoreError, TargetError,
};
use crate::phone::{Chance, Fleet, Moment, Purpose};
use crate::workload::{Befalls, EmbeddedTarget, Faults, Likeness, Overload, TargetEvent, Work};

const AUTHENTICATION_INFO: HeaderName = HeaderName::from_static("authentication-info");

/// The files, the accounts and the manners of one target.
#[derive(Debug)]
pub struct Site {
    likeness: Likeness,
    /// The page of a 401, the one refusal that comes by the thousand.
    unauthorized: (&'static str, Bytes),
    patience: Patience,
    body_limit: u64,
    doorkeeper: Authenticator,
    store: Store,
    documents: Documents,
    webdav: bool,
    work: Work,
    bench: Option<Mutex<Workbench>>,
    faults: Faults,
    /// From when until when it is gone.
    outages: Vec<(Moment, Moment)>,
    chance: Chance,
    /// Requests served, for the draws of work and faults.
    served: AtomicU64,
}

/// The user a request was let in as: an extension of the response, for the access log and for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatedUser(pub Arc<str>);

/// A request, with what its body turned out to be.
#[derive(Clone, Copy)]
struct Asked<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    body: &'a [u8],
    too_large: bool,
}

/// A response in the making.
struct Answer {
    status: StatusCode,
    content_type: Option<&'static str>,
    content: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Site {
    /// A site for these fleets: their right credentials, their settings, profiles and (prefilled) backups.
    ///
    /// # Errors
    /// The folder cannot be written to, or the realm cannot stand in a header.
    pub fn for_fleets(config: &EmbeddedTarget, fleets: &[Arc<Fleet>], chance: Chance) -> Result<Site, TargetError> {
        Site::new(config, Accounts::of(fleets), Documents::of(fleets, config.prefilled, chance), chance)
    }

    /// A site with these accounts and documents, that stores in memory, or in the folder the configuration names.
    ///
    /// # Errors
    /// As [`Site::for_fleets`].
    pub fn new(
        config: &EmbeddedTarget,
        accounts: Accounts,
        documents: Documents,
        chance: Chance,
    ) -> Result<Site, TargetError> {
        let store = match &config.folder {
            None => Store::memory(MEMORY_CAPACITY, None),
            Some(folder) => Store::folder(folder)?,
        };
        Ok(Site {
            likeness: config.likeness,
            unauthorized: page(config.likeness, StatusCode::UNAUTHORIZED),
            patience: config.likeness.patience(),
            body_limit: config.body_limit.unwrap_or(manners(config.likeness).body_limit),
            doorkeeper: Authenticator::new(config.likeness, config.auth.clone(), &config.events, accounts, chance)?,
            store,
            documents,
            webdav: config.webdav,
            work: config.work,
            bench: Workbench::new(&config.work).map(Mutex::new),
            faults: config.faults,
            outages: outages(&config.events),
            chance,
            served: AtomicU64::new(0),
        })
    }

    /// The same site with another store.
    pub fn with_store(self, store: Store) -> Site {
        Site { store, ..self }
    }

    /// The same site with another patience than its likeness has.
    pub fn with_patience(self, patience: Patience) -> Site {
        Site { patience, ..self }
    }

    /// Octets of uploads it keeps in memory.
    pub fn kept_in_memory(&self) -> u64 {
        self.store.kept_in_memory()
    }

    /// What it resembles.
    pub fn likeness(&self) -> Likeness {
        self.likeness
    }

    /// Largest body it takes, in octets.
    pub fn body_limit(&self) -> u64 {
        self.body_limit
    }

    /// How long it waits for its peers.
    pub fn patience(&self) -> Patience {
        self.patience
    }

    /// From when until when it is gone, in order.
    pub fn outages(&self) -> &[(Moment, Moment)] {
        &self.outages
    }

    /// What comes of a request that comes `now`, with all that events, work and faults do to it.
    pub fn serve(&self, now: Moment, request: &Request<Bytes>) -> Served {
        if self.outages.iter().any(|(from, until)| (*from..*until).contains(&now)) {
            return Mishap::Refused.into();
        }
        let number = self.served.fetch_add(1, Ordering::Relaxed);
        let mut at = None;
        if let Some(bench) = &self.bench {
            let (least, most) = self.work.service;
            let unit = self.chance.draw(0, Purpose::ServerWork, number).unit();
            let service = least + most.saturating_sub(least).mul_f64(unit);
            // A request is admitted in one step: what a panicking thread leaves is sound.
            match bench.lock().unwrap_or_else(PoisonError::into_inner).admit(now, service) {
                Some(done) => at = Some(done),
                None => return self.overloaded(request),
            }
        }
        let Faults { stall, cut, reset, status, status_code } = self.faults;
        let unit = self.chance.draw(0, Purpose::ServerFault, number).unit();
        let mishap = match unit {
            u if u < stall => Some(Mishap::Stall),
            u if u < stall + cut => Some(Mishap::Cut),
            u if u < stall + cut + reset => return Served { at, ..Mishap::Reset.into() },
            u if u < stall + cut + reset + status => {
                let response = self.dressed(self.refusal(status_code), request.method());
                return Served { at, response, mishap: None };
            }
            _ => None,
        };
        Served { at, response: self.respond(now, request), mishap }
    }

    /// A request that finds the queue full.
    fn overloaded(&self, request: &Request<Bytes>) -> Served {
        if self.work.overload == Overload::Reset {
            return Mishap::Reset.into();
        }
        let (content_type, content) = overload_page(self.likeness);
        let answer =
            Answer { content_type: Some(content_type), content, ..Answer::of(StatusCode::SERVICE_UNAVAILABLE) };
        let mut response = self.dressed(answer.with(CONNECTION, "close"), request.method());
        if self.likeness == Likeness::Iis {
            // IIS's queue is the kernel's, which signs with a name of its own [seen].
            response.headers_mut().insert(SERVER, HeaderValue::from_static("bootstorm (IIS-like HTTPAPI)"));
        }
        response.into()
    }

    /// The response to a request whose body was read whole.
    ///
    /// `now` is the only time there is: nonces live and die by it, and it must not go back. An answer to HEAD has
    /// no body and the `Content-Length` of the one GET would have. `Date` is the shell's to add.
    pub fn respond(&self, now: Moment, request: &Request<Bytes>) -> Response<Bytes> {
        let body = request.body();
        let too_large = body.len() as u64 > self.body_limit;
        let (method, uri, headers) = (request.method(), request.uri(), request.headers());
        self.answer(now, Asked { method, uri, headers, body, too_large })
    }

    /// The response to a request whose body is beyond the limit and was not read: the connection must be closed.
    pub fn respond_unread(&self, now: Moment, head: &Parts) -> Response<Bytes> {
        let asked = Asked { method: &head.method, uri: &head.uri, headers: &head.headers, body: &[], too_large: true };
        self.answer(now, asked)
    }

    fn answer(&self, now: Moment, asked: Asked<'_>) -> Response<Bytes> {
        let mut user = None;
        let answer = self.judge(now, asked, &mut user).unwrap_or_else(|refusal| refusal);
        let info = user.as_ref().filter(|_| answer.status.is_success()).and_then(|u: &User| u.info(&answer.content));
        let mut response = self.dressed(answer, asked.method);
        response.headers_mut().extend(info.map(|info| (AUTHENTICATION_INFO, info)));
        if let Some(user) = user {
            response.extensions_mut().insert(AuthenticatedUser(user.name));
        }
        response
    }

    /// The answer as a response to this method.
    fn dressed(&self, answer: Answer, method: &Method) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(SERVER, HeaderValue::from_static(self.manners().server));
        if let Some(content_type) = answer.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if answer.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(answer.content.len()));
        }
        for (name, value) in answer.headers {
            headers.append(name, value);
        }
        if *method != Method::HEAD {
            *response.body_mut() = answer.content;
        }
        response
    }

    /// The answer, or the refusal that came first.
    fn judge(&self, now: Moment, asked: Asked<'_>, user: &mut Option<User>) -> Result<Answer, Answer> {
        let manners = self.manners();
        let path = if asked.uri.path() == "*" {
            None
        } else {
            Some(FilePath::parse(asked.uri.path()).map_err(|e| self.refusal(e.status()))?)
        };
        if asked.too_large && manners.limit_first {
            return Err(self.refusal(manners.too_large));
        }
        let served = manners.serves(asked.method, self.webdav);
        if served == Err(StatusCode::NOT_IMPLEMENTED) {
            return Err(self.refusal(StatusCode::NOT_IMPLEMENTED));
        }
        let Asked { method, uri, headers, body, .. } = asked;
        match self.doorkeeper.admit(now, path.as_ref(), Claim { method, uri, headers, body }) {
            Admission::Anonymous => {}
            Admission::User(known) => *user = Some(known),
            Admission::Refused(status) => return Err(self.refusal(status)),
            Admission::Challenged(challenges) => {
                let mut answer = self.refusal(StatusCode::UNAUTHORIZED);
                answer.headers.extend(challenges.into_iter().map(|c| (WWW_AUTHENTICATE, c)));
                return Err(answer);
            }
        }
        if asked.too_large {
            return Err(self.refusal(manners.too_large));
        }
        served.map_err(|status| self.not_allowed(status))?;
        if *asked.method == Method::OPTIONS {
            return Ok(Answer::of(StatusCode::OK).with(ALLOW, manners.allow(self.webdav)));
        }
        let path = path.ok_or_else(|| self.refusal(StatusCode::BAD_REQUEST))?;
        self.act(asked, if manners.folds_case && self.store.is_memory() { path.folded() } else { path })
    }

    /// Does to the file what the method says.
    fn act(&self, asked: Asked<'_>, path: FilePath) -> Result<Answer, Answer> {
        let manners = self.manners();
        match (asked.method.as_str(), path.is_folder()) {
            ("GET" | "HEAD" | "DELETE", true) => Err(self.refusal(StatusCode::FORBIDDEN)),
            (_, true) => Err(self.refusal(StatusCode::CONFLICT)),
            ("GET" | "HEAD", false) => self.read(&path),
            ("DELETE", false) => self.delete(&path),
            ("POST", false) => match manners.post {
                Post::Refused => Err(self.not_allowed(StatusCode::METHOD_NOT_ALLOWED)),
                Post::Stored { created, overwritten } => self.write(&asked, &path, created, overwritten),
            },
            (_, false) => self.write(&asked, &path, StatusCode::CREATED, manners.overwritten),
        }
    }

    fn read(&self, path: &FilePath) -> Result<Answer, Answer> {
        let document = match self.store.get(path).map_err(|e| self.failure(&e))? {
            Found::File(content) => Some(Document { content_type: content_type(path.name()), content }),
            Found::Deleted => None,
            Found::Nothing => self.documents.find(path),
        };
        let document = document.ok_or_else(|| self.refusal(StatusCode::NOT_FOUND))?;
        let content_type = Some(document.content_type);
        Ok(Answer { content_type, content: document.content, ..Answer::of(StatusCode::OK) })
    }

    fn write(&self, asked: &Asked<'_>, path: &FilePath, new: StatusCode, old: StatusCode) -> Result<Answer, Answer> {
        let makes_parent = self.manners().missing_parent == MissingParent::Made;
        let former = self.store.put(path, asked.body, makes_parent).map_err(|e| self.failure(&e))?;
        let existed = former == Former::File || (former == Former::Nothing && self.documents.has(path));
        let answer = Answer::of(if existed { old } else { new });
        Ok(match (answer.status, self.likeness) {
            (StatusCode::CREATED, Likeness::Apache) => {
                let (content_type, content) = page(self.likeness, StatusCode::CREATED);
                let answer = Answer { content_type: Some(content_type), content, ..answer };
                answer.with(LOCATION, asked.uri.path())
            }
            (StatusCode::CREATED, _) => answer.with(LOCATION, asked.uri.path()),
            _ => answer,
        })
    }

    fn delete(&self, path: &FilePath) -> Result<Answer, Answer> {
        let generated = self.documents.has(path);
        let former = self.store.delete(path, generated).map_err(|e| self.failure(&e))?;
        match former {
            Former::File => Ok(Answer::of(StatusCode::NO_CONTENT)),
            Former::Nothing if generated => Ok(Answer::of(StatusCode::NO_CONTENT)),
            Former::Nothing | Former::Deleted => Err(self.refusal(StatusCode::NOT_FOUND)),
        }
    }

    fn failure(&self, error: &StoreError) -> Answer {
        match (error, self.manners().missing_parent) {
            (StoreError::MissingParent, MissingParent::Refused(status)) => self.refusal(status),
            _ => self.refusal(error.status()),
        }
    }

    fn not_allowed(&self, status: StatusCode) -> Answer {
        let refusal = self.refusal(status);
        let tells = self.manners().sends_allow && status == StatusCode::METHOD_NOT_ALLOWED;
        if tells { refusal.with(ALLOW, self.manners().allow(self.webdav)) } else { refusal }
    }

    fn refusal(&self, status: StatusCode) -> Answer {
        let (content_type, content) = match status {
            StatusCode::UNAUTHORIZED => self.unauthorized.clone(),
            _ => page(self.likeness, status),
        };
        Answer { content_type: Some(content_type), content, ..Answer::of(status) }
    }

    fn manners(&self) -> &'static Manners {
        manners(self.likeness)
    }
}

impl Answer {
    fn of(status: StatusCode) -> Answer {
        Answer { status, content_type: None, content: Bytes::new(), headers: Vec::new() }
    }

    /// Adds a header; a value that cannot stand in one is left out.
    fn with(mut self, name: HeaderName, value: &str) -> Answer {
        self.headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }
}

/// From when until when the events have it gone.
fn outages(events: &[TargetEvent]) -> Vec<(Moment, Moment)> {
    let mut outages: Vec<(Moment, Moment)> = Vec::new();
    for event in events {
        let Befalls::Down(time) = event.what else { continue };
        let until = event.at + time;
        match outages.last_mut() {
            Some(last) if event.at <= last.1 => last.1 = last.1.max(until),
            _ => outages.push((event.at, until)),
        }
    }
    outages
}

/// The content type of a stored file, by its name.
fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "txt" | "scr" | "log" | "cfg" => "text/plain",
        "xml" => "text/xml",
        _ => "application/octet-stream",
    }
}
