//! `[target]`: a URL, or the embedded server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::Uri;

use super::Meaning;
use crate::phone::{Fleet, Origin};
use crate::workload::file::{AuthSection, EmbeddedSection, OnOff, TargetSection};
use crate::workload::locate::{KeyPath, key};
use crate::workload::{EmbeddedTarget, Target, TargetAuth};

impl Meaning<'_> {
    /// What the phones talk to; if there is none, that has been told.
    pub(super) fn target(&mut self, typed: &TargetSection) -> Option<Target> {
        match (&typed.url, &typed.embedded) {
            (Some(_), Some(OnOff::On(_))) => {
                let right = "leave `target.url` for a server that is there already, `target.embedded` for our own";
                self.say(&key!["target", "url"], "there are two targets", right);
                None
            }
            (Some(url), _) => self.url(url, typed.ca.as_deref()),
            (None, Some(OnOff::On(embedded))) => Some(Target::Embedded(self.embedded(embedded))),
            (None, _) => {
                let right = "give target.url (or the flag --target), or target.embedded = true for the embedded server";
                self.say(&key!["target"], "there is nothing to talk to", right);
                None
            }
        }
    }

    fn url(&mut self, typed: &str, ca: Option<&Path>) -> Option<Target> {
        let ca_file = ca.map(|ca| {
            let path = self.base.join(ca);
            if path.is_dir() {
                self.say(&key!["target", "ca"], format!("{} is a folder", path.display()), CA);
            } else if !path.is_file() {
                self.say(&key!["target", "ca"], format!("there is no file {}", path.display()), CA);
            }
            path
        });
        match origin(typed) {
            Ok((origin, base)) => Some(Target::Url { origin: Arc::new(origin), base, ca_file }),
            Err((what, right)) => {
                self.say(&key!["target", "url"], what, right);
                None
            }
        }
    }

    /// `target.http-fallback`.
    pub(super) fn fallback(&mut self, typed: &TargetSection) -> Option<Arc<Origin>> {
        let at = key!["target", "http-fallback"];
        let right = "write scheme, host and port alone, for example \"http://files.example.net:8080\"";
        match origin(typed.http_fallback.as_ref()?) {
            Ok((origin, base)) if !origin.tls && base.is_empty() => return Some(Arc::new(origin)),
            Ok((origin, _)) if origin.tls => self.say(&at, "is no plain HTTP", right),
            Ok(_) => self.say(&at, "names a folder; phones ask for the same paths there", right),
            Err((what, right)) => self.say(&at, what, right),
        }
        None
    }

    /// Settings that name servers must name this one.
    pub(super) fn fit(&mut self, fleets: &[Arc<Fleet>], target: &Target) {
        let (servers, base) = match target {
            Target::Url { origin, base, .. } => (vec![Origin::clone(origin)], base.as_str()),
            Target::Embedded(embedded) => {
                let (host, port) = (embedded.listen.ip().to_string(), embedded.listen.port());
                (vec![Origin { tls: embedded.tls.is_some(), host, port }], "")
            }
        };
        for (n, fleet) in fleets.iter().enumerate() {
            if let Err(wrong) = fleet.family.fits(&servers, base) {
                let mut at = key!["fleet", n, "settings"];
                if let Some(key) = &wrong.key {
                    at = at.then(key.as_str());
                }
                let (what, right) = wrong.message.split_once("; ").unwrap_or((&wrong.message, ""));
                self.say(&at, what, right);
            }
        }
    }

    fn embedded(&mut self, typed: &EmbeddedSection) -> EmbeddedTarget {
        let at = |key: &str| key!["target", "embedded"].then(key);
        let listen = typed.listen.parse::<SocketAddr>().unwrap_or_else(|_| {
            let right = "write address and port, for example \"127.0.0.1:0\" or \"[::1]:8443\"";
            self.say(&at("listen"), format!("`{}` is no address to listen on", typed.listen), right);
            SocketAddr::from(([127, 0, 0, 1], 0))
        });
        if !(1..=1024).contains(&typed.accept_loops) {
            self.say(&at("accept-loops"), format!("{} accept loops", typed.accept_loops), "from 1 to 1024");
        }
        if typed.body_limit.is_some_and(|limit| limit.0 == 0) {
            self.say(&at("body-limit"), "no upload would fit", "leave it out for the likeness's own limit");
        }
        let auth_at = at("auth");
        let auth = self.auth(&typed.auth, &auth_at);
        let tls = typed.tls.on().map(|typed| self.embedded_tls(typed, &at("tls")));
        let work = self.work(&typed.work, &at("work"));
        let faults = self.faults(&typed.faults, &at("faults"));
        let events = self.events(&typed.event, &at("event"), tls.is_some());
        EmbeddedTarget {
            listen,
            likeness: typed.likeness,
            auth,
            tls,
            folder: typed.folder.as_ref().map(|folder| self.base.join(folder)),
            prefilled: typed.prefilled,
            body_limit: typed.body_limit.map(|limit| limit.0),
            accept_loops: typed.accept_loops as usize,
            webdav: typed.webdav,
            work,
            faults,
            events,
        }
    }

    fn auth(&mut self, typed: &AuthSection, at: &KeyPath) -> TargetAuth {
        let offers: Vec<_> = typed.offers.iter().flatten().map(|name| name.0).collect();
        if let Some(twice) = (1..offers.len()).find(|n| offers[..*n].contains(&offers[*n])) {
            let name = typed.offers.iter().flatten().nth(twice).map_or("", |o| o.name());
            self.say(&at.then("offers"), format!("`{name}` is offered twice"), "name each scheme once");
        }
        // RFC 9110 5.5: a field value has no control characters.
        if typed.realm.chars().any(char::is_control) {
            self.say(&at.then("realm"), "has control characters", "a realm is printable text");
        }
        let nonce_lifetime = typed.nonce_lifetime.map(|t| t.0).unwrap_or_default();
        if nonce_lifetime.is_zero() {
            let right = "every answer would be stale; use for example \"1s\" to see many stale nonces";
            self.say(&at.then("nonce-lifetime"), "no nonce would ever be good", right);
        }
        let nonce_table = typed.nonce_table.map(|count| usize::try_from(count.0).unwrap_or(usize::MAX));
        if nonce_table == Some(0) {
            self.say(&at.then("nonce-table"), "no nonce would ever be good", "leave it out for room for all");
        }
        TargetAuth {
            offers,
            realm: typed.realm.clone(),
            protects: typed.protects,
            nonce_lifetime,
            nonce_table,
            userhash: typed.userhash.unwrap_or_default(),
        }
    }
}

const CA: &str = "paths are relative to the workload file; name a PEM file with the CA certificates the phones trust";

/// Origin and base folder of a URL.
pub(super) fn origin(typed: &str) -> Result<(Origin, String), (String, String)> {
    let right = || "write for example \"https://files.example.net:8443/phones\"".to_owned();
    if typed.contains('@') {
        let right = "credentials belong in [fleet.credentials], not in the URL".to_owned();
        return Err(("has a user or password in it".to_owned(), right));
    }
    if typed.contains(['?', '#']) {
        return Err((
            format!("`{typed}` has a query or fragment"),
            "a target is scheme, host, port and folder".to_owned(),
        ));
    }
    let no_url = |_| (format!("`{typed}` is no URL"), right());
    let uri: Uri = typed.parse().map_err(no_url)?;
    let scheme = uri.scheme_str().ok_or_else(|| (format!("`{typed}` has no scheme"), right()))?;
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err((format!("phones do not speak `{scheme}`"), "the scheme is http or https".to_owned()));
    }
    let authority = uri.authority().map_or("", |a| a.as_str());
    let unusable = || (format!("`{typed}` has no usable host or port"), right());
    let origin = Origin::parse(scheme, authority).ok_or_else(unusable)?;
    Ok((origin, uri.path().trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let table = [
            ("http://h", Ok((false, "h", 80, ""))),
            ("https://h/", Ok((true, "h", 443, ""))),
            ("https://h:8443/a/b/", Ok((true, "h", 8443, "/a/b"))),
            ("HTTP://[::1]:80/x", Ok((false, "::1", 80, "/x"))),
            ("http://[::1]", Ok((false, "::1", 80, ""))),
            ("ftp://h/", Err("phones do not speak `ftp`")),
            ("h:80", Err("`h:80` has no scheme")),
            ("http://", Err("`http://` is no URL")),
            ("http://h:99999/", Err("`http://h:99999/` has no usable host or port")),
            ("http://h:0/", Err("`http://h:0/` has no usable host or port")),
            ("http://u:secret@h/", Err("has a user or password in it")),
            ("http://h/?x", Err("`http://h/?x` has a query or fragment")),
            ("http://a b/", Err("`http://a b/` is no URL")),
            ("", Err("`` is no URL")),
        ];
        for (typed, want) in table {
            let got = origin(typed);
            match (&got, want) {
                (Ok((o, base)), Ok(want)) => assert_eq!((o.tls, o.host.as_str(), o.port, base.as_str()), want),
                (Err((what, _)), Err(want)) => assert_eq!(what, want),
                _ => panic!("{typed}: {got:?}"),
            }
        }
    }
}
