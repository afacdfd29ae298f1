//! How long the hot paths of the pure floors take, on one core, without sockets or a clock:
//!
//! ```text
//! cargo bench --bench pure --no-default-features [NAME…]
//! ```
//!
//! For figures that do not depend on what else the machine does: `scripts/bench-instructions`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a benchmark, a panic is the message")]

#[path = "../hot_paths/mod.rs"]
mod hot_paths;

use bootstorm::auth::Algorithm;
use divan::Bencher;
use divan::counter::ItemsCount;

use hot_paths::{HotPath, auth, phone, plan, recorder, scene, site};

fn main() {
    divan::main();
}

fn time<I, O>(bencher: Bencher<'_, '_>, path: HotPath<I, O>) {
    bencher.with_inputs(path.prepare).bench_local_refs(path.act);
}

#[divan::bench(args = auth::CHALLENGES.map(|(server, _)| server))]
fn parse_challenge(bencher: Bencher<'_, '_>, server: &str) {
    time(bencher, auth::parse_challenge(server));
}

#[divan::bench(args = Algorithm::ALL)]
fn answer_fresh(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    time(bencher, auth::answer_fresh(algorithm));
}

#[divan::bench(args = Algorithm::ALL)]
fn answer_again(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    time(bencher, auth::answer_again(algorithm));
}

#[divan::bench(args = Algorithm::ALL)]
fn verify(bencher: Bencher<'_, '_>, algorithm: Algorithm) {
    time(bencher, auth::verify(algorithm));
}

#[divan::bench]
fn realm_cache(bencher: Bencher<'_, '_>) {
    time(bencher, auth::realm_cache());
}

#[divan::bench(args = scene::FAMILIES)]
fn boot(bencher: Bencher<'_, '_>, family: &str) {
    time(bencher, phone::boot(family));
}

/// Items are phones.
#[divan::bench(sample_size = 1)]
fn simulate(bencher: Bencher<'_, '_>) {
    time(bencher.counter(ItemsCount::new(phone::STORM)), phone::storm());
}

/// Items are phones.
#[divan::bench(args = plan::ARRIVALS.map(|(arrival, _)| arrival), sample_size = 1)]
fn starts(bencher: Bencher<'_, '_>, arrival: &str) {
    time(bencher.counter(ItemsCount::new(plan::PHONES)), plan::starts(arrival));
}

#[divan::bench]
fn record_exchange(bencher: Bencher<'_, '_>) {
    time(bencher, recorder::exchange());
}

#[divan::bench]
fn record_operation(bencher: Bencher<'_, '_>) {
    time(bencher, recorder::operation());
}

#[divan::bench]
fn record_slice(bencher: Bencher<'_, '_>) {
    time(bencher.counter(ItemsCount::new(recorder::SLICE)), recorder::slice());
}

#[divan::bench]
fn site_get(bencher: Bencher<'_, '_>) {
    time(bencher, site::get());
}

#[divan::bench]
fn site_put(bencher: Bencher<'_, '_>) {
    time(bencher, site::put());
}
