//! The server a verb plays against: named by URL, or the embedded one, started for it.

use std::sync::Arc;

use super::Ended;
use crate::net::Trust;
use crate::phone::{Chance, Origin};
use crate::target::{self, Authority, Running, Site};
use crate::workload::{Plan, Target};

/// The server a run plays against, and how to reach it.
pub(super) struct Server {
    pub(super) origin: Arc<Origin>,
    pub(super) base: String,
    pub(super) trust: Trust,
    /// The embedded target, while it runs.
    pub(super) embedded: Option<Running>,
}

/// The server the plan names, started if it is the embedded one.
pub(super) fn find_server(plan: &Plan) -> Result<Server, Ended> {
    match &plan.target {
        Target::Url { origin, base, ca_file } => {
            let trust = match ca_file {
                Some(file) => Trust::from_files(&[file]).map_err(Ended::net)?,
                None => Trust::default(),
            };
            Ok(Server { origin: origin.clone(), base: base.clone(), trust, embedded: None })
        }
        Target::Embedded(config) => {
            let site = Site::for_fleets(config, &plan.fleets, Chance::new(plan.seed)).map_err(Ended::undone)?;
            let authority = config
                .tls
                .as_ref()
                .map(|tls| Authority::new(tls, config.listen.ip()))
                .transpose()
                .map_err(Ended::undone)?;
            let trust = match &authority {
                Some(authority) => {
                    Trust::from_pem("the embedded target's CA", authority.ca_pem().as_bytes()).map_err(Ended::undone)?
                }
                None => Trust::default(),
            };
            let running =
                target::start_waiting(config, Arc::new(site), authority.as_ref(), None).map_err(Ended::undone)?;
            Ok(Server { origin: Arc::new(running.origin()), base: String::new(), trust, embedded: Some(running) })
        }
    }
}
