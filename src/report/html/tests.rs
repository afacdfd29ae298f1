//! What the page holds, and what it never can.

use std::time::Duration;

use super::*;
use crate::metrics::{
    CoreSample, MachineSample, Marks, Notable, PhaseFacts, Recorder, Slice, Step, Tally, ThreadSample, Timeline,
};
use crate::phone::{Failure, Operation, Outcome, Screen};
use crate::report::fixture::mass_reboot;
use crate::report::{Circumstances, Consent, Limits, Machine};

/// A manifest of any run.
fn manifest(record: &Record) -> Manifest {
    let machine = Machine {
        cores: 2,
        cpu_model: Some("A processor @ 2.60GHz".into()),
        kernel: "Linux 6.12".into(),
        memory_bytes: 4_000_000_000,
        architecture: "x86_64".into(),
    };
    let limits =
        Limits { open_files: 1_048_576, max_connections: None, source_addresses: 8, local_ports: Some(28_232) };
    let circumstances = Circumstances {
        effective: "[run]\nphones = \"2k\"\n".into(),
        overrides: vec!["phones=2k".into()],
        target: "https://127.0.0.1:8443".into(),
        consent: None,
        machine,
        limits,
    };
    Manifest::of(&record.plan, record.started_at, circumstances)
}

/// The run of the other reports' tests, with what only this one tells.
fn record() -> Record {
    let mut record = mass_reboot();
    record.plan.phases = vec![PhaseFacts { name: "power returns".into(), at_us: 500_000, ..PhaseFacts::default() }];
    for second in 1..=5_u16 {
        let busy = 0.2 + 0.1 * f32::from(second);
        record.timeline.look(&MachineSample {
            at_ms: u64::from(second) * 1_000,
            cores: vec![CoreSample { core: 0, busy, steal: 0.01 }, CoreSample { core: 1, busy: 0.1, steal: 0.0 }],
            shards: vec![ThreadSample { busy: busy / 2.0, waited: 0.0 }],
            rss_bytes: 61_341_696,
            open_files: 2_031,
            ..MachineSample::default()
        });
    }
    let step = |at_us, status: Option<u16>, failure| Step {
        at_us,
        took_us: Some(15_200),
        method: "GET".into(),
        path: "/backup/20200_96xxdata.txt".into(),
        status,
        failure,
    };
    let refused = Outcome::Prompt(Screen::AuthenticationFailure);
    record.tally.notables.slowest = vec![
        notable(1_998, Operation::Resync, Some(Outcome::Ok), vec![step(4_496_000, Some(200), None)]),
        notable(200, Operation::Restore, Some(refused), vec![step(1, Some(401), None), step(2, Some(401), None)]),
    ];
    record.tally.notables.stranded = vec![
        notable(
            77,
            Operation::Resync,
            Some(Outcome::Failed(Failure::Reset)),
            vec![step(3, None, Some(Failure::Reset))],
        ),
        notable(200, Operation::Restore, Some(refused), vec![step(1, Some(401), None), step(2, Some(401), None)]),
        notable(201, Operation::Restore, None, vec![]),
    ];
    record
}

fn notable(phone: u32, operation: Operation, outcome: Option<Outcome>, steps: Vec<Step>) -> Notable {
    let extension = if phone == 201 { String::new() } else { (20_000 + phone).to_string() };
    let (intended_us, response_us) = (500_000 + 2_000 * u64::from(phone), 22_512);
    Notable { phone, extension, operation, outcome, intended_us, response_us, left_out: phone % 2, steps }
}

fn page_of(record: &Record) -> String {
    page(record, &Summary::of(record), &manifest(record))
}

/// Whoever names a folder finds the page there, to look at.
fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("BOOTSTORM_PAGES") {
        std::fs::write(std::path::Path::new(&folder).join(name), page).unwrap();
    }
}

/// The page without markup: what a person reads, a line for each text.
fn read(page: &str) -> String {
    let body = page.split_once("</style>").unwrap().1;
    // What the pointer reads is in the tables as well.
    let mut parts = body.split("<g class=\"hover\">");
    let seen: String = parts.next().into_iter().chain(parts.map(|part| part.split_once("</g>").unwrap().1)).collect();
    let mut text = String::new();
    let mut rest = seen.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = after.split_once('>').unwrap();
        text.push_str(match tag.split(' ').next().unwrap() {
            "code" | "/code" | "strong" | "/strong" | "span" | "/span" => " ",
            "/td" | "/th" | "/dt" => " | ",
            "td" | "th" | "dd" => "",
            // Bars, in cells of their own.
            "svg" if tag.contains("share") => "",
            _ => "\n",
        });
        rest = after;
    }
    let lines = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|l| !l.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands between the section's tags.
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let from = page.find(&format!("<section id=\"{id}\"")).unwrap();
    &page[from..from + page[from..].find("</section>").unwrap()]
}

/// Every element that is opened is closed, in order; every id is there once, and whatever is referred to is there.
fn assert_well_formed(page: &str) {
    let mut open = Vec::new();
    let mut ids = std::collections::BTreeSet::new();
    let mut referred = Vec::new();
    let without_sheet = page.replace(SHEET, "");
    for piece in without_sheet.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("a tag that does not end: {piece}"));
        assert!(!text.contains('>'), "{text}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.to_owned()));
            continue;
        }
        let attribute = |name: &str| {
            let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
            Some(rest.split_once('"').unwrap().0.to_owned())
        };
        if let Some(id) = attribute("id") {
            assert!(ids.insert(id.clone()), "{id} twice");
        }
        referred.extend(
            attribute("aria-labelledby").iter().flat_map(|ids| ids.split(' ').map(str::to_owned).collect::<Vec<_>>()),
        );
        referred.extend(attribute("href").and_then(|href| href.strip_prefix('#').map(str::to_owned)));
        if !tag.starts_with('!') && !tag.ends_with('/') {
            open.push(tag.split([' ', '\n']).next().unwrap().to_owned());
        }
    }
    assert_eq!(open, Vec::<String>::new());
    for id in referred {
        assert!(ids.contains(&id), "{id} is referred to and not there");
    }
    assert!(!page.contains("NaN") && !page.contains("inf\""), "a position that is no number");
}

#[test]
fn the_page_as_a_person_reads_it() {
    let page = page_of(&record());
    keep("fixture.html", &page);
    assert_well_formed(&page);
    insta::assert_snapshot!(read(&page));
}

#[test]
fn the_same_record_makes_the_same_page() {
    assert_eq!(page_of(&record()), page_of(&record()));
}

#[test]
fn nothing_is_asked_of_anybody_and_nothing_runs() {
    let page = page_of(&record());
    for word in ["<script", "javascript:", "src=", "@import", "url(", " style=", " onload", " onclick"] {
        assert!(!page.contains(word), "{word}");
    }
    let addresses: Vec<_> = page.match_indices("http").map(|(at, _)| &page[at..(at + 34).min(page.len())]).collect();
    for address in addresses.iter().filter(|a| a.contains("//")) {
        let known = ["http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg", "https://127.0.0.1:8443"];
        assert!(known.iter().any(|known| address.starts_with(known)), "{address}");
    }
    assert!(page.contains("Content-Security-Policy") && page.contains("default-src &#39;none&#39;"));
}

#[test]
fn a_run_in_which_nothing_happened_says_so_everywhere() {
    let mut record = mass_reboot();
    record.tally = Recorder::new(2_000, 1.0).finish(record.wall);
    record.timeline = Timeline::default();
    record.thresholds.clear();
    record.plan.storm_phones = Some(0);
    let page = page_of(&record);
    assert_well_formed(&page);
    let table = [
        ("goals", "sets no thresholds"),
        ("storm", "there was no storm"),
        ("traffic", "No exchange was sent"),
        ("times", "No operation came to an end"),
        ("heat", "no response times second by second"),
        ("phases", "No exchange came to an end"),
        ("auth", "never asked for credentials"),
        ("tls", "no TLS handshake"),
        ("outcomes", "No operation was planned"),
        ("phones", "did not keep single phones"),
        ("generator", "no samples in this run"),
    ];
    for (id, words) in table {
        assert!(section(&page, id).contains(words), "{id}: {}", section(&page, id));
    }
    record.tally = Tally::default();
    assert_well_formed(&page_of(&record));
}

#[test]
fn marks_and_an_invalid_verdict_come_first() {
    let mut record = record();
    record.marks = Marks { partial: true, tls_not_verified: true, accepted_invalid: true, ends_at_ms: Some(4_500) };
    record.generator.cpu_busy_max = 0.97;
    let page = page_of(&record);
    let verdict = read(&format!("</style>{}", section(&page, "verdict")));
    insta::assert_snapshot!(verdict);
}

/// What a file server, a workload's author or a file name could try.
const HOSTILE: [&str; 7] = [
    "</style></title><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)\" x=\"",
    "' onfocus='alert(1)",
    "a\0b\x1b]0;c\r\n<!--",
    "\u{202e}gnp.exe\u{2066}\u{200f}",
    "&lt;b&gt; ]]> {{x}} ${x}",
    "\u{feff}é\u{ffff}\u{10ffff}",
];

#[test]
fn hostile_strings_stay_text() {
    for hostile in HOSTILE.iter().map(|h| (*h).to_owned()).chain([format!("/{}", "x".repeat(1_000_000))]) {
        let mut record = record();
        record.plan.name = hostile.clone();
        record.plan.phases[0].name = hostile.clone();
        record.thresholds[0].text = hostile.clone();
        for notable in record.tally.notables.slowest.iter_mut().chain(&mut record.tally.notables.stranded) {
            notable.extension = hostile.clone();
            notable.steps.iter_mut().for_each(|s| (s.method, s.path) = (hostile.clone(), hostile.clone()));
        }
        let lines = record.tally.totals.tls.ledger.values_mut();
        lines.for_each(|line| _ = line.suites.insert(hostile.clone().into(), 7));
        let mut summary = Summary::of(&record);
        summary.verdict.reasons = vec![hostile.clone()];
        summary.exchanges.status.insert(hostile.clone(), 7);
        summary.exchanges.failures.insert(hostile.clone(), 7);
        summary.auth.answers.insert(hostile.clone(), 7);
        let mut manifest = manifest(&record);
        manifest.effective = hostile.clone();
        manifest.overrides = vec![hostile.clone()];
        manifest.target = hostile.clone();
        manifest.consent = Some(Consent { kind: hostile.clone(), by: hostile.clone() });
        manifest.machine.kernel = hostile.clone();
        manifest.machine.cpu_model = Some(hostile.clone());
        let page = page(&record, &summary, &manifest);
        assert_well_formed(&page);
        assert!(!page.contains("<script") && !page.contains("<!--") && !page.contains(['\0', '\x1b', '\u{202e}']));
        assert!(page.len() < 1_000_000, "{} octets", page.len());
        let plain = page_of(&self::record());
        // A row more for each name there was none of before; elements of their own would be many more.
        let more = page.matches('<').count().abs_diff(plain.matches('<').count());
        assert!(more < 100, "{more} elements are added to the page");
    }
}

/// An hour of a large fleet with everything there is to tell: the page stays below a megabyte.
#[test]
fn an_hour_takes_less_than_a_megabyte() {
    let mut record = record();
    let wall = Duration::from_secs(3_600);
    let (mut tally, mut timeline) = (Tally::default(), Timeline::default());
    for number in 0..7_200_u64 {
        let mut slice = Slice { number, ..Slice::default() };
        slice.totals.phones = if number == 0 { 1_000_000 } else { 0 };
        slice.standings_before.off = if number == 0 { 1_000_000 } else { 0 };
        slice.interval.starts = 138;
        slice.interval.sent = 1_000 + (number % 97) as u32;
        slice.interval.statuses = [1, 400 + (number % 61) as u32, 2, 350, 17];
        slice.interval.unauthorized = 300;
        slice.interval.failures = (number % 13) as u32;
        slice.interval.in_flight_rise = (number % 1_009) as i32;
        slice.interval.standings_change.off = -130;
        slice.interval.standings_change.provisioned = 120;
        slice.interval.standings_change.prompting = 10;
        for (i, operation) in slice.totals.operations.iter_mut().enumerate() {
            for n in 0..40 {
                let us = 1_000 * (i as u64 + 1) * (1 + (number * 40 + n) * 7_919 % 65_536);
                operation.response.record(Duration::from_micros(us));
            }
        }
        tally.add(&slice);
        timeline.add(&slice);
        if number % 2 == 0 {
            timeline.look(&MachineSample { at_ms: 500 * (number + 1), rss_bytes: number, ..MachineSample::default() });
        }
    }
    timeline.until(wall);
    let told = record.tally.clone();
    (record.tally.intervals, record.timeline, record.wall) = (tally.intervals, timeline, wall);
    record.tally.totals.operations.iter_mut().zip(&tally.totals.operations).for_each(|(mine, hour)| {
        mine.response.merge(&hour.response);
        mine.service.merge(&hour.response);
    });
    let story = &told.notables.slowest[1];
    let stories =
        |operation| Notable { operation, steps: vec![story.steps[0].clone(); Notable::STEPS], ..story.clone() };
    record.tally.notables.slowest = Operation::ALL.into_iter().flat_map(|o| vec![stories(o); 10]).collect();
    record.tally.notables.stranded = vec![stories(Operation::Resync); 50];
    let page = page_of(&record);
    keep("hour.html", &page);
    assert_well_formed(&page);
    assert!(page.len() < 1_000_000, "{} octets", page.len());
    assert!(page.len() > 200_000, "nothing was left out to get there: {} octets", page.len());
}

#[test]
fn a_share_is_never_nothing_nor_all_unless_it_is() {
    let told = [(0, 10), (10, 2_009), (1, 100_000), (30, 100), (1_999, 2_009), (99_999, 100_000), (7, 7), (0, 0)];
    let told = told.map(|(part, all)| share(part, all));
    assert_eq!(told, ["0 %", "0.5 %", "< 0.1 %", "30 %", "99.5 %", "> 99.9 %", "100 %", "0 %"]);
}
