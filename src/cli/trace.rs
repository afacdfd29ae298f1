//! `bootstorm trace`: one phone's whole conversation, explained.

use std::io::{self, Write as _};
use std::sync::Arc;

use clap::Args;

use super::consent::{self, ConsentArgs};
use super::server::find_server;
use super::workload::WorkloadArgs;
use super::{Ended, Exit, colour, password, runtime};
use crate::auth::{Commons, Credentials};
use crate::interop::{Cast, Player, Stage, story};
use crate::net::{Connector, Devices, Settings, TlsSettings};
use crate::phone::{Chance, Fleet, Trigger};
use crate::workload::{Plan, Target};

/// Arguments of `trace`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct TraceArgs {
    #[command(flatten)]
    workload: WorkloadArgs,
    /// Play this phone: its extension, or its index in the run
    #[arg(long, value_name = "EXT|INDEX", default_value = "0")]
    phone: String,
    /// What happens to it, in this order: power-up, change, backup, restore, resync, delete, restart
    #[arg(long, value_name = "WHAT", value_delimiter = ',', default_value = "power-up", value_parser = trigger)]
    does: Vec<Trigger>,
    /// Type this user name when a screen waits; the password is asked for, never an argument
    #[arg(long = "type", value_name = "USER")]
    types: Option<String>,
    #[command(flatten)]
    consent: ConsentArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Do not verify the server's certificates; stamped on the output
    #[arg(long)]
    dangerously_skip_tls_verification: bool,
}

const AFTER: &str = "The password for --type comes from BOOTSTORM_PASSWORD, from a prompt, or from the first line of \
                     stdin. Name another CA with --set target.ca=FILE.";

/// Plays the phone and tells its story.
pub(super) fn run(args: TraceArgs) -> Result<Exit, Ended> {
    let mut plan = args.workload.load()?;
    plan.tls.verify &= !args.dangerously_skip_tls_verification;
    let (fleet, index) = phone(&plan, &args.phone)?;
    let typed = match &args.types {
        Some(user) => Some(Credentials::new(user, password::of(user)?)),
        None => None,
    };
    let runtime = runtime()?;
    let server = find_server(&plan)?;
    if let Some(target) = &server.embedded {
        target.begin(1.0);
    }
    let (addresses, _) = consent::obtain(&args.consent, &runtime, &plan, &server)?;
    let devices = Devices::of(&plan.tls, &plan.fleets).map_err(Ended::net)?;
    let settings = Settings {
        timeouts: plan.timeouts,
        network: plan.network.clone(),
        tls: TlsSettings { plan: plan.tls.clone(), trust: server.trust.clone(), alpn: false, devices },
        addresses,
        shards: 1,
    };
    let connector = Connector::new(&settings).map_err(Ended::net)?;
    let chance = Chance::new(plan.seed);
    let commons = Commons::default();
    let stage = Stage {
        runtime: &runtime,
        connector: &connector,
        origin: &server.origin,
        base: &server.base,
        fallback: plan.fallback.as_ref(),
        chance: &chance,
        commons: &commons,
    };
    let mut player = Player::new(stage, &fleet, index);
    for trigger in &args.does {
        player.act(*trigger);
        if let Some(typed) = &typed {
            player.types(typed.clone());
        }
    }
    let transcript = player.into_transcript();
    let cast = Cast {
        family: fleet.family.name().to_owned(),
        who: fleet.identity(index),
        server: server_in_words(&plan, &server.origin.to_string(), &server.base),
    };
    let text = if args.json {
        format!("{:#}\n", story::as_json(&cast, &transcript))
    } else {
        story::tell(&cast, &transcript, colour(&io::stdout()))
    };
    // A reader that has gone (`| head`) is no failure.
    let _ = io::stdout().lock().write_all(text.as_bytes());
    Ok(Exit::Passed)
}

/// The phone named by extension or, if no phone has that extension, by index.
fn phone(plan: &Plan, name: &str) -> Result<(Arc<Fleet>, u32), Ended> {
    for fleet in &plan.fleets {
        let mut phones = fleet.first..fleet.first + fleet.count;
        if let Some(index) = phones.find(|index| fleet.identity(*index).extension == name) {
            return Ok((fleet.clone(), index));
        }
    }
    let by_index = name.parse().ok().and_then(|index| {
        let fleet = plan.fleets.iter().find(|fleet| fleet.contains(index))?;
        Some((fleet.clone(), index))
    });
    by_index.ok_or_else(|| {
        let last = plan.phones().saturating_sub(1);
        Ended::usage(format!(
            "--phone {name}: no phone of this workload has that extension; by index they are 0 to {last}"
        ))
    })
}

fn server_in_words(plan: &Plan, origin: &str, base: &str) -> String {
    let unverified = if plan.tls.verify { "" } else { " -- CERTIFICATES NOT VERIFIED" };
    match &plan.target {
        Target::Embedded(config) => format!("{origin}{base} (embedded, {}){unverified}", config.likeness.title()),
        Target::Url { .. } => format!("{origin}{base}{unverified}"),
    }
}

fn trigger(name: &str) -> Result<Trigger, String> {
    Trigger::ALL.into_iter().find(|t| t.name() == name).ok_or_else(|| {
        let names: Vec<_> = Trigger::ALL.iter().map(|t| t.name()).collect();
        format!("write {}", names.join(", "))
    })
}
