//! What each likeness does: one table, so that a difference between two servers is a difference between two rows.
//!
//! Sources stand beside the values: \[tried\] on Debian 12, \[seen\] in traces or the server's source, \[doc\] the
//! vendor's text, \[assumed\] our choice. `docs/target.md` prints the same table for people.

use std::time::Duration;

use http::{Method, StatusCode};

use crate::auth::Algorithm;
use crate::workload::{Likeness, Offer};

/// How a server of one likeness behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manners {
    /// The `Server` header. It always names this program: an imitation never claims to be the original.
    pub(crate) server: &'static str,
    /// Status of a PUT that overwrote a file (a new one is 201 everywhere).
    pub(crate) overwritten: StatusCode,
    /// What becomes of a PUT whose folder does not exist.
    pub(crate) missing_parent: MissingParent,
    /// What becomes of a POST.
    pub(crate) post: Post,
    /// What becomes of OPTIONS.
    pub(crate) options: bool,
    /// Largest body, in octets, if the workload names none.
    pub(crate) body_limit: u64,
    /// Status of a body beyond the limit.
    pub(crate) too_large: StatusCode,
    /// Whether the limit is tested before credentials.
    pub(crate) limit_first: bool,
    /// Status of a method the server has never heard of.
    pub(crate) unknown_method: StatusCode,
    /// Whether a refusal by method says what is allowed.
    pub(crate) sends_allow: bool,
    /// What `Allow` says where there is no WebDAV.
    pub(crate) allow_without_webdav: &'static str,
    /// Whether paths that differ only in case are one file.
    pub(crate) folds_case: bool,
    /// Digest: what is tested, in which order, and what is said of it.
    pub(crate) digest: DigestManners,
    /// Connections: how long the server waits, and for how many requests.
    pub(crate) patience: Patience,
}

/// What becomes of a PUT whose folder does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MissingParent {
    /// Refused with this status.
    Refused(StatusCode),
    /// The folder is made.
    Made,
}

/// What becomes of a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Post {
    /// Stored like a PUT, as by the script an administrator puts there to collect reports.
    Stored {
        /// Status when the file is new.
        created: StatusCode,
        /// Status when there was one.
        overwritten: StatusCode,
    },
    /// 405.
    Refused,
}

/// How a likeness goes about Digest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DigestManners {
    /// Whether a nonce's age is tested before the password, so that `stale` can accompany a wrong one.
    pub(crate) stale_first: bool,
    /// Whether a nonce count seen before is refused.
    pub(crate) refuses_replay: bool,
    /// Status of credentials that cannot be read; 401 comes with a challenge.
    pub(crate) malformed: StatusCode,
    /// Whether answers without `qop` (RFC 2069) are taken.
    pub(crate) takes_legacy: bool,
    /// What a success sends in `Authentication-Info`.
    pub(crate) info: Info,
}

/// What a success sends in `Authentication-Info`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Info {
    /// Nothing.
    Nothing,
    /// `nextnonce` alone, when the nonce has at most this long to live.
    NextNonce(Duration),
    /// `rspauth`, `cnonce`, `nc`, `qop` always; `nextnonce` when the nonce has at most this long to live.
    Proof(Duration),
}

/// How long a server waits for its peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the whole head of a request.
    pub header: Duration,
    /// Between two requests of a connection.
    pub idle: Duration,
    /// For the next octets of a body, or for the peer to take the next octets of an answer.
    pub body: Duration,
    /// Requests served on one connection before it is closed; `None` for no bound.
    pub requests: Option<u32>,
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// IIS-like. Never IIS: none can be run on Linux.
const IIS: Manners = Manners {
    server: "bootstorm (IIS-like)",
    overwritten: StatusCode::NO_CONTENT, // [assumed]; 200 on IIS 6 [seen]
    missing_parent: MissingParent::Refused(StatusCode::CONFLICT), // [assumed], RFC 4918 9.7.1
    post: Post::Stored { created: StatusCode::OK, overwritten: StatusCode::OK }, // [assumed]: a script answers 200
    options: true,
    body_limit: 30_000_000,                            // [doc] maxAllowedContentLength
    too_large: StatusCode::NOT_FOUND,                  // [doc] 404.13, the sub-status never leaves the server
    limit_first: true,                                 // [doc] request filtering comes first
    unknown_method: StatusCode::METHOD_NOT_ALLOWED,    // [doc]
    sends_allow: true,                                 // [seen]
    allow_without_webdav: "GET, HEAD, OPTIONS, TRACE", // [seen]
    folds_case: true,                                  // [doc] NTFS
    digest: DigestManners {
        stale_first: false,                  // [assumed]
        refuses_replay: true,                // [assumed], RFC 7616 3.4
        malformed: StatusCode::UNAUTHORIZED, // [assumed]
        takes_legacy: false,                 // [assumed]
        info: Info::Nothing,                 // [assumed]
    },
    patience: Patience { header: secs(120), idle: secs(120), body: secs(120), requests: None }, // [doc]
};

const APACHE: Manners = Manners {
    server: "bootstorm (Apache-like)",
    overwritten: StatusCode::NO_CONTENT,                          // [tried]
    missing_parent: MissingParent::Refused(StatusCode::CONFLICT), // [tried]
    post: Post::Stored { created: StatusCode::OK, overwritten: StatusCode::OK }, // [assumed]: a script answers 200
    options: true,
    body_limit: 1 << 30,                              // [doc] LimitRequestBody since 2.4.53
    too_large: StatusCode::PAYLOAD_TOO_LARGE,         // [doc]
    limit_first: false,                               // [seen] tested when the body is read, after credentials
    unknown_method: StatusCode::NOT_IMPLEMENTED,      // [doc]
    sends_allow: true,                                // [doc]
    allow_without_webdav: "GET, HEAD, POST, OPTIONS", // [assumed]
    folds_case: false,
    digest: DigestManners {
        stale_first: false,                  // [tried], [seen] check_nonce comes last
        refuses_replay: false,               // [doc] AuthDigestNcCheck is off
        malformed: StatusCode::UNAUTHORIZED, // [seen]
        takes_legacy: true,                  // [seen]
        info: Info::Proof(secs(30)),         // [seen] NEXTNONCE_DELTA
    },
    // [doc] RequestReadTimeout, KeepAliveTimeout, MaxKeepAliveRequests
    patience: Patience { header: secs(20), idle: secs(5), body: secs(20), requests: Some(100) },
};

const NGINX: Manners = Manners {
    server: "bootstorm (nginx-like)",
    overwritten: StatusCode::NO_CONTENT,            // [tried]
    missing_parent: MissingParent::Made,            // [tried] create_full_put_path on
    post: Post::Refused,                            // [doc] static files take no POST
    options: false,                                 // [doc]
    body_limit: 1 << 20,                            // [tried] client_max_body_size
    too_large: StatusCode::PAYLOAD_TOO_LARGE,       // [tried]
    limit_first: true,                              // [seen] tested in the configuration phase
    unknown_method: StatusCode::METHOD_NOT_ALLOWED, // [doc]
    sends_allow: false,                             // [seen]
    allow_without_webdav: "GET, HEAD",
    folds_case: false,
    // nginx has Basic only [tried]; offered all the same when a workload asks, with the RFC's manners.
    digest: DigestManners {
        stale_first: false,
        refuses_replay: true,
        malformed: StatusCode::UNAUTHORIZED, // [seen] for Basic
        takes_legacy: false,                 // [seen] for Basic
        info: Info::Nothing,
    },
    // [doc] client_header_timeout, keepalive_timeout, client_body_timeout, keepalive_requests
    patience: Patience { header: secs(60), idle: secs(75), body: secs(60), requests: Some(1000) },
};

const LIGHTTPD: Manners = Manners {
    server: "bootstorm (lighttpd-like)",
    overwritten: StatusCode::NO_CONTENT,                          // [tried]
    missing_parent: MissingParent::Refused(StatusCode::CONFLICT), // [tried]
    post: Post::Stored { created: StatusCode::OK, overwritten: StatusCode::OK }, // [assumed]: a script answers 200
    options: true,
    body_limit: 1 << 30, // [assumed]: the original has no limit, this one must
    too_large: StatusCode::PAYLOAD_TOO_LARGE,
    limit_first: true,
    unknown_method: StatusCode::NOT_IMPLEMENTED,      // [doc]
    sends_allow: true,                                // [assumed]
    allow_without_webdav: "GET, HEAD, POST, OPTIONS", // [assumed]
    folds_case: false,
    digest: DigestManners {
        stale_first: true,                  // [tried]
        refuses_replay: false,              // [seen] keeps no counts
        malformed: StatusCode::BAD_REQUEST, // [seen]
        takes_legacy: true,                 // [seen]
        info: Info::NextNonce(secs(60)),    // [seen] past 540 of 600 s
    },
    // [doc] max-read-idle, max-keep-alive-idle, max-keep-alive-requests
    patience: Patience { header: secs(60), idle: secs(5), body: secs(60), requests: Some(100) },
};

/// To the letter of the RFCs; where they leave it open, the stricter way.
const STRICT: Manners = Manners {
    server: "bootstorm (strict)",
    overwritten: StatusCode::NO_CONTENT,                          // RFC 9110 9.3.4
    missing_parent: MissingParent::Refused(StatusCode::CONFLICT), // RFC 4918 9.7.1
    post: Post::Stored { created: StatusCode::CREATED, overwritten: StatusCode::NO_CONTENT }, // RFC 9110 9.3.3
    options: true,
    body_limit: 16 << 20,                     // [assumed]
    too_large: StatusCode::PAYLOAD_TOO_LARGE, // RFC 9110 15.5.14
    limit_first: true,
    unknown_method: StatusCode::NOT_IMPLEMENTED, // RFC 9110 9.1
    sends_allow: true,                           // RFC 9110 15.5.6 (a MUST)
    allow_without_webdav: "GET, HEAD, POST, OPTIONS",
    folds_case: false,
    digest: DigestManners {
        stale_first: false,
        refuses_replay: true,               // RFC 7616 3.4
        malformed: StatusCode::BAD_REQUEST, // RFC 7616 3.4
        takes_legacy: false,                // RFC 7616 3.4
        info: Info::Proof(secs(30)),        // RFC 7616 3.5
    },
    patience: Patience { header: secs(30), idle: secs(30), body: secs(30), requests: None }, // [assumed]
};

/// The row of a likeness.
pub(crate) const fn manners(likeness: Likeness) -> &'static Manners {
    match likeness {
        Likeness::Iis => &IIS,
        Likeness::Apache => &APACHE,
        Likeness::Nginx => &NGINX,
        Likeness::Lighttpd => &LIGHTTPD,
        Likeness::Strict => &STRICT,
    }
}

impl Manners {
    /// The methods an `Allow` header names, with WebDAV or without.
    pub(crate) fn allow(&self, webdav: bool) -> &'static str {
        if !webdav {
            return self.allow_without_webdav;
        }
        match (self.options, self.post) {
            (true, Post::Stored { .. }) => "GET, HEAD, PUT, POST, DELETE, OPTIONS",
            (true, Post::Refused) => "GET, HEAD, PUT, DELETE, OPTIONS",
            (false, Post::Stored { .. }) => "GET, HEAD, PUT, POST, DELETE",
            (false, Post::Refused) => "GET, HEAD, PUT, DELETE",
        }
    }

    /// Whether this method is served, with WebDAV or without; else the status it is refused with.
    pub(crate) fn serves(&self, method: &Method, webdav: bool) -> Result<(), StatusCode> {
        match *method {
            Method::PUT | Method::DELETE if !webdav => Err(StatusCode::METHOD_NOT_ALLOWED),
            Method::GET | Method::HEAD | Method::PUT | Method::DELETE => Ok(()),
            Method::POST if self.post != Post::Refused => Ok(()),
            Method::OPTIONS if self.options => Ok(()),
            Method::POST | Method::OPTIONS | Method::TRACE | Method::PATCH | Method::CONNECT => {
                Err(StatusCode::METHOD_NOT_ALLOWED)
            }
            _ => Err(self.unknown_method),
        }
    }
}

impl Likeness {
    /// Every likeness.
    pub const ALL: [Likeness; 5] =
        [Likeness::Iis, Likeness::Apache, Likeness::Nginx, Likeness::Lighttpd, Likeness::Strict];

    /// The word used in workloads and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Likeness::Iis => "iis",
            Likeness::Apache => "apache",
            Likeness::Nginx => "nginx",
            Likeness::Lighttpd => "lighttpd",
            Likeness::Strict => "strict",
        }
    }

    /// The name for people: an imitation is called one everywhere.
    pub const fn title(self) -> &'static str {
        match self {
            Likeness::Iis => "IIS-like",
            Likeness::Apache => "Apache-like",
            Likeness::Nginx => "nginx-like",
            Likeness::Lighttpd => "lighttpd-like",
            Likeness::Strict => "strict",
        }
    }

    /// Whether the original can offer this at all. The target offers whatever a workload asks for; a program
    /// can say so where this is false.
    pub fn could_offer(self, offer: Offer) -> bool {
        match (self, offer) {
            (_, Offer::Basic) | (Likeness::Strict, _) => true,
            // Kerberos needs a domain: IIS is the one that has it built in.
            (Likeness::Iis, Offer::Negotiate | Offer::Ntlm) => true,
            (_, Offer::Negotiate | Offer::Ntlm) => false,
            (Likeness::Iis, Offer::Digest(algorithm)) => algorithm == Algorithm::Md5Sess,
            (Likeness::Apache, Offer::Digest(algorithm)) => algorithm == Algorithm::Md5,
            (Likeness::Nginx, Offer::Digest(_)) => false,
            (Likeness::Lighttpd, Offer::Digest(algorithm)) => !algorithm.is_session(),
        }
    }

    /// How long this likeness waits for its peers.
    pub fn patience(self) -> Patience {
        manners(self).patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_likeness_could_offer_what_it_usually_offers() {
        for likeness in Likeness::ALL {
            assert!(likeness.usual_offers().iter().all(|o| likeness.could_offer(*o)), "{}", likeness.name());
        }
    }

    #[test]
    fn names_are_those_of_the_workload_file() {
        for likeness in Likeness::ALL {
            assert_eq!(serde_json::to_value(likeness).unwrap(), likeness.name());
        }
    }

    #[test]
    fn no_imitation_claims_to_be_the_original() {
        for likeness in Likeness::ALL {
            assert_eq!(manners(likeness).server, format!("bootstorm ({})", likeness.title()));
        }
    }

    #[test]
    fn methods_by_likeness() {
        let status =
            |l, m: &str| manners(l).serves(&Method::from_bytes(m.as_bytes()).unwrap(), true).err().map(|s| s.as_u16());
        for likeness in Likeness::ALL {
            for method in ["GET", "HEAD", "PUT", "DELETE"] {
                assert_eq!(status(likeness, method), None);
            }
            assert_eq!(status(likeness, "TRACE"), Some(405));
            // What is named as allowed is served, and nothing else.
            let allow: Vec<&str> = manners(likeness).allow(true).split(", ").collect();
            for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH"] {
                assert_eq!(allow.contains(&method), status(likeness, method).is_none(), "{likeness:?} {method}");
            }
        }
        assert_eq!(status(Likeness::Nginx, "POST"), Some(405));
        assert_eq!(status(Likeness::Apache, "BREW"), Some(501));
        assert_eq!(status(Likeness::Nginx, "BREW"), Some(405));
    }
}
