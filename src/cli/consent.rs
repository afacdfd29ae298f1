//! By whose leave a server on another machine is put under load.

use clap::Args;
use tokio::runtime::Runtime;

use super::Ended;
use super::server::Server;
use crate::net::{Addresses, Settings, TlsSettings, consent, resolve};
use crate::report::Consent;
use crate::workload::Plan;

/// What the command line says about consent.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ConsentArgs {
    /// Who agreed that this server, which is not on this machine, is put under load; recorded with the results
    #[arg(long, value_name = "WHO", env = "BOOTSTORM_AUTHORISED_BY", hide_env_values = true, value_parser = name)]
    #[arg(help_heading = "Consent")]
    authorised_by: Option<String>,
    /// Ask the server itself for its consent: its file /bootstorm-consent.txt must allow load from this machine
    #[arg(long, conflicts_with = "authorised_by", help_heading = "Consent")]
    ask_consent: bool,
}

/// Looks up where the plan's servers are, and makes sure that load may be sent there. Loopback is free.
pub(super) fn obtain(
    args: &ConsentArgs,
    runtime: &Runtime,
    plan: &Plan,
    server: &Server,
) -> Result<(Addresses, Option<Consent>), Ended> {
    let origins = || std::iter::once(&*server.origin).chain(plan.fallback.as_deref());
    let addresses = runtime.block_on(resolve::resolve(origins())).map_err(Ended::net)?;
    let foreign = |addresses: &Addresses, origin| {
        addresses.of(origin).is_some_and(|a| resolve::require_loopback(origin, a).is_err())
    };
    let Some(first) = origins().find(|origin| foreign(&addresses, origin)) else { return Ok((addresses, None)) };
    if let Some(who) = &args.authorised_by {
        return Ok((addresses, Some(Consent { kind: "authorised-by".into(), by: who.clone() })));
    }
    if !args.ask_consent {
        let there = addresses.of(first).unwrap_or_default();
        return Err(resolve::require_loopback(first, there).map_or_else(Ended::net, |()| Ended::undone("no address")));
    }
    let settings = Settings {
        timeouts: plan.timeouts,
        network: plan.network.clone(),
        tls: TlsSettings { plan: plan.tls.clone(), trust: server.trust.clone(), alpn: false, devices: None },
        addresses: addresses.clone(),
        shards: 1,
    };
    let mut tokens = Vec::new();
    for origin in origins().filter(|origin| foreign(&addresses, origin)) {
        tokens.push(runtime.block_on(consent::ask(&settings, origin, plan.phones().into())).map_err(Ended::net)?);
    }
    Ok((addresses, Some(Consent { kind: "token".into(), by: tokens.join(", ") })))
}

/// A name that can be held to account: not nothing, one line.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    match !name.is_empty() && !name.contains(char::is_control) {
        true => Ok(name.to_owned()),
        false => Err("write who agreed, such as \"J. Doe, file servers\"".to_owned()),
    }
}
