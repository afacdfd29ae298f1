//! How the generator works, and by whose leave: what all verbs that make runs take.

use clap::Args;

use super::Ended;
use super::bounds::Bounds;
use super::consent::ConsentArgs;
use super::server::Server;
use crate::net::{Addresses, Devices, NetError, Settings, TlsSettings};
use crate::workload::Plan;

/// How the generator works and by whose leave, whoever makes the run.
#[derive(Clone, Debug, Args)]
pub(super) struct GeneratorArgs {
    #[command(flatten)]
    pub(super) consent: ConsentArgs,
    /// Run on this many threads instead of one per core
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024), help_heading = "Generator")]
    shards: Option<u32>,
    /// Count the CPU time and memory of this process, and of all it started, as the target's: a server on this machine; may
    /// be given more than once
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..), help_heading = "Target")]
    pub(super) watch_pid: Vec<i32>,
    /// Do not verify the server's certificates; stamped on every output
    #[arg(long, help_heading = "Generator")]
    pub(super) dangerously_skip_tls_verification: bool,
}

impl GeneratorArgs {
    /// One shard for each core, if nobody says otherwise.
    fn shard_count(&self) -> usize {
        self.shards.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), |n| n as usize)
    }

    /// How the phones' side connects.
    pub(super) fn settings(&self, plan: &Plan, server: &Server, addresses: Addresses) -> Result<Settings, Ended> {
        let devices = Devices::of(&plan.tls, &plan.fleets).map_err(Ended::net)?;
        Ok(Settings {
            timeouts: plan.timeouts,
            network: plan.network.clone(),
            tls: TlsSettings { plan: plan.tls.clone(), trust: server.trust.clone(), alpn: false, devices },
            addresses,
            shards: self.shard_count(),
        })
    }

    /// Whether this machine's files and ports are enough for the plan, known without any server. Where the target is
    /// known by name alone, its run will tell.
    pub(super) fn check_limits(&self, plan: &Plan) -> Result<(), NetError> {
        let Some(target) = plan.target.address() else { return Ok(()) };
        Bounds::of(plan, target, self.shard_count()).map(drop)
    }
}
