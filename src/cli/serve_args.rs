//! The flags of `serve`: the embedded target as typed, and what they mean over a workload's.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Ended;
use super::serve_tls::{TLS_FLAGS, TlsArgs};
use super::workload::Changes;
use crate::workload::{EmbeddedTarget, Likeness, Offer, Protects};

/// Arguments of `serve`.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Take the embedded target and the fleets' accounts from this workload file
    #[arg(value_name = "WORKLOAD")]
    pub(super) workload: Option<PathBuf>,
    #[command(flatten)]
    pub(super) changes: Changes,
    /// Listen here; port 0 takes a free one [default: 127.0.0.1:8443, or 8080 without TLS]
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "BOOTSTORM_LISTEN",
        hide_env_values = true,
        help_heading = "Server"
    )]
    listen: Option<SocketAddr>,
    /// Resemble this server (an imitation, never the original) [default: iis]
    #[arg(long, value_name = "SERVER", value_enum, help_heading = "Server")]
    likeness: Option<LikenessName>,
    /// Offer these schemes in this order: none, basic, digest-md5, digest-md5-sess, digest-sha-256, …
    /// [default: what the likeness offers as a rule]
    #[arg(long, value_name = "SCHEME,…", value_delimiter = ',', value_parser = scheme, help_heading = "Authentication")]
    auth: Option<Vec<SchemeName>>,
    /// Name this realm in every challenge [default: Digest]
    #[arg(long, help_heading = "Authentication")]
    realm: Option<String>,
    /// Ask for credentials on these requests [default: all-but-settings]
    #[arg(long, value_name = "WHICH", value_enum, help_heading = "Authentication")]
    protects: Option<ProtectsName>,
    /// Let a Digest nonce live this long, such as 90s or 5m [default: as the likeness does]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Authentication")]
    nonce_lifetime: Option<Duration>,
    /// Have room for this many nonces; older ones are stale [default: room for all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Server")]
    nonce_table: Option<u32>,
    /// Offer `userhash` in Digest challenges
    #[arg(long, help_heading = "Server")]
    userhash: bool,
    /// Let these users in too: a CSV file, `user,password` a line
    #[arg(long, value_name = "FILE", help_heading = "Authentication")]
    pub(super) users: Option<PathBuf>,
    /// Store uploads in this folder, and serve what is in it [default: memory]
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    folder: Option<PathBuf>,
    /// Have every phone's backup file there from the start
    #[arg(long, help_heading = "Server")]
    prefilled: bool,
    /// Speak TLS [default]
    #[arg(long, overrides_with = "no_tls", help_heading = "TLS")]
    tls: bool,
    /// Speak plain HTTP
    #[arg(long, overrides_with = "tls", conflicts_with_all = TLS_FLAGS, help_heading = "TLS")]
    no_tls: bool,
    #[command(flatten)]
    pub(super) certificates: TlsArgs,
    /// Take no PUT and no DELETE, as a server without WebDAV
    #[arg(long, help_heading = "Server")]
    no_webdav: bool,
    /// Let this befall the target so long after its start: "60s rename-realm=New", "5m down-for=90s",
    /// "1h rotate-ticket-keys=true", "1h swap-certificate=other-ca", "1h password-change=10%"; may be repeated. Work and
    /// faults: --set target.embedded.work.service=20ms, … (see docs/workload.md)
    #[arg(long = "event", value_name = "AT KEY=VALUE", value_parser = event, help_heading = "Server")]
    pub(super) events: Vec<EventText>,
    /// Write an access log in combined format; `-` is standard output
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    pub(super) access_log: Option<PathBuf>,
    /// Run this many accept loops (threads) [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Server")]
    accept_loops: Option<u16>,
}

/// A likeness on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum LikenessName {
    Iis,
    Apache,
    Nginx,
    Lighttpd,
    Strict,
}

/// What is protected, on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ProtectsName {
    Everything,
    AllButSettings,
    Writes,
}

/// A scheme on the command line; `none` offers none.
#[derive(Clone, Copy, Debug)]
struct SchemeName(Option<Offer>);

/// An event on the command line, as a workload has it.
#[derive(Clone, Debug)]
pub(super) struct EventText(pub(super) String);

/// `60s rename-realm=New`.
pub(super) fn event(typed: &str) -> Result<EventText, String> {
    let wrong = || "write when and what: \"60s rename-realm=New\"".to_owned();
    let (at, what) = typed.split_once(' ').ok_or_else(wrong)?;
    let (key, value) = what.split_once('=').ok_or_else(wrong)?;
    let key = key.trim();
    if key.is_empty() || !key.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
        return Err(wrong());
    }
    humantime::parse_duration(at).map_err(|e| format!("{at} is no time: {e}"))?;
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let value = value.trim();
    let value = if ["true", "false"].contains(&value) { value.to_owned() } else { text(value) };
    Ok(EventText(format!("[[target.embedded.event]]\nat = {}\n{key} = {value}\n", text(at))))
}

impl ServeArgs {
    /// Lays the flags over what is there.
    pub(super) fn apply(&self, config: &mut EmbeddedTarget) -> Result<(), Ended> {
        if let Some(name) = self.likeness {
            let likeness = Likeness::from(name);
            // What was only there because it suits the former likeness gives way to what suits this one.
            if config.auth.offers == config.likeness.usual_offers() {
                config.auth.offers = likeness_offers(likeness);
            }
            config.auth.userhash = likeness.usual_userhash();
            if config.work.queue == config.likeness.usual_queue() {
                config.work.queue = likeness.usual_queue();
            }
            if config.auth.nonce_lifetime == config.likeness.nonce_lifetime() {
                config.auth.nonce_lifetime = likeness.nonce_lifetime();
            }
            config.likeness = likeness;
        }
        if let Some(schemes) = &self.auth {
            config.auth.offers = schemes.iter().filter_map(|s| s.0).collect();
        }
        if let Some(realm) = &self.realm {
            config.auth.realm.clone_from(realm);
        }
        if let Some(protects) = self.protects {
            config.auth.protects = protects.into();
        }
        if let Some(lifetime) = self.nonce_lifetime {
            config.auth.nonce_lifetime = lifetime;
        }
        if let Some(room) = self.nonce_table {
            config.auth.nonce_table = Some(room as usize);
        }
        config.auth.userhash |= self.userhash;
        config.webdav &= !self.no_webdav;
        if self.no_tls {
            config.tls = None;
        } else if self.tls {
            config.tls.get_or_insert_default();
        }
        self.certificates.apply(&mut config.tls)?;
        if self.folder.is_some() {
            config.folder.clone_from(&self.folder);
        }
        config.prefilled |= self.prefilled;
        match (self.accept_loops, &self.workload) {
            (Some(loops), _) => config.accept_loops = loops.into(),
            (None, None) => config.accept_loops = std::thread::available_parallelism().map_or(1, usize::from),
            (None, Some(_)) => {}
        }
        match self.listen {
            Some(listen) => config.listen = listen,
            None if self.workload.is_none() => {
                config.listen.set_port(if config.tls.is_some() { 8443 } else { 8080 });
            }
            None => {}
        }
        Ok(())
    }
}

fn likeness_offers(likeness: Likeness) -> Vec<Offer> {
    likeness.usual_offers().to_vec()
}

fn scheme(name: &str) -> Result<SchemeName, String> {
    if name == "none" {
        return Ok(SchemeName(None));
    }
    let known = Offer::all().find(|offer| offer.name() == name);
    known.map(|offer| SchemeName(Some(offer))).ok_or_else(|| {
        let names: Vec<_> = Offer::all().map(Offer::name).collect();
        format!("write none, {}", names.join(", "))
    })
}

impl From<LikenessName> for Likeness {
    fn from(name: LikenessName) -> Likeness {
        match name {
            LikenessName::Iis => Likeness::Iis,
            LikenessName::Apache => Likeness::Apache,
            LikenessName::Nginx => Likeness::Nginx,
            LikenessName::Lighttpd => Likeness::Lighttpd,
            LikenessName::Strict => Likeness::Strict,
        }
    }
}

impl From<ProtectsName> for Protects {
    fn from(name: ProtectsName) -> Protects {
        match name {
            ProtectsName::Everything => Protects::Everything,
            ProtectsName::AllButSettings => Protects::AllButSettings,
            ProtectsName::Writes => Protects::Writes,
        }
    }
}
