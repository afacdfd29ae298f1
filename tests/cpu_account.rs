//! Whether the CPU time that is told of handshakes is what the system says the processes used: a run of nothing but
//! handshakes, against the embedded target in a process of its own.
//!
//! Not part of the ordinary tests, for it takes its time and wants figures of an optimised build:
//!
//! ```text
//! cargo test --release --test cpu_account -- --ignored --nocapture
//! ```
#![cfg(all(feature = "live", target_os = "linux"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
#[path = "support/net.rs"]
mod net;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::driver::Processes;
use bootstorm::metrics::Upkeep;
use bootstorm::net::{Connector, Trust, take_upkeep};
use bootstorm::phone::Origin;
use bootstorm::workload::{Resumption, TlsPlan, TlsSetup, TlsVersions};
use cli::{Home, Served};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

const RUNS: u32 = 5;
const HANDSHAKES: u32 = 5_000;
/// Phones that shake hands at the same time.
const AT_ONCE: u32 = 8;
/// By how much the account may differ from the system's own.
const MOST: f64 = 0.05;

/// What a run of handshakes came to, in microseconds for each.
#[derive(Clone, Copy, Debug)]
struct Each {
    handshake: f64,
    opening: f64,
    closing: f64,
    /// What the system says this process used.
    process: f64,
    /// What is told of the target.
    target: f64,
    /// What the system says the target's process used.
    target_process: f64,
}

fn us(time: TimeVal) -> f64 {
    time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64
}

/// CPU time of this process, all its threads and the kernel's work for them.
fn process_us() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    us(usage.user_time()) + us(usage.system_time())
}

/// CPU time of all threads of another process, by the scheduler's own account of each.
fn schedstat_us(pid: u32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let told = threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap());
    told.map(|text| text.split(' ').next().unwrap().parse::<f64>().unwrap()).sum::<f64>() / 1e3
}

async fn shake_hands(connector: &Connector, origin: &Arc<Origin>) -> Duration {
    let (left, cpu) = (Rc::new(Cell::new(HANDSHAKES)), Rc::new(Cell::new(Duration::ZERO)));
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|phone| {
            let (connector, origin, left, cpu) = (connector.clone(), Arc::clone(origin), left.clone(), cpu.clone());
            tokio::task::spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    let opened = connector.open(phone, &origin).await;
                    cpu.set(cpu.get() + opened.handshake.unwrap().cpu);
                    drop(opened.connection.unwrap());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    cpu.get()
}

fn measure(served: &Served, versions: TlsVersions) -> Each {
    let url = served.url().strip_prefix("https://").unwrap().to_owned();
    let (host, port) = url.rsplit_once(':').unwrap();
    let origin = Arc::new(Origin { tls: true, host: host.to_owned(), port: port.parse().unwrap() });
    let pid = served.pid();
    let mut watched = Processes::watch(&[i32::try_from(pid).unwrap()]).unwrap();
    net::run(async {
        let mut settings = net::settings(&[&origin]).await;
        settings.tls.trust = Trust::from_files(&[served.ca()]).unwrap();
        settings.tls.plan = TlsPlan::same(TlsSetup { versions, resumption: Resumption::Never, ..TlsSetup::default() });
        let connector = Connector::new(&settings).unwrap();
        drop(connector.open(0, &origin).await);
        take_upkeep();
        let (target, target_process, process) = (watched.read().cpu, schedstat_us(pid), process_us());
        let handshakes = shake_hands(&connector, &origin).await;
        let process = process_us() - process;
        let target = watched.read().cpu.saturating_sub(target);
        let target_process = schedstat_us(pid) - target_process;
        let upkeep: Upkeep = take_upkeep();
        assert_eq!((upkeep.opened, upkeep.closed), (u64::from(HANDSHAKES), u64::from(HANDSHAKES)));
        let each = |us: f64| us / f64::from(HANDSHAKES);
        Each {
            handshake: each(handshakes.as_secs_f64() * 1e6),
            opening: upkeep.opening_us().unwrap(),
            closing: upkeep.closing_us().unwrap(),
            process: each(process),
            target: each(target.as_secs_f64() * 1e6),
            target_process: each(target_process),
        }
    })
}

#[test]
#[ignore = "takes half a minute of both cores; figures want an optimised build"]
fn what_is_told_of_handshakes_is_what_the_processes_used() {
    let home = Home::new();
    home.write("tiny.toml", &cli::TINY.replace("tls = false", "tls = true"));
    println!("µs of CPU time for each of {HANDSHAKES} full handshakes, chain verified, nothing else");
    println!("version  run  handshake  opening  closing  told  process  differs | target told  its process  differs");
    for versions in [TlsVersions::Only13, TlsVersions::Only12] {
        let served = Served::start(&home, &[]);
        for run in 1..=RUNS {
            let each = measure(&served, versions);
            let told = each.handshake + each.opening + each.closing;
            let (differs, target_differs) = (1.0 - told / each.process, 1.0 - each.target / each.target_process);
            println!(
                "{:<7}  {run:>3}  {:>9.1}  {:>7.1}  {:>7.1}  {told:>5.1}  {:>6.1}  {:>6.2} % | {:>11.1}  {:>11.1}  {:>5.2} %",
                if versions == TlsVersions::Only13 { "1.3" } else { "1.2" },
                each.handshake,
                each.opening,
                each.closing,
                each.process,
                differs * 100.0,
                each.target,
                each.target_process,
                target_differs * 100.0
            );
            assert!(differs.abs() <= MOST, "{each:?}");
            assert!(target_differs.abs() <= MOST, "{each:?}");
        }
    }
}
