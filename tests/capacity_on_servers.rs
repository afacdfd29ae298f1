//! `bootstorm capacity` against real servers whose knee is known: nginx that lets so many requests a second through, and
//! Apache with so many workers, each of which takes so long.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::collections::BTreeMap;

use cli::{Ended, Home};
use serde_json::Value;
use support::servers::{Program, Server, Site, by_status};

/// The zone `fifty` of the configuration lets so many requests a second through, and this many more that came early.
const RATE: f64 = 50.0;
const BURST: f64 = 4.0;

/// Phones of each storm: each asks once. Fewer than 299, so that no hiccup of a busy machine makes a run invalid.
const PHONES: f64 = 150.0;

/// nginx with a profile for every phone, and a limit that it answers with 503.
fn nginx() -> Server {
    let limit = format!("limit_req zone=fifty burst={BURST} nodelay;\nlimit_req_status 503;\n");
    let profile = "location ~ \\.xml$ { try_files /profile.xml =404; }\n";
    let site = Site::new("Phones", []).file("profile.xml", b"<flat-profile></flat-profile>").directives(&limit);
    Server::start(Program::Nginx, None, &site.directives(profile))
}

/// nginx's bucket leaks [`RATE`] a second, and each request that it takes adds one to it: the last of a storm of evenly
/// spaced requests finds `(PHONES − 1)(1 − RATE / rate)` in it, which may be [`BURST`] and no more.
fn planted() -> f64 {
    RATE / (1.0 - BURST / (PHONES - 1.0))
}

/// Searches with the shipped workload for a server given by URL, which asks how narrow a storm may be, here one of evenly
/// spaced phones. Its thresholds are those, but for the p99, which so few phones do not have.
fn search(home: &Home, server: &Server, thresholds: &str, more: &[&str]) -> Ended {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/workloads/capacity-url.toml");
    let (target, phones) = (server.url(), PHONES.to_string());
    let thresholds = format!("thresholds={{phones={{failed=\"== 0\",prompting=\"== 0\"}},{thresholds}}}");
    let line = ["capacity", shipped, "--target", &target, "--phones", &phones, "--json", "--out", "x"];
    let set = ["--set", "phase.power.arrival={constant=\"50/s\"}", "--set", &thresholds];
    let range = ["--find", "phase.power.rate", "--from", "37/s", "--to", "300/s", "--no-recovery"];
    home.run(&[&line[..], &set, &range, more].concat())
}

#[test]
fn the_rate_that_nginx_limits_is_found_and_nginx_is_blamed() {
    let home = Home::new();
    let server = nginx();
    let p90 = "operations={resync={response_ms={p90=\"< 2s\"}}}";
    let ended = search(&home, &server, p90, &["--rest", "0s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended.json();
    let found = &told["found"];
    assert_eq!(found["kind"], "knee", "{told:#}");
    let knee = found["value"].as_f64().unwrap();
    println!("{knee:.2}/s where {:.2}/s is planted: {found}", planted());
    assert!((knee / planted() - 1.0).abs() <= 0.05, "{knee}/s where {:.2}/s is planted: {told:#}", planted());
    assert!((knee / RATE - 1.0).abs() <= 0.05, "{knee}/s where nginx limits to {RATE}/s: {told:#}");

    let broke = &told["broke"];
    assert_eq!(broke["whose"], "server", "{broke:#}");
    assert!(broke["words"].as_str().unwrap().contains("ended `overload`: it turned requests away (503)"), "{broke:#}");
    assert!(broke["crossed"][0].as_str().unwrap().starts_with("phones.failed == 0 (it was "), "{broke:#}");
    let said = home.run(&["report", "x"]).stdout;
    assert!(said.contains("broke first  phones.failed == 0 (it was ") && said.contains("the server's: "), "{said}");

    // Beyond its limit it carries no more, and below it fails nobody.
    for point in told["curve"].as_array().unwrap() {
        let of = |key: &str| point[key].as_f64().unwrap();
        match of("load") {
            load if load < 0.97 * RATE => assert_eq!(of("met"), of("met") + of("missed"), "{point:#}"),
            load if load > 1.2 * RATE => assert_eq!(of("met"), 0.0, "{point:#}"),
            _ => {}
        }
        assert!(of("throughput_per_s") < 1.1 * planted(), "{point:#}");
    }

    // What all probes counted is what nginx wrote down.
    let mut counted = BTreeMap::<u16, u64>::new();
    for probe in told["probes"].as_array().unwrap() {
        let status: BTreeMap<String, u64> = serde_json::from_value(probe["figures"]["status"].clone()).unwrap();
        status.iter().for_each(|(code, n)| *counted.entry(code.parse().unwrap()).or_default() += n);
        assert_ne!(probe["figures"], Value::Null);
    }
    let log = server.stop_and_read_log();
    let asked: Vec<_> = log.into_iter().filter(|line| line.path.ends_with(".xml")).collect();
    assert_eq!(by_status(&asked), counted);
}

/// Apache holds each answer for 200 ms, which its workers sleep through: two pieces at 40 KiB a second.
const WORKERS: f64 = 10.0;
const HELD_S: f64 = 0.2;

fn apache() -> Server {
    let workers = format!(
        "ServerLimit 1\nStartServers 1\nThreadsPerChild {WORKERS}\nMaxRequestWorkers {WORKERS}\nKeepAlive Off\n"
    );
    let modules = "/usr/lib/apache2/modules";
    let held = format!(
        "LoadModule ratelimit_module {modules}/mod_ratelimit.so\nLoadModule env_module {modules}/mod_env.so\n\
         LoadModule alias_module {modules}/mod_alias.so\nAliasMatch \"^/.*\\.xml$\" {{{{run}}}}/docroot/profile.xml\n\
         <Location />\nSetOutputFilter RATE_LIMIT\nSetEnv rate-limit 40\n</Location>\n"
    );
    let profile = format!("<flat-profile>{}</flat-profile>", " ".repeat(12_000));
    let site = Site::new("Phones", []).file("profile.xml", profile.as_bytes()).directives(&workers).directives(&held);
    Server::start(Program::Apache, None, &site)
}

/// Nine phones in ten are through within 300 ms as long as the last of them waits a tenth of a second for a worker:
/// phone n waits n times what the workers take longer for one than the next one takes to come.
#[test]
fn the_workers_of_apache_are_found_and_what_queues_for_them_is_blamed() {
    let home = Home::new();
    let server = apache();
    let p90 = "operations={resync={response_ms={p90=\"< 300ms\"}}}";
    // Whoever came last must be through before the next probe begins.
    let ended = search(&home, &server, p90, &["--rest", "1s"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let told = ended.json();
    assert_eq!(told["found"]["kind"], "knee", "{told:#}");
    let carried = WORKERS / HELD_S;
    let planted = 1.0 / (1.0 / carried - (0.3 - HELD_S) / (0.9 * PHONES));
    let knee = told["found"]["value"].as_f64().unwrap();
    println!("{knee:.2}/s where {planted:.2}/s is planted: {}", told["found"]);
    // A busy machine wakes the workers late, and every twentieth of 200 ms is a twentieth of what they carry.
    assert!((knee / planted - 1.0).abs() <= 0.1, "{knee}/s where {planted:.2}/s is planted: {told:#}");
    // The answer itself takes longer than the wait for it; but it does so at any load.
    let broke = &told["broke"];
    assert_eq!(broke["whose"], "server", "{broke:#}");
    assert!(broke["words"].as_str().unwrap().contains("for the first octet of its answer"), "{broke:#}");
}
