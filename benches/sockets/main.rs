//! What one exchange costs through the client sockets, against the embedded server on a thread of its own:
//!
//! ```text
//! cargo bench --bench sockets [NAME…]
//! ```
//!
//! Wall-clock and noisy: two threads, the system's loopback and scheduler, and both ends of every handshake are in it.
//! Compare only runs on one quiet machine; what must not creep is watched by `scripts/bench-instructions`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

#[allow(dead_code, reason = "only the scene is used here")]
#[path = "../hot_paths/mod.rs"]
mod hot_paths;

use std::sync::Arc;
use std::time::Duration;

use bootstorm::net::{Connection, Connector, Done, Settings, TlsSettings, Trust, resolve};
use bootstorm::phone::{Origin, Reason, Request};
use bootstorm::target::{self, Running};
use bootstorm::workload::{EmbeddedTarget, KeyKind, Network, TargetTls, Timeouts, TlsPlan, TlsSetup};
use bytes::Bytes;
use divan::Bencher;
use http::Method;
use tokio::runtime::{Builder, Runtime};

use hot_paths::scene;

fn main() {
    divan::main();
}

/// How the server is reached.
#[derive(Clone, Copy, Debug)]
enum Line {
    Plain,
    /// TLS 1.3, with a certificate of this kind.
    Tls(KeyKind),
}

const LINES: [Line; 3] = [Line::Plain, Line::Tls(KeyKind::EcdsaP256), Line::Tls(KeyKind::Rsa2048)];

/// The phone's end, on one thread as a shard has it, and the server's.
struct Wire {
    runtime: Runtime,
    connector: Connector,
    request: Request,
    /// Dropped last.
    _server: Running,
}

impl Wire {
    fn new(line: Line) -> Wire {
        let plan = scene::plan(2, "\"at-once\"");
        let tls = match line {
            Line::Plain => None,
            Line::Tls(key) => Some(TargetTls { tickets: false, key, ..TargetTls::default() }),
        };
        let mut config = EmbeddedTarget { tls, accept_loops: 1, ..scene::embedded(&plan).clone() };
        config.auth.offers.clear();
        let server = target::start(&config, Arc::new(scene::site(&plan)), None).unwrap();
        let origin = Arc::new(server.origin());
        let trust = server.ca_pem().map_or_else(Trust::default, |pem| Trust::from_pem("ca", pem.as_bytes()).unwrap());
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connector = Connector::new(&settings(&runtime, &origin, trust)).unwrap();
        let request = Request {
            origin,
            method: Method::GET,
            path: "/46xxsettings.txt".to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            reason: Reason::First,
            keep_alive: true,
        };
        Wire { runtime, connector, request, _server: server }
    }

    fn get(&self, kept: Option<Connection>) -> Done {
        let reused = kept.is_some();
        let done = self.runtime.block_on(self.connector.exchange(0, kept, &self.request));
        assert_eq!((done.facts.status, done.facts.reused), (Some(200), reused), "{:?}", done.facts);
        done
    }
}

fn settings(runtime: &Runtime, origin: &Origin, trust: Trust) -> Settings {
    let limit = Duration::from_secs(20);
    Settings {
        timeouts: Timeouts { connect: limit, tls: limit, first_byte: limit, exchange: limit },
        network: Network { sources: Vec::new(), max_connections: None, idle: limit },
        tls: TlsSettings { plan: TlsPlan::same(TlsSetup::default()), trust, alpn: false, devices: None },
        addresses: runtime.block_on(resolve::resolve([origin])).unwrap(),
        shards: 1,
    }
}

/// A GET on a kept connection.
#[divan::bench(args = LINES)]
fn get_kept_alive(bencher: Bencher<'_, '_>, line: Line) {
    let wire = Wire::new(line);
    let mut kept = wire.get(None).connection;
    bencher.bench_local(|| {
        let done = wire.get(kept.take());
        kept = done.connection;
        done.facts
    });
}

/// TCP connect, full TLS handshake if there is one, GET, close. Few: every one leaves a port in TIME_WAIT.
#[divan::bench(args = LINES, sample_count = 50, sample_size = 20)]
fn connect_and_get(bencher: Bencher<'_, '_>, line: Line) {
    let wire = Wire::new(line);
    bencher.bench_local(|| wire.get(None).facts);
}
