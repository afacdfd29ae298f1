//! A plan carried out on sockets against the embedded target, in this process.

use std::sync::Arc;

use bootstorm::driver::{self, Control, Driven, Handicap, Live, Setting};
use bootstorm::metrics::journal::Header;
use bootstorm::metrics::{Distribution, SnapshotCell};
use bootstorm::net::{Devices, Settings, TlsSettings, Trust, resolve};
use bootstorm::phone::{Chance, Origin};
use bootstorm::target::{self, Running, Site};
use bootstorm::workload::{EmbeddedTarget, Plan, Target};

/// The embedded target a plan names.
pub(crate) fn embedded(plan: &Plan) -> &EmbeddedTarget {
    match &plan.target {
        Target::Embedded(config) => config,
        Target::Url { .. } => panic!("these tests bring their own target"),
    }
}

/// The site of the plan's embedded target.
pub(crate) fn site(plan: &Plan) -> Site {
    Site::for_fleets(embedded(plan), &plan.fleets, Chance::new(plan.seed)).unwrap()
}

/// The plan's embedded target, started.
pub(crate) fn serve(plan: &Plan) -> Running {
    let running = target::start_waiting(embedded(plan), Arc::new(site(plan)), None, None).unwrap();
    running.begin(plan.compression);
    running
}

/// How to carry the plan out against `origin`, whose certificates end in `ca` if it speaks TLS.
pub(crate) fn setting(plan: &Plan, origin: Origin, ca: Option<&str>, shards: u32, max_connections: usize) -> Setting {
    let origin = Arc::new(origin);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let addresses = runtime.block_on(resolve::resolve([&*origin])).unwrap();
    let trust = ca.map_or_else(Trust::default, |pem| Trust::from_pem("the test's CA", pem.as_bytes()).unwrap());
    let devices = Devices::of(&plan.tls, &plan.fleets).unwrap();
    Setting {
        origin,
        base: String::new(),
        net: Settings {
            timeouts: plan.timeouts,
            network: plan.network.clone(),
            tls: TlsSettings { plan: plan.tls.clone(), trust, alpn: false, devices },
            addresses,
            shards: shards as usize,
        },
        max_connections,
        shards,
        embedded: true,
        ports: None,
        timer_floor: Distribution::new(),
        control: Control::default(),
        snapshots: (0..shards).map(|_| Arc::new(SnapshotCell::new())).collect(),
        live: Live::default(),
        journal: None,
        header: Header::default(),
        target: None,
        handicap: Handicap::None,
    }
}

/// Starts the plan's embedded target, carries the plan out, and stops it.
pub(crate) fn run(plan: &Arc<Plan>, shards: u32, max_connections: usize) -> Driven {
    let running = serve(plan);
    let setting = setting(plan, running.origin(), running.ca_pem(), shards, max_connections);
    let driven = driver::run(plan, setting).unwrap();
    running.stop();
    driven
}
