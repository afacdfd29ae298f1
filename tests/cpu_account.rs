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
mod support;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bootstorm::driver::Processes;
use bootstorm::metrics::Upkeep;
use bootstorm::net::{Connector, Trust, take_upkeep};
use bootstorm::phone::Origin;
use bootstorm::workload::{Resumption, TlsVersions};
use cli::{Home, Served};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use serde_json::Value;
use support::servers::{Program, Server, Site};

/// Two at once would count each other's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

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
        settings.tls.plan.fleets[0].1.versions = versions;
        settings.tls.plan.fleets[0].1.resumption = Resumption::Never;
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
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
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

const PHONES: u32 = 1_500;

/// The whole program against nginx, which keeps no connection: as many handshakes as exchanges. What is told of the
/// generator lies below what its process used, by what it did before the first phone and after the last; what is told of
/// nginx is what its processes used.
#[test]
#[ignore = "takes a minute of both cores; figures want an optimised build"]
fn what_a_run_tells_is_what_the_processes_used() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let accounts = (0..PHONES).map(|n| ((20_000 + n).to_string(), "pw".to_owned()));
    let site = Site::new("Phones", accounts)
        .file("46xxsettings.txt", b"# END\n")
        .file("96x1Hupgrade.txt", b"GET 46xxsettings.txt\n")
        .directives("keepalive_timeout 0;");
    let server = Server::start(Program::Nginx, Some(TlsVersions::Only13), &site);
    home.write("storm.toml", &storm(&server));
    let workers = support::servers::children(server.pid());
    println!("CPU seconds of a run of one handshake for each exchange");
    println!(
        "run  handshakes  opening  in handshakes  closing  the rest  told  process | nginx told  its processes  differs"
    );
    for run in 1..=RUNS {
        let (target, process) = (workers.iter().map(|pid| schedstat_us(*pid)).sum::<f64>(), children_us());
        let (out, pid) = (format!("run-{run}"), server.pid().to_string());
        let ended = home.run(&["run", "storm.toml", "--watch-pid", &pid, "--out", &out]);
        assert!(matches!(ended.code, Some(0 | 97)), "{ended:?}");
        let process = (children_us() - process) / 1e6;
        let target = (workers.iter().map(|pid| schedstat_us(*pid)).sum::<f64>() - target) / 1e6;
        let summary = home.json(&format!("{out}/summary.json"));
        let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value}"));
        let account = &summary["generator"]["cpu_account"];
        let part = |name: &str| number(&account[name]);
        let (told, target_told) = (number(&summary["generator"]["cpu_s"]), number(&summary["target"]["cpu_s"]));
        let differs = 1.0 - target_told / target;
        println!(
            "{run:>3}  {:>10}  {:>7.3}  {:>13.3}  {:>7.3}  {:>8.3}  {told:>4.2}  {process:>7.2} | {target_told:>10.3}  {target:>13.3}  {:>5.2} %",
            summary["tls"]["handshakes"]["full"],
            part("opening_s"),
            part("handshakes_s"),
            part("closing_s"),
            part("rest_s"),
            differs * 100.0
        );
        assert_eq!(summary["tls"]["handshakes"]["full"], summary["exchanges"]["total"]);
        assert!(told < process, "{told} of {process}");
        assert!(differs.abs() <= MOST, "{target_told} of {target}");
    }
}

/// CPU time of the processes this one has started and seen the end of.
fn children_us() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    us(usage.user_time()) + us(usage.system_time())
}

fn storm(server: &Server) -> String {
    let ca = server.ca_pem_path().unwrap();
    format!(
        r#"
seed = 3
run = {{ until = "settled", limit = "2m" }}
target = {{ url = {:?}, ca = {:?} }}
[[fleet]]
family = "avaya-96xx"
count = {PHONES}
extension = "{{index+20000}}"
credentials = {{ user = "{{ext}}", password = "pw", realm = "Phones" }}
settings = {{ registration-delay = "0s" }}
[[phase]]
does = "power-up"
arrival = {{ constant = "300/s" }}
"#,
        server.url(),
        ca.display().to_string(),
    )
}
