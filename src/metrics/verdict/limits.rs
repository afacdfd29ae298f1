//! What this machine ran out of.

use super::{Findings, Validity};
use crate::metrics::Record;
use crate::phone::{Failure, Fault};

pub(super) fn judge(record: &Record, findings: &mut Findings) {
    for (failure, n) in &record.tally.totals.exchanges.failures {
        if failure.fault() != Fault::Generator {
            continue;
        }
        let what = match failure {
            Failure::LocalPorts => {
                "no local port was free on the generator's machine: name more addresses (network.sources), widen \
                 net.ipv4.ip_local_port_range, or bound the connections (network.max-connections)"
            }
            Failure::LocalFiles => {
                "no file descriptor was free on the generator's machine: raise the limit of open files (ulimit -n), or \
                 bound the connections (network.max-connections)"
            }
            _ => "the generator failed: see its log",
        };
        let exchanges = if *n == 1 { "exchange" } else { "exchanges" };
        findings.push((Validity::Invalid, format!("{} in {n} {exchanges}: {what}", failure.name())));
    }
}
