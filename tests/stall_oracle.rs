#![cfg(feature = "live")]
//! The stall oracle: a server that answers nobody for S of T seconds, at a constant rate of starts, has a p99 response
//! time of S − 0.01·T. A tool that measures from when it got round to sending tells the base time instead.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bootstorm::phone::{Chance, Moment, Operation, Origin};
use bootstorm::simulate::{Latencies, simulate};
use bootstorm::target::{Served, Site};
use bootstorm::workload::{Overrides, Plan, Target, parse};
use cli::{Home, Served as Server};

/// Phones that are up and provisioned, told one after another at `rate` a second to fetch their profile: one exchange.
fn workload(rate: u32, seconds: u32) -> String {
    format!(
        r#"
seed = 3
[target.embedded]
tls = false
auth = {{ offers = [] }}
[[fleet]]
name = "cisco"
family = "cisco-mpp"
count = {}
starts-on = true
mac = "00562b{{number:06x}}"
[fleet.credentials]
realm = "Digest"
[fleet.settings]
resync-periodic = "0s"
[[phase]]
name = "resyncs"
does = "resync"
arrival = {{ constant = "{rate}/s" }}
[timeouts]
first-byte = "2m"
exchange = "3m"
"#,
        rate * seconds
    )
}

fn plan(rate: u32, seconds: u32) -> Arc<Plan> {
    let text = workload(rate, seconds);
    Arc::new(parse(&text, "stall.toml", Path::new(""), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")))
}

/// The p99 response time of the plan, in seconds, on a server frozen for `stall` from `from` on.
fn frozen(plan: &Arc<Plan>, latencies: Latencies, from: Duration, stall: Duration) -> f64 {
    let Target::Embedded(config) = &plan.target else { panic!("it has its own") };
    let site = Site::for_fleets(config, &plan.fleets, Chance::new(plan.seed)).unwrap();
    let origin = Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 });
    let (from, until) = (Moment::ZERO + from, Moment::ZERO + from + stall);
    let server = |now: Moment, request: &http::Request<bytes::Bytes>| {
        let served = site.respond(now, request).into();
        // A request that arrives while nobody is at work is answered when work goes on.
        let at = if (from..until).contains(&now) { until } else { now };
        Served { at: Some(at), ..served }
    };
    let (tally, _) = simulate(plan, &origin, "", latencies, server);
    let resyncs = tally.totals.operation(Operation::Resync);
    assert_eq!(resyncs.succeeded(), u64::from(plan.phones()), "{:?}", resyncs.outcomes);
    resyncs.response.quantile_us(0.99).unwrap() as f64 / 1e6
}

#[test]
fn in_virtual_time_the_p99_is_what_the_stall_says() {
    const RATE: u32 = 100;
    const SECONDS: u32 = 100;
    let plan = plan(RATE, SECONDS);
    let latencies = Latencies::default();
    let base = (latencies.connect + latencies.exchange).as_secs_f64();
    for n in 0..20 {
        let stall = Duration::from_millis(1_500 + 1_237 * n);
        let from = Duration::from_millis(100 + 2_903 * n);
        let p99 = frozen(&plan, latencies, from, stall);
        let oracle = stall.as_secs_f64() - 0.01 * f64::from(SECONDS);
        assert!(
            (p99 - base - oracle).abs() <= 0.01 * oracle,
            "stall {stall:?}: p99 {p99} s, the oracle says {oracle} s"
        );

        // And exactly, to the three digits of the histogram: the sample of that rank among those that had to wait.
        let mut response: Vec<f64> = (0..RATE * SECONDS)
            .map(|k| f64::from(k) / f64::from(RATE))
            .map(|t| stall.as_secs_f64() - (t - from.as_secs_f64()))
            .map(|left| if left > 0.0 && left <= stall.as_secs_f64() { left + base } else { base })
            .collect();
        response.sort_by(f64::total_cmp);
        let exact = response[(RATE * SECONDS * 99 / 100 - 1) as usize];
        assert!((p99 - exact).abs() <= exact * 0.001 + 1e-5, "stall {stall:?}: p99 {p99} s, exactly {exact} s");
    }
}

/// How many stalls to plant on loopback: a few here, and as many as one asks for.
fn stalls() -> u32 {
    std::env::var("BOOTSTORM_TEST_STALLS").ok().and_then(|n| n.parse().ok()).unwrap_or(4)
}

#[test]
fn on_loopback_the_p99_is_what_the_stall_says() {
    // Several at a time: each waits more than it works.
    for some in (0..stalls()).collect::<Vec<_>>().chunks(4) {
        std::thread::scope(|scope| some.iter().for_each(|n| drop(scope.spawn(|| one_stall(*n)))));
    }
}

fn one_stall(n: u32) {
    const RATE: u32 = 100;
    const SECONDS: u32 = 8;
    let home = Home::new();
    home.write("tiny.toml", &workload(RATE, SECONDS));
    let server = Server::start(&home, &[]);
    let mut run = home.bootstorm();
    run.args(["run", "tiny.toml", "--json", "--out", "run", "--target", server.url()]);
    let run = run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    // Well within the eight seconds, however slowly the run begins.
    std::thread::sleep(Duration::from_millis(1_500));
    let stall = server.freeze(Duration::from_millis(900 + u64::from(n % 20) * 100)).as_secs_f64();
    let ended = cli::Ended::of(&run.wait_with_output().unwrap());
    let resync = &ended.json()["operations"]["resync"];
    assert_eq!(resync["outcomes"]["ok"], RATE * SECONDS, "{ended:?}");
    let figure = |name: &str, q: &str| resync[name][q].as_f64().unwrap() / 1e3;
    let (p99, base) = (figure("response_ms", "p99"), figure("response_ms", "p50"));
    let oracle = stall - 0.01 * f64::from(SECONDS);
    // One sample's rank is 10 ms; the rest is this machine's floor: processes wake late when others have its cores.
    let floor = 0.03 + figure("lateness_ms", "p99");
    let off = p99 - base - oracle;
    println!("stall {stall:.3} s: p99 {p99:.3} s, base {base:.4} s, the oracle says {oracle:.3} s, off by {off:+.3} s");
    assert!(off.abs() <= 0.01 * oracle + floor, "stall {stall} s: p99 {p99} s, the oracle says {oracle} s");
}
