//! A fleet of both families and a site for it.
#![allow(dead_code, reason = "each benchmark uses its own part of it")]

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use bootstorm::phone::{Answer, BodyFacts, Chance, Origin, Request};
use bootstorm::target::Site;
use bootstorm::workload::{EmbeddedTarget, Overrides, Plan, Target, parse};
use bytes::Bytes;

/// The families, each half of the phones, in this order.
pub(crate) const FAMILIES: [&str; 2] = ["avaya-96xx", "cisco-mpp"];

/// `phones` phones, all of which hold the right credentials, against an IIS-like site; one phase of power-ups.
pub(crate) fn plan(phones: u32, arrival: &str) -> Arc<Plan> {
    raised(phones, arrival, false)
}

/// The same, but the phones are up and provisioned from the start.
pub(crate) fn plan_up(phones: u32, arrival: &str) -> Arc<Plan> {
    raised(phones, arrival, true)
}

fn raised(phones: u32, arrival: &str, starts_on: bool) -> Arc<Plan> {
    let mut text = String::from(
        "seed = 7\n[run]\nlimit = \"1h\"\n[target.embedded]\ntls = false\nlikeness = \"iis\"\nprefilled = true\n\
         [target.embedded.auth]\noffers = [\"digest-md5-sess\"]\nrealm = \"Digest\"\nprotects = \"all-but-settings\"\n",
    );
    for (family, mac) in FAMILIES.into_iter().zip(["001b4f", "00562b"]) {
        let count = phones / 2;
        write!(text, "[[fleet]]\nfamily = \"{family}\"\ncount = {count}\nstarts-on = {starts_on}\n").unwrap();
        writeln!(text, "mac = \"{mac}{{number:06x}}\"").unwrap();
    }
    write!(text, "[[phase]]\ndoes = \"power-up\"\narrival = {arrival}\n").unwrap();
    Arc::new(parse(&text, "scene.toml", Path::new("."), &Overrides::default()).unwrap_or_else(|e| panic!("{e}")))
}

/// The plan's embedded target.
pub(crate) fn embedded(plan: &Plan) -> &EmbeddedTarget {
    match &plan.target {
        Target::Embedded(target) => target,
        Target::Url { .. } => unreachable!("the scene has an embedded target"),
    }
}

/// The site of the plan's embedded target.
pub(crate) fn site(plan: &Plan) -> Site {
    Site::for_fleets(embedded(plan), &plan.fleets, Chance::new(plan.seed)).unwrap()
}

/// Where the phones find it.
pub(crate) fn origin() -> Arc<Origin> {
    Arc::new(Origin { tls: false, host: "127.0.0.1".into(), port: 80 })
}

/// A phone's request as the site sees it.
pub(crate) fn asked(request: &Request) -> http::Request<Bytes> {
    let mut asked = http::Request::builder().method(&request.method).uri(&request.path);
    for (name, value) in &request.headers {
        asked = asked.header(name, value);
    }
    asked.body(request.body.clone()).unwrap()
}

/// The site's response as the phone sees it.
pub(crate) fn answered(response: http::Response<Bytes>) -> Answer {
    let (head, body) = response.into_parts();
    Answer { status: head.status, headers: head.headers.into(), body: BodyFacts::of(&body) }
}
