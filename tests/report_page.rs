//! The pages of a run, of a matrix and of a search for capacity in a real browser: the shipped workloads, played in virtual
//! time, told in HTML and opened in headless Chromium.
//!
//! `BOOTSTORM_PAGES=DIR cargo test --test report_page` keeps the pages, to be looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test, a panic is the message")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime};

use bootstorm::metrics::{
    CoreSample, GeneratorFacts, MachineSample, Marks, PlanFacts, Record, Tally, TargetUse, ThreadSample,
    ThresholdResult, Timeline,
};
use bootstorm::phone::{Moment, Origin};
use bootstorm::report::compare::{Answer, Sense};
use bootstorm::report::matrix::{
    Cell, Change, Choice, Played, PlayedAxis, PlayedVariant, Row, RunState, RunTold, SideBySide, Told,
};
use bootstorm::report::{Circumstances, Limits, Machine, Manifest, Summary, html};
use bootstorm::simulate::{Latencies, simulate_into};
use bootstorm::target::Served;
use bootstorm::workload::{Overrides, Plan, Target, load};
use bytes::Bytes;
use support::live;

/// A server with so many workers, each of which takes this long: what comes sooner waits its turn.
struct Queue {
    free: Vec<Moment>,
    service: Duration,
}

impl Queue {
    fn take(&mut self, now: Moment) -> Moment {
        let worker = self.free.iter_mut().min().unwrap();
        *worker = (*worker).max(now) + self.service;
        *worker
    }
}

/// What a server of three processes has used by then.
fn used(second: u64, busy: f32) -> TargetUse {
    TargetUse {
        cpu_us: second * 900_000,
        busy: 2.5 * busy,
        rss_bytes: Some(34_000_000),
        processes: 3,
        gone: 1,
        handshakes: None,
    }
}

/// The workload in virtual time, against its embedded target behind a queue.
fn play(name: &str, sets: &[&str]) -> (Record, Summary, Manifest) {
    let sets: Vec<_> = sets.iter().map(|s| (*s).to_owned()).collect();
    let file = PathBuf::from(format!("workloads/{name}.toml"));
    let plan: Arc<Plan> = Arc::new(load(&file, &Overrides { sets: sets.clone(), ..Overrides::default() }).unwrap());
    let Target::Embedded(config) = &plan.target else { panic!("{name} brings its own target") };
    let origin = Arc::new(Origin { tls: config.tls.is_some(), host: "127.0.0.1".into(), port: 8443 });
    let site = live::site(&plan);
    let service = Duration::from_secs_f64(0.004 * plan.compression);
    let queue = Mutex::new(Queue { free: vec![Moment::ZERO; 2], service });
    let server = |now, request: &http::Request<Bytes>| {
        let served: Served = site.serve(now, request);
        let at = served.at.unwrap_or(now).max(queue.lock().unwrap().take(now));
        Served { at: Some(at), ..served }
    };
    let (mut tally, mut timeline) = (Tally::default(), Timeline::default());
    let wall = simulate_into(&plan, &origin, "", Latencies::default(), server, &mut |slice| {
        tally.add(&slice);
        timeline.add(&slice);
    });
    timeline.until(wall);
    for second in 1..=wall.as_secs() {
        let busy = 0.25 + 0.2 * (second as f32 / 5.0).sin().abs();
        timeline.look(&MachineSample {
            at_ms: second * 1_000,
            cores: vec![
                CoreSample { core: 0, busy, steal: 0.004 },
                CoreSample { core: 1, busy: busy / 2.0, steal: 0.0 },
            ],
            shards: vec![ThreadSample { busy: busy * 0.8, waited: 0.0 }],
            rss_bytes: 61_000_000 + second * 100_000,
            open_files: 1_000,
            open_files_limit: 1_048_576,
            ports: Some(800),
            ports_limit: Some(28_232),
            target: Some(used(second, busy)),
        });
    }
    let mut record = Record {
        plan: PlanFacts::of(&plan),
        started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_293_834),
        wall,
        tally,
        timeline,
        generator: GeneratorFacts { shards: 1, cpu_busy: 0.31, cpu_busy_max: 0.31, ..GeneratorFacts::default() },
        target: Some(used(wall.as_secs(), 0.0)),
        marks: Marks::default(),
        thresholds: Vec::new(),
    };
    let figures = serde_json::to_value(Summary::of(&record)).unwrap();
    record.thresholds =
        plan.thresholds.iter().map(|threshold| ThresholdResult::check(threshold, &figures, &record.marks)).collect();
    let circumstances = Circumstances {
        effective: plan.effective.clone(),
        overrides: sets,
        target: origin.to_string(),
        consent: None,
        machine: Machine {
            cores: 2,
            kernel: "virtual time".into(),
            architecture: "x86_64".into(),
            ..Machine::default()
        },
        limits: Limits { open_files: 1_048_576, max_connections: None, source_addresses: 0, local_ports: Some(28_232) },
    };
    let manifest = Manifest::of(&record.plan, record.started_at, circumstances);
    let summary = Summary::of(&record);
    (record, summary, manifest)
}

/// Writes the page where it can be opened; a person who named a folder finds it there afterwards.
fn write(folder: &Path, name: &str, page: &str) -> PathBuf {
    let kept = std::env::var_os("BOOTSTORM_PAGES").map(PathBuf::from);
    let path = kept.as_deref().unwrap_or(folder).join(name);
    std::fs::write(&path, page).unwrap();
    path
}

/// What the browser made of a page: its document, and what it said on stderr.
struct Opened {
    document: String,
    said: String,
}

impl Opened {
    /// What the page, or a policy it broke, had to say.
    fn console(&self) -> Vec<&str> {
        self.said.lines().filter(|line| line.contains("CONSOLE")).collect()
    }
}

/// Opens a page in a browser of its own.
fn open(folder: &Path, page: &Path, more: &[&str]) -> Opened {
    let profile = folder.join(format!("profile-{}", page.file_name().unwrap().to_string_lossy()));
    let output = Command::new("chromium")
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-extensions"])
        .args(["--enable-logging=stderr", "--v=0", "--virtual-time-budget=2000", "--dump-dom"])
        .args(more)
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap_or_else(|e| panic!("chromium: {e}; scripts/install-servers brings it"));
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let opened = Opened { document: text(&output.stdout), said: text(&output.stderr) };
    assert!(output.status.success() && !opened.document.is_empty(), "{}", opened.said);
    opened
}

const SECTIONS: [&str; 14] = [
    "verdict",
    "goals",
    "storm",
    "traffic",
    "times",
    "heat",
    "phases",
    "auth",
    "tls",
    "outcomes",
    "phones",
    "generator",
    "run",
    "words",
];

/// Those of the page of a search, and of a matrix.
const OF_CAPACITY: [&str; 8] = ["verdict", "curve", "broke", "do", "recovery", "law", "probes", "run"];
const OF_MATRIX: [&str; 6] = ["table", "choices", "bars", "notes", "runs", "varied"];

const STORIES: [&str; 3] = ["mass-reboot", "realm-rename", "retry-convoy"];
const SEARCHES: [&str; 2] = ["capacity", "capacity-collapse"];

/// The pages of the shipped stories and searches, of a matrix, and one made by an enemy.
static PAGES: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let told = |name| {
        let (record, summary, manifest) = play(name, &[]);
        (name, html::page(&record, &summary, &manifest))
    };
    let runs = STORIES.map(told).into_iter().chain([("hostile", hostile())]);
    runs.chain(SEARCHES.map(|name| (name, search(name)))).chain([("matrix", html::matrix_page(&matrix()))]).collect()
});

/// A search of the shipped kind, made by the program itself.
fn search(name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (out, file) = (folder.path().join("x"), format!("workloads/{name}.toml"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bootstorm"));
    let output = command.args(["capacity", &file, "--virtual", "--out"]).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read_to_string(out.join("report.html")).unwrap()
}

/// As wide as one of TLS setups gets: five axes, eleven figures, each with its spread and an answer.
fn matrix() -> SideBySide {
    let axes = [
        ("certificate", ["ECDSA-P-256", "RSA-2048"]),
        ("version", ["1.3", "1.2"]),
        ("storm", ["full", "resumed"]),
        ("client-certificate", ["without", "with"]),
        ("group", ["X25519", "X25519MLKEM768"]),
    ];
    let names = [
        "handshakes/s in the storm",
        "drained after, s",
        "client CPU a handshake, µs",
        "target CPU a handshake, µs",
        "octets sent a handshake",
        "octets received a handshake",
        "handshake p50, ms",
        "handshake p99, ms",
        "resync response time p99, ms",
        "phones failed",
        "exchanges failed",
    ];
    let told = |name: &str| Told { key: name.into(), name: name.into(), sense: Sense::Amount, counts: false };
    let row = |n: usize| {
        let values: Vec<String> =
            axes.iter().enumerate().map(|(at, (_, values))| values[n >> (4 - at) & 1].to_owned()).collect();
        let (name, folder) = (values.join(", "), values.join("_"));
        let cell = |column: usize| {
            let middle = 1.37 * (n * (column + 1) * 97 % 3_000 + 1) as f64;
            Cell {
                median: Some(middle),
                lowest: Some(middle * 0.9),
                highest: Some(middle * 1.21),
                answer: Some([Answer::Slower, Answer::Faster, Answer::CannotTell][(n + column) % 3]),
                words: Some("slower by 12.0 to 18.0 %".into()),
                ..Cell::default()
            }
        };
        let run = |round| {
            let (folder, state) = (format!("{folder}/run-{round}"), RunState::Degraded);
            RunTold { folder, round, state, reasons: vec!["a core was taken".into()], crossed: n.is_multiple_of(5) }
        };
        let (runs, cells) = ((1..=5).map(run).collect(), (0..names.len()).map(cell).collect());
        Row { name, folder, values, baseline: n == 0, runs, cells }
    };
    let rows: Vec<Row> = (0..32).map(row).collect();
    let choice = |(axis, [usual, value]): &(&str, [&str; 2])| Choice {
        axis: (*axis).to_owned(),
        value: (*value).to_owned(),
        instead_of: (*usual).to_owned(),
        changes: (0..names.len())
            .map(|n| (n > 0).then_some(Change { pairs: 16, median: 1.5, lowest: 1.06, highest: 2_117.0 }))
            .collect(),
    };
    let sets = vec!["target.embedded.tls.key=\"ecdsa-p256\"".to_owned(), "tls.groups=[\"x25519mlkem768\"]".to_owned()];
    let variant = |row: &Row| PlayedVariant {
        name: row.name.clone(),
        folder: row.folder.clone(),
        values: row.values.clone(),
        sets: sets.clone(),
        sha256: String::new(),
    };
    let axis = |(name, values): &(&str, [&str; 2])| PlayedAxis {
        name: (*name).to_owned(),
        values: values.map(str::to_owned).into(),
        keys: vec!["target.embedded.tls.client-certificates".into()],
    };
    let played = Played {
        workload: "tls-setups".into(),
        started_at: "2026-11-22T03:09:10Z".into(),
        axes: axes.iter().map(axis).collect(),
        baseline: rows[0].folder.clone(),
        repeats: 5,
        interleaved: true,
        rest_s: 0.5,
        variants: rows.iter().map(variant).collect(),
        ..Played::default()
    };
    let notes = vec![format!("degraded: part of these figures may tell of the generator: {}", rows[7].runs[0].folder)];
    let choices = axes.iter().map(choice).collect();
    SideBySide { matrix: played, columns: names.map(told).into(), rows, choices, notes }
}

/// A file server, a workload and a person at the command line, all of ill will; and a run of many operations.
fn hostile() -> String {
    let (mut record, mut summary, mut manifest) =
        play("mass-reboot", &["fleet.avaya.count=40", "fleet.cisco.count=40"]);
    let evil = "</style></title></svg><script>document.title='evil'</script><img src=x onerror=alert(1)> \0\u{202e}\"'";
    record.plan.phases[0].name = evil.into();
    for notable in record.tally.notables.slowest.iter_mut().chain(&mut record.tally.notables.stranded) {
        notable.extension = evil.into();
        notable.steps.iter_mut().for_each(|step| step.path = format!("/{evil}{}", "x".repeat(5_000)));
    }
    // So many that five nines are told.
    for us in 1..=40_000 {
        let resync = &mut record.tally.totals.operations[0];
        resync.response.record(Duration::from_micros(us * us / 100));
        resync.service.record(Duration::from_micros(us));
    }
    summary.workload.name = evil.into();
    summary.verdict.reasons = vec![evil.into()];
    summary.exchanges.status.insert(evil.into(), 3);
    summary.tls.suites.insert(evil.into(), 3);
    summary.tls.handshakes.full = 3;
    manifest.effective = evil.into();
    manifest.target = evil.into();
    html::page(&record, &summary, &manifest)
}

/// The browser has nothing to complain of, nothing is asked of anybody, and an XML reader finds no fault either.
#[test]
fn pages_open_without_a_word_from_the_browser() {
    let folder = tempfile::tempdir().unwrap();
    for (name, page) in PAGES.iter() {
        assert!(page.len() < 1_000_000, "{name}: {} octets", page.len());
        let opened = open(folder.path(), &write(folder.path(), &format!("{name}.html"), page), &[]);
        assert_eq!(opened.console(), Vec::<&str>::new(), "{name}");
        let sections = match *name {
            "matrix" => &OF_MATRIX[..],
            name if SEARCHES.contains(&name) => &OF_CAPACITY,
            _ => &SECTIONS,
        };
        for section in sections {
            assert!(opened.document.contains(&format!("<section id=\"{section}\"")), "{name}: {section}");
        }
        assert!(!opened.document.contains("<script") && !opened.document.contains("<img"), "{name}");
        assert!(!opened.document.contains("<title>evil"), "{name}");
        if STORIES[1..].contains(name) {
            continue;
        }
        let strict = open(folder.path(), &write(folder.path(), &format!("{name}.xhtml"), page), &[]);
        assert!(!strict.document.contains("parsererror"), "{name}: {}", &strict.document[..3_000]);
        let last = sections.last().unwrap();
        assert!(strict.document.contains(&format!("<section id=\"{last}\"")), "{name}");
    }
}

/// What the test above finds none of, it would find: a planted request, script, style and fault of markup.
#[test]
fn what_a_page_must_not_do_is_refused_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (_, page) = &PAGES[1];
    let planted = page.replace(
        "<main",
        &format!(
            "<img src=\"http://{address}/a.png\"/><b style=\"color:red\">b</b>\
             <script>document.body.dataset.ran = 1</script><main"
        ),
    );
    let opened = open(folder.path(), &write(folder.path(), "planted.html", &planted), &[]);
    let console = opened.console();
    for kind in ["img-src", "style-src", "script-src"] {
        assert!(console.iter().any(|line| line.contains(kind)), "{kind}: {console:#?}");
    }
    assert!(!opened.document.contains("data-ran"));
    assert!(listener.accept().is_err(), "somebody asked");
    let broken = page.replace("</main>", "</mian>");
    let strict = open(folder.path(), &write(folder.path(), "broken.xhtml", &broken), &[]);
    assert!(strict.document.contains("parsererror"), "{}", &strict.document[..3_000]);
}

/// Looks at a page as it is laid out: whether anything is wider than the window, and whether the texts of a chart lie on
/// each other or are cut off. (Only for this, the page is given a script and loses its policy.)
const LOOK: &str = r#"<script>
const faults = [];
const page = document.documentElement;
if (page.scrollWidth > page.clientWidth) faults.push(`page: ${page.scrollWidth} of ${page.clientWidth} px`);
for (const plot of document.querySelectorAll('.plot')) {
  const frame = plot.getBoundingClientRect();
  const texts = [...plot.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
  const seen = texts.filter(([, r]) => r.width > 0);
  const name = plot.querySelector('title').textContent;
  seen.forEach(([text, r], i) => {
    if (r.left < frame.left - 1 || r.right > frame.right + 1 || r.top < frame.top - 1 || r.bottom > frame.bottom + 1)
      faults.push(`${name}: "${text}" is cut off`);
    for (const [other, s] of seen.slice(i + 1))
      if (Math.min(r.right, s.right) - Math.max(r.left, s.left) > 1 && Math.min(r.bottom, s.bottom) - Math.max(r.top, s.top) > 4)
        faults.push(`${name}: "${text}" lies on "${other}"`);
  });
}
for (const t of document.querySelectorAll('p, dd, dt, h1, h2, h3, li, summary, td, th, figcaption')) {
  const r = t.getBoundingClientRect();
  if (r.width > 0 && r.left < -9000 === false && !t.closest('.scroll, pre, details:not([open])') && r.right > page.clientWidth + 1)
    faults.push(`beyond the edge: ${t.textContent.slice(0, 60)}`);
}
parent.postMessage(faults.join(' | ') || 'all well', '*');
</script></body>"#;

#[test]
fn nothing_overlaps_and_nothing_is_cut_off_wide_or_narrow() {
    let folder = tempfile::tempdir().unwrap();
    let mut frames = String::new();
    for (name, page) in PAGES.iter() {
        let (head, rest) = page.split_once("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
        let (_, rest) = rest.split_once("/>").unwrap();
        let looked = format!("{head}{}", rest.replace("</body>", LOOK));
        std::fs::write(folder.path().join(format!("{name}.html")), looked).unwrap();
        for width in [1_400, 760, 390, 320] {
            frames +=
                &format!("<iframe name='{name} at {width}' src='{name}.html' width={width} height=9000></iframe>");
        }
    }
    let wrapper = format!(
        "<!DOCTYPE html><pre id=said></pre><script>addEventListener('message', e => {{\
         const frame = [...document.querySelectorAll('iframe')].find(f => f.contentWindow === e.source);\
         said.textContent += `${{frame.name}}: ${{e.data}}\\n`; }})</script>{frames}"
    );
    let path = folder.path().join("wrapper.html");
    std::fs::write(&path, wrapper).unwrap();
    let opened = open(folder.path(), &path, &["--window-size=1600,1000"]);
    let said = opened.document.split_once("<pre id=\"said\">").unwrap().1.split_once("</pre>").unwrap().0;
    let mut lines: Vec<_> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines.len(), 4 * PAGES.len(), "{said}\n{}", opened.said);
    assert!(lines.iter().all(|line| line.ends_with(": all well")), "{said}");
}
