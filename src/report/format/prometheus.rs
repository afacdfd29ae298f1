//! A run for Prometheus: the same names whether it is still on or long over.

use super::exposition::{Exposition, Kind};
use crate::metrics::{Distribution, Record, Totals, Validity};
use crate::phone;
use crate::report::Summary;
use crate::report::summary::{Figures, Named};
use crate::workload::Judgement;

/// The `Content-Type` of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the response times' histogram, in milliseconds: from a cache's answer to a storm's tail.
const BOUNDS_MS: [u32; 16] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];

/// The run as text of [`CONTENT_TYPE`]. With `totals`, sums are exact and response times come as a histogram too;
/// without, sums are the mean (to the microsecond) times the count.
pub fn render(summary: &Summary, totals: Option<&Totals>) -> String {
    let mut page = Exposition::default();
    run(&mut page, summary);
    phones(&mut page, summary);
    operations(&mut page, summary);
    times(&mut page, summary, totals);
    exchanges(&mut page, summary, totals);
    auth(&mut page, summary);
    tls(&mut page, summary, totals);
    storm(&mut page, summary);
    generator(&mut page, summary, totals);
    target(&mut page, summary);
    thresholds(&mut page, summary);
    page.into_text()
}

/// A run that is still on, as text of [`CONTENT_TYPE`]: `record` with what was counted so far, `in_flight` the exchanges
/// now under way. What only an end can tell (the verdict, the thresholds) is not there.
pub fn live(record: &Record, in_flight: u64) -> String {
    let (summary, totals) = (Summary::of(record), &record.tally.totals);
    let mut page = Exposition::default();
    info(&mut page, &summary);
    let help = "Exchanges now under way.";
    page.single("bootstorm_exchanges_in_flight", Kind::Gauge, help, in_flight as f64);
    phones(&mut page, &summary);
    operations(&mut page, &summary);
    times(&mut page, &summary, Some(totals));
    exchanges(&mut page, &summary, Some(totals));
    auth(&mut page, &summary);
    tls(&mut page, &summary, Some(totals));
    storm(&mut page, &summary);
    generator(&mut page, &summary, Some(totals));
    target(&mut page, &summary);
    page.into_text()
}

fn run(page: &mut Exposition, s: &Summary) {
    info(page, s);
    let name = "bootstorm_run_verdict";
    page.family(name, Kind::Gauge, "The run's judgement of itself: 1 for the state it is in.");
    for state in [Validity::Valid, Validity::Degraded, Validity::Invalid] {
        page.sample(name, &[("state", state.name())], flag(s.verdict.state == state));
    }
    let help = "Whether the figures are those of a part of the run (1).";
    page.single("bootstorm_run_partial", Kind::Gauge, help, flag(s.marks.partial || s.marks.ends_at_s.is_some()));
    let help = "Whether whoever ran it accepts an invalid measurement (1).";
    page.single("bootstorm_run_accepted_invalid", Kind::Gauge, help, flag(s.marks.accepted_invalid));
}

fn info(page: &mut Exposition, s: &Summary) {
    let name = "bootstorm_run_info";
    page.family(name, Kind::Gauge, "What is run: always 1.");
    let seed = s.seed.to_string();
    let labels = [
        ("workload", s.workload.name.as_str()),
        ("sha256", &s.workload.sha256),
        ("seed", &seed),
        ("started_at", &s.started_at),
        ("version", &s.version),
    ];
    page.sample(name, &labels, 1.0);
    page.single("bootstorm_run_seconds", Kind::Gauge, "How long the run has been on, or took.", s.wall_s);
    let help = "Whether the server's certificates were not verified (1).";
    page.single("bootstorm_run_tls_not_verified", Kind::Gauge, help, flag(s.marks.tls_not_verified));
}

fn phones(page: &mut Exposition, s: &Summary) {
    let p = &s.phones;
    let name = "bootstorm_phones";
    page.family(name, Kind::Gauge, "Phones by where they stand.");
    let failed = p.failed.saturating_sub(p.failed_off + p.failed_booting);
    for (standing, n) in [
        ("off", p.failed_off),
        ("booting", p.failed_booting),
        ("provisioned", p.provisioned),
        ("prompting", p.prompting),
        ("failed", failed),
    ] {
        page.sample(name, &[("standing", standing)], n as f64);
    }
}

fn operations(page: &mut Exposition, s: &Summary) {
    let all = || in_order(s);
    let name = "bootstorm_operations_planned_total";
    page.family(name, Kind::Counter, "Operations that stood in the plan.");
    all().for_each(|(o, figures)| page.sample(name, &[("operation", o)], figures.planned as f64));
    let name = "bootstorm_operations_started_total";
    page.family(name, Kind::Counter, "Operations that began.");
    all().for_each(|(o, figures)| page.sample(name, &[("operation", o)], figures.started as f64));
    let name = "bootstorm_operations_dropped_total";
    page.family(name, Kind::Counter, "Operations that never began, by cause.");
    for (o, figures) in all() {
        for (cause, n) in &figures.dropped_causes {
            page.sample(name, &[("operation", o), ("cause", cause)], *n as f64);
        }
    }
    let name = "bootstorm_operations_ended_total";
    page.family(name, Kind::Counter, "Operations by how they ended and, unless well, whose fault it is.");
    for (o, figures) in all() {
        for (outcome, n) in &figures.outcomes {
            let fault = figures.faults.get(outcome).map_or("none", String::as_str);
            page.sample(name, &[("operation", o), ("outcome", outcome), ("fault", fault)], *n as f64);
        }
    }
}

/// A distribution of an operation: its summary's figures, and its totals'.
type Of = (
    &'static str,
    &'static str,
    fn(&crate::report::summary::Operation) -> &Figures,
    fn(&crate::metrics::OperationTotals) -> &Distribution,
);

const TIMES: [Of; 4] = [
    (
        "bootstorm_operation_response_seconds",
        "Response time: from the intended start to the end, whatever the outcome.",
        |s| &s.response_ms,
        |t| &t.response,
    ),
    (
        "bootstorm_operation_response_ok_seconds",
        "Response time of the operations that ended ok.",
        |s| &s.response_ok_ms,
        |t| &t.response_ok,
    ),
    (
        "bootstorm_operation_service_seconds",
        "Service time: from the actual start to the end, whatever the outcome.",
        |s| &s.service_ms,
        |t| &t.service,
    ),
    (
        "bootstorm_operation_lateness_seconds",
        "Lateness: from the intended to the actual start.",
        |s| &s.lateness_ms,
        |t| &t.lateness,
    ),
];

fn times(page: &mut Exposition, s: &Summary, totals: Option<&Totals>) {
    for (name, help, figures, distribution) in TIMES {
        page.family(name, Kind::Summary, help);
        for operation in phone::Operation::ALL {
            let Some(o) = s.operations.get(operation.name()) else { continue };
            let exact = totals.map(|t| distribution(t.operation(operation)));
            quantiles(page, name, &[("operation", operation.name())], figures(o), 1e3, exact);
        }
    }
    let Some(totals) = totals else { return };
    let name = "bootstorm_operation_response_time_seconds";
    page.family(name, Kind::Histogram, "The response times again, to be added up over time and runs.");
    for operation in phone::Operation::ALL {
        if s.operations.contains_key(operation.name()) {
            histogram(page, name, operation.name(), &totals.operation(operation).response);
        }
    }
}

fn histogram(page: &mut Exposition, name: &str, operation: &str, d: &Distribution) {
    let buckets = d.buckets();
    let label = ("operation", operation);
    for bound in BOUNDS_MS {
        let within = buckets.iter().take_while(|(us, _)| *us <= bound * 1_000).map(|(_, n)| u64::from(n)).sum::<u64>();
        let bound = (f64::from(bound) / 1e3).to_string();
        page.sample(&format!("{name}_bucket"), &[label, ("le", &bound)], within as f64);
    }
    page.sample(&format!("{name}_bucket"), &[label, ("le", "+Inf")], d.count() as f64);
    page.sample(&format!("{name}_sum"), &[label], sum_s(d));
    page.sample(&format!("{name}_count"), &[label], d.count() as f64);
}

/// The samples of one summary: figures in `per_s` a second. A quantile that is not known is left out.
fn quantiles(
    page: &mut Exposition,
    name: &str,
    labels: &[(&str, &str)],
    f: &Figures,
    per_s: f64,
    exact: Option<&Distribution>,
) {
    for (quantile, value) in [("0.5", f.p50), ("0.9", f.p90), ("0.95", f.p95), ("0.99", f.p99), ("0.999", f.p99_9)] {
        if let Some(value) = value {
            let with: Vec<_> = labels.iter().copied().chain([("quantile", quantile)]).collect();
            page.sample(name, &with, value / per_s);
        }
    }
    let sum = exact.map_or_else(|| f.mean.unwrap_or(0.0) / per_s * f.samples as f64, sum_s);
    page.sample(&format!("{name}_sum"), labels, sum);
    page.sample(&format!("{name}_count"), labels, f.samples as f64);
}

fn sum_s(d: &Distribution) -> f64 {
    d.mean_us().map_or(0.0, |mean| (mean * d.count() as f64).round() / 1e6)
}

fn exchanges(page: &mut Exposition, s: &Summary, totals: Option<&Totals>) {
    let e = &s.exchanges;
    let help = "Requests sent.";
    page.single("bootstorm_exchanges_sent_total", Kind::Counter, help, e.total as f64);
    let name = "bootstorm_exchanges_answered_total";
    counts(page, name, "Requests answered, by status.", "status", &e.status);
    let name = "bootstorm_exchanges_failed_total";
    page.family(name, Kind::Counter, "Exchanges that failed below HTTP, and whose fault it is.");
    for (failure, n) in &e.failures {
        let fault = e.faults.get(failure).map_or("none", String::as_str);
        page.sample(name, &[("failure", failure), ("fault", fault)], *n as f64);
    }
    let help = "Connections opened.";
    page.single("bootstorm_connections_opened_total", Kind::Counter, help, e.connections.opened as f64);
    let help = "Exchanges over a connection that had served another.";
    page.single("bootstorm_connections_reused_total", Kind::Counter, help, e.connections.reused as f64);
    let name = "bootstorm_wire_bytes_total";
    page.family(name, Kind::Counter, "Octets on the phones' sockets, TLS included.");
    page.sample(name, &[("direction", "sent")], e.bytes_out as f64);
    page.sample(name, &[("direction", "received")], e.bytes_in as f64);
    let name = "bootstorm_exchange_phase_seconds";
    page.family(name, Kind::Summary, "Where the time of an exchange goes; total is from dispatch to the end.");
    let exact = totals.map(|t| t.exchanges.phases.each());
    for (n, (phase, figures)) in e.phases_ms.named().enumerate() {
        quantiles(page, name, &[("phase", phase)], figures, 1e3, exact.map(|exact| exact[n]));
    }
}

fn auth(page: &mut Exposition, s: &Summary) {
    let a = &s.auth;
    counts(page, "bootstorm_challenges_total", "Challenges received, by kind.", "kind", &a.challenges);
    counts(page, "bootstorm_answers_total", "Requests with credentials, by scheme.", "scheme", &a.answers);
    let help = "Screens that came up to wait for a person.";
    counts(page, "bootstorm_prompts_total", help, "screen", &a.prompts);
}

fn tls(page: &mut Exposition, s: &Summary, totals: Option<&Totals>) {
    let (t, h) = (&s.tls, &s.tls.handshakes);
    let name = "bootstorm_tls_handshakes_total";
    page.family(name, Kind::Counter, "TLS handshakes, by kind.");
    for (kind, n) in [("full", h.full), ("resumed", h.resumed), ("hello_retry", h.hello_retry), ("failed", h.failed)] {
        page.sample(name, &[("kind", kind)], n as f64);
    }
    let name = "bootstorm_tls_ledger_handshakes_total";
    page.family(name, Kind::Counter, "TLS handshakes, by line of the ledger.");
    for (line, handshakes) in &t.ledger {
        let certificate = if handshakes.client_certificate { "yes" } else { "no" };
        let labels = [("line", line.as_str()), ("kind", &handshakes.kind), ("client_certificate", certificate)];
        page.sample(name, &labels, handshakes.count as f64);
    }
    let exact = totals.map(|t| t.tls.completed());
    let name = "bootstorm_tls_handshake_seconds";
    page.family(name, Kind::Summary, "TLS handshakes that were completed.");
    quantiles(page, name, &[], &t.handshake_ms, 1e3, exact.as_ref().map(|e| &e.wall));
    let name = "bootstorm_tls_client_cpu_seconds";
    page.family(name, Kind::Summary, "CPU time of the client's thread in a completed TLS handshake.");
    quantiles(page, name, &[], &t.client_cpu_us, 1e6, exact.as_ref().map(|e| &e.cpu));
}

fn storm(page: &mut Exposition, s: &Summary) {
    let storm = &s.storm;
    if storm.phones == 0 {
        return;
    }
    let help = "Phones to which the plan returns the power.";
    page.single("bootstorm_storm_phones", Kind::Gauge, help, storm.phones as f64);
    let name = "bootstorm_storm_provisioned_seconds";
    page.family(name, Kind::Gauge, "From the first power-up until this share of the storm's phones was provisioned.");
    for (share, at) in
        [("0.5", storm.provisioned_50_s), ("0.95", storm.provisioned_95_s), ("1", storm.provisioned_100_s)]
    {
        if let Some(at) = at {
            page.sample(name, &[("share", share)], at);
        }
    }
    let help = "Most exchanges under way at once.";
    page.single("bootstorm_storm_in_flight_peak", Kind::Gauge, help, storm.peak_in_flight as f64);
    if let Some(amplification) = storm.amplification {
        let help = "Exchanges sent for each that a calm fleet needs.";
        page.single("bootstorm_storm_amplification_ratio", Kind::Gauge, help, amplification);
    }
}

fn generator(page: &mut Exposition, s: &Summary, totals: Option<&Totals>) {
    let g = &s.generator;
    page.single("bootstorm_generator_shards", Kind::Gauge, "Threads that drive phones.", f64::from(g.shards));
    let name = "bootstorm_generator_cpu_busy_ratio";
    page.family(name, Kind::Gauge, "Share of their cores the shards used; max: the busiest alone.");
    page.sample(name, &[("of", "all")], g.cpu_busy);
    page.sample(name, &[("of", "max")], g.cpu_busy_max);
    let help = "CPU time of all shards.";
    page.single("bootstorm_generator_cpu_seconds_total", Kind::Counter, help, g.cpu_s);
    let help = "Most resident memory.";
    page.single("bootstorm_generator_resident_memory_bytes", Kind::Gauge, help, g.rss_bytes as f64);
    let help = "Most files open at once.";
    page.single("bootstorm_generator_open_fds", Kind::Gauge, help, g.open_files as f64);
    let name = "bootstorm_generator_loop_lag_seconds";
    page.family(name, Kind::Summary, "By how much the shards' timers came late.");
    quantiles(page, name, &[], &g.loop_lag_ms, 1e3, None);
    let name = "bootstorm_generator_pace_seconds";
    page.family(name, Kind::Summary, "By how much phones were told late of what the plan had for them.");
    quantiles(page, name, &[], &g.pace_ms, 1e3, totals.map(|t| &t.pace));
}

fn target(page: &mut Exposition, s: &Summary) {
    let Some(t) = &s.target else { return };
    let help = "CPU time the target used on this machine, whatever for.";
    page.single("bootstorm_target_cpu_seconds_total", Kind::Counter, help, t.cpu_s);
    if let Some(rss) = t.rss_bytes {
        let help = "Most resident memory of the target's processes.";
        page.single("bootstorm_target_resident_memory_bytes", Kind::Gauge, help, rss as f64);
    }
    let help = "Processes that were named as the target's and have ended.";
    page.single("bootstorm_target_gone", Kind::Gauge, help, f64::from(t.gone));
}

fn thresholds(page: &mut Exposition, s: &Summary) {
    if s.thresholds.is_empty() {
        return;
    }
    let name = "bootstorm_threshold_pass";
    page.family(name, Kind::Gauge, "Whether a threshold holds (1).");
    let judged = s.thresholds.iter().filter(|t| t.judgement != Judgement::NotJudged);
    judged.for_each(|t| page.sample(name, &[("threshold", &t.text)], flag(t.pass)));
    let name = "bootstorm_threshold_value";
    page.family(name, Kind::Gauge, "What a threshold compares, in its unit.");
    for t in &s.thresholds {
        if let Some(value) = t.value {
            page.sample(name, &[("threshold", &t.text), ("unit", &t.unit)], value);
        }
    }
}

fn counts(page: &mut Exposition, name: &str, help: &str, label: &str, named: &Named) {
    page.family(name, Kind::Counter, help);
    named.iter().for_each(|(value, n)| page.sample(name, &[(label, value)], *n as f64));
}

/// The operations in the order of [`phone::Operation::ALL`].
fn in_order(s: &Summary) -> impl Iterator<Item = (&str, &crate::report::summary::Operation)> {
    phone::Operation::ALL
        .iter()
        .filter_map(|o| s.operations.get_key_value(o.name()))
        .map(|(name, figures)| (name.as_str(), figures))
}

const fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}
