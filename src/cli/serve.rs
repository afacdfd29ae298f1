//! `bootstorm serve`: the embedded target on its own, for phones, curl and other machines' runs.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::serve_args::{EventText, ServeArgs};
use super::workload::refused;
use super::{Ended, Exit};
use crate::net::limits;
use crate::phone::{Chance, Fleet};
use crate::target::{self, AccessLog, Accounts, Authority, Documents, Running, Site, TargetError};
use crate::workload::{self, Befalls, EmbeddedTarget, Likeness, Overrides};
use crate::workload::{Target, TargetEvent};

/// Everything that is served.
struct Plan {
    config: EmbeddedTarget,
    fleets: Vec<Arc<Fleet>>,
    chance: Chance,
}

/// Serves until Ctrl-C or SIGTERM.
pub(super) fn run(args: ServeArgs) -> Result<Exit, Ended> {
    let plan = plan(&args)?;
    let mut accounts = Accounts::of(&plan.fleets);
    if let Some(file) = &args.users {
        accounts.admit_all(users(file)?);
    }
    check(&plan.config, &accounts)?;
    limits::raise_open_files().map_err(Ended::net)?;
    let authority = authority(&plan.config, args.certificates.folder())?;
    let log = args.access_log.as_deref().map(AccessLog::open).transpose().map_err(Ended::undone)?;
    let known = accounts.len();
    let documents = Documents::of(&plan.fleets, plan.config.prefilled, plan.chance);
    let site = Site::new(&plan.config, accounts, documents, plan.chance).map_err(Ended::undone)?;
    let running = target::start_logged(&plan.config, Arc::new(site), authority.as_ref(), log).map_err(Ended::undone)?;
    let ca = CaFile::of(&running, args.certificates.folder())?;
    // Before the lines: who has read them may end the target at once, and it must end well.
    let end = End::watch()?;
    let facts = facts(&plan.config, &running, ca.as_ref(), known);
    io::stdout().write_all(facts.as_bytes()).and_then(|()| io::stdout().flush()).map_err(Ended::undone)?;
    end.wait();
    let stats = running.stop();
    tracing::info!("{} connections, {} requests: {:?}", stats.connections, stats.total(), stats.requests);
    Ok(Exit::Passed)
}

/// What the workload, if any, and the flags over it mean.
fn plan(args: &ServeArgs) -> Result<Plan, Ended> {
    let mut plan = match &args.workload {
        None => {
            let config = embedded(&args.changes.overrides(), &args.events)?;
            Plan { config, fleets: Vec::new(), chance: Chance::new(seed()?) }
        }
        Some(file) => {
            let plan = workload::load(file, &args.changes.overrides()).map_err(refused)?;
            let mut config = match plan.target {
                Target::Embedded(config) => config,
                // Its server is elsewhere; the fleets and their accounts are what is wanted of it.
                Target::Url { .. } => EmbeddedTarget::of(Likeness::Iis),
            };
            config.events.extend(embedded(&Overrides::default(), &args.events)?.events);
            config.events.sort_by_key(|event| event.at);
            Plan { config, fleets: plan.fleets, chance: Chance::new(plan.seed) }
        }
    };
    args.apply(&mut plan.config)?;
    Ok(plan)
}

/// A workload of nothing but the embedded target. Its phone is there because a workload has phones; it is not asked.
const ALONE: &str =
    "[target.embedded]\n[[fleet]]\nfamily = \"avaya-96xx\"\ncount = 1\n[[phase]]\ndoes = \"power-up\"\n";

/// The embedded target that these changes of `[target.embedded]` and these events mean.
fn embedded(changes: &Overrides, events: &[EventText]) -> Result<EmbeddedTarget, Ended> {
    let text = events.iter().fold(ALONE.to_owned(), |text, event| text + &event.0);
    let plan = workload::parse(&text, "the command line", Path::new(""), changes).map_err(refused)?;
    match plan.target {
        Target::Embedded(config) => Ok(config),
        Target::Url { .. } => Err(Ended::usage("serve is the server: target.url has no place here")),
    }
}

/// What cannot work is refused; what is only doubtful is said.
fn check(config: &EmbeddedTarget, accounts: &Accounts) -> Result<(), Ended> {
    if !config.auth.offers.is_empty() && accounts.is_empty() {
        return Err(Ended::usage(
            "nobody could log in: name a workload with fleets, a file with --users, or --auth none",
        ));
    }
    for offer in &config.auth.offers {
        if !config.likeness.could_offer(*offer) {
            let (scheme, likeness) = (offer.name(), config.likeness.title());
            tracing::warn!("{scheme} is offered as asked; what this {likeness} target imitates never does");
        }
    }
    let of_tls = |e: &TargetEvent| matches!(e.what, Befalls::RotateTicketKeys | Befalls::SwapCertificate(_));
    if config.tls.is_none() && config.events.iter().any(of_tls) {
        return Err(Ended::usage("there is an event about TLS, and this target speaks none: leave one of them out"));
    }
    if config.tls.is_none() && !config.listen.ip().is_loopback() {
        tracing::warn!("passwords and configurations cross the network unprotected: {} is not loopback", config.listen);
    }
    Ok(())
}

fn users(file: &Path) -> Result<Accounts, Ended> {
    let refuse = |cause| TargetError::File { action: "read", file: file.to_owned(), cause };
    let text = std::fs::read_to_string(file).map_err(refuse).map_err(Ended::usage)?;
    Accounts::from_csv(&text, file).map_err(Ended::usage)
}

fn authority(config: &EmbeddedTarget, folder: Option<&Path>) -> Result<Option<Authority>, Ended> {
    let Some(tls) = &config.tls else {
        return Ok(None);
    };
    let authority = match folder {
        Some(folder) => Authority::kept_in(folder, tls, config.listen.ip()),
        None => Authority::new(tls, config.listen.ip()),
    };
    authority.map(Some).map_err(Ended::undone)
}

/// The CA certificate in a file that clients can name.
struct CaFile {
    path: PathBuf,
    /// Whether it goes when the target goes.
    passing: bool,
}

impl CaFile {
    fn of(running: &Running, folder: Option<&Path>) -> Result<Option<CaFile>, Ended> {
        let Some(pem) = running.ca_pem() else {
            return Ok(None);
        };
        if let Some(folder) = folder {
            return Ok(Some(CaFile { path: folder.join("ca.pem"), passing: false }));
        }
        let name = format!("bootstorm-ca-{}-{}.pem", std::process::id(), running.address().port());
        let file = std::env::temp_dir().join(name);
        // New, or not at all: a name in a folder that all may write to could be a link somebody else laid.
        let made = OpenOptions::new().write(true).create_new(true).open(&file);
        made.and_then(|mut f| f.write_all(pem.as_bytes()))
            .map_err(|cause| Ended::undone(TargetError::File { action: "create", file: file.clone(), cause }))?;
        Ok(Some(CaFile { path: file, passing: true }))
    }
}

impl Drop for CaFile {
    fn drop(&mut self) {
        if self.passing {
            // If it has gone already, all is well.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// One line per fact, name first: for people, and for scripts that look for `url:`.
fn facts(config: &EmbeddedTarget, running: &Running, ca: Option<&CaFile>, accounts: usize) -> String {
    let offers: Vec<_> = config.auth.offers.iter().map(|o| o.name()).collect();
    let mut lines = vec![
        ("url", format!("{}/", running.origin())),
        ("likeness", config.likeness.title().into()),
        ("auth", if offers.is_empty() { "none".into() } else { offers.join(", ") }),
        ("realm", config.auth.realm.clone()),
        ("users", accounts.to_string()),
        ("uploads", config.folder.as_ref().map_or("memory".into(), |folder| folder.display().to_string())),
    ];
    if let Some(ca) = ca {
        lines.insert(1, ("ca", ca.path.display().to_string()));
    }
    lines.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}

/// Ctrl-C and SIGTERM, watched.
struct End {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl End {
    fn watch() -> Result<End, Ended> {
        let refuse = |error: io::Error| Ended::undone(format!("signals cannot be watched: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(refuse)?;
        let within = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(refuse)?;
        let terminate = signal(SignalKind::terminate()).map_err(refuse)?;
        drop(within);
        Ok(End { runtime, interrupt, terminate })
    }

    /// Until one of them comes, or came.
    fn wait(self) {
        let End { runtime, mut interrupt, mut terminate } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
    }
}

/// A seed nobody can guess: nonces that could be forged would be no nonces.
fn seed() -> Result<u64, Ended> {
    let mut octets = [0; 8];
    let filled = aws_lc_rs::default_provider().secure_random.fill(&mut octets);
    filled.map_err(|_| Ended::undone("the system gives no random numbers"))?;
    Ok(u64::from_le_bytes(octets))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser;

    use super::*;
    use crate::auth::Algorithm;
    use crate::workload::{ClientCertificates, Offer, Protects, TargetTls};

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        args: ServeArgs,
    }

    fn meant(flags: &str) -> EmbeddedTarget {
        let typed = Typed::try_parse_from(std::iter::once("serve").chain(flags.split_whitespace())).unwrap();
        plan(&typed.args).unwrap_or_else(|ended| panic!("{}", ended.message)).config
    }

    #[test]
    fn flags_mean_what_they_say() {
        let plain = meant("");
        assert_eq!((plain.listen.port(), plain.tls, plain.likeness), (8443, Some(TargetTls::default()), Likeness::Iis));
        assert_eq!(plain.auth.offers, Likeness::Iis.usual_offers());
        let lighttpd = meant("--likeness lighttpd --no-tls");
        assert_eq!((lighttpd.listen.port(), lighttpd.tls), (8080, None));
        assert_eq!(lighttpd.auth.offers, Likeness::Lighttpd.usual_offers());
        assert_eq!(lighttpd.auth.nonce_lifetime, Duration::from_secs(600));
        let chosen = meant("--likeness nginx --auth digest-sha-256,basic --nonce-lifetime 90s --protects writes");
        assert_eq!(chosen.auth.offers, [Offer::Digest(Algorithm::Sha256), Offer::Basic]);
        assert_eq!((chosen.auth.nonce_lifetime, chosen.auth.protects), (Duration::from_secs(90), Protects::Writes));
        assert_eq!(meant("--auth none").auth.offers, []);
        assert_eq!(meant("--auth negotiate,ntlm").auth.offers, [Offer::Negotiate, Offer::Ntlm]);
        let set =
            meant("--set target.embedded.work.service=20ms --set target.embedded.work.workers=4 --nonce-table 12");
        assert_eq!((set.work.service.0, set.work.workers), (Duration::from_millis(20), Some(4)));
        assert_eq!((set.auth.nonce_table, set.webdav), (Some(12), true));
        let asked = meant("--client-certificates demanded --no-webdav --likeness lighttpd --userhash");
        assert_eq!(asked.tls.map(|tls| tls.client_certificates), Some(ClientCertificates::Demanded));
        assert!(!asked.webdav && asked.auth.userhash && asked.work.queue.is_none());
        assert_eq!(meant("--no-tls --tls").tls, Some(TargetTls::default()), "the last one counts");
    }

    #[test]
    fn events_are_those_of_a_workload() {
        let events = |typed: &[&str]| {
            let typed = typed.iter().flat_map(|event| ["--event", event]);
            let typed = Typed::try_parse_from(std::iter::once("serve").chain(typed)).map_err(|e| e.to_string())?;
            plan(&typed.args).map(|plan| plan.config.events).map_err(|ended| ended.message)
        };
        let got = events(&["2m down-for=90s", "60s rename-realm=a \"b\" = c", "1h rotate-ticket-keys=true"]).unwrap();
        let what: Vec<_> = got.iter().map(|e| (e.at.as_secs_f64(), e.what.clone())).collect();
        assert_eq!(
            what,
            [
                (60.0, Befalls::RenameRealm("a \"b\" = c".into())),
                (120.0, Befalls::Down(Duration::from_secs(90))),
                (3600.0, Befalls::RotateTicketKeys),
            ]
        );
        for (wrong, told) in [
            ("60s", "write when and what"),
            ("soon rename-realm=x", "soon is no time"),
            ("60s renamerealm=x", "did you mean `rename-realm`?"),
            ("60s down-for=x", "duration"),
            ("60s rotate-ticket-keys=false", "an event has exactly one of"),
        ] {
            let error = events(&[wrong]).unwrap_err();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
