//! The table from made-up runs: what it shows, what it compares, and what it leaves out.

use serde_json::json;

use super::*;
use crate::report::Summary;
use crate::report::fixture::mass_reboot;

/// Two axes, four variants, the third left out.
fn played(repeats: u32, keys: [&str; 2]) -> Played {
    let axis = |name: &str, values: [&str; 2], key: &str| PlayedAxis {
        name: name.into(),
        values: values.map(str::to_owned).into(),
        keys: vec![key.to_owned()],
    };
    let variant = |values: [&str; 2]| PlayedVariant {
        name: values.join(", "),
        folder: values.join("_"),
        values: values.map(str::to_owned).into(),
        sets: vec![format!("{}=\"{}\"", keys[0], values[0]), format!("{}=\"{}\"", keys[1], values[1])],
        sha256: String::new(),
    };
    let variants: Vec<_> = [["iis", "basic"], ["iis", "digest"], ["apache", "digest"]].map(variant).into();
    let runs = (1..=repeats).flat_map(|round| {
        variants.iter().map(move |v| PlayedRun { variant: v.folder.clone(), round, ended: "made".into() })
    });
    Played {
        schema_version: 1,
        version: "1.2.3".into(),
        workload: "mass-reboot".into(),
        seed: 42,
        started_at: "2026-11-22T03:09:10Z".into(),
        axes: vec![axis("likeness", ["iis", "apache"], keys[0]), axis("offers", ["basic", "digest"], keys[1])],
        baseline: "iis_basic".into(),
        repeats,
        interleaved: true,
        rest_s: 1.0,
        runs: runs.collect(),
        variants: variants.clone(),
        ..Played::default()
    }
}

const PLAIN: [&str; 2] = ["target.embedded.likeness", "target.embedded.auth.offers"];

/// A valid run that took this long, and whose restores took so long.
fn run(variant: &PlayedVariant, round: u32, drain_s: f64, p99_ms: f64) -> (RunTold, Option<Value>) {
    let summary = Summary::of(&mass_reboot());
    let mut value = serde_json::to_value(&summary).unwrap();
    value["storm"]["drain_s"] = json!(drain_s);
    value["storm"]["provisioned_95_s"] = json!(drain_s * 0.9);
    value["operations"]["restore"]["response_ms"]["p99"] = json!(p99_ms);
    value["generator"]["cpu_s"] = json!(0.5);
    let told = RunTold::of(&variant.folder, round, &summary);
    (RunTold { state: RunState::Valid, reasons: vec![], crossed: false, ..told }, Some(value))
}

/// Seven rounds: the second variant is slower, the third is not to be told apart.
fn repeated() -> SideBySide {
    let played = played(7, PLAIN);
    let noise = [0.0, 0.3, -0.2, 0.1, -0.4, 0.2, -0.1];
    let rounds = |n: usize, variant: &PlayedVariant| {
        let (drain, p99) = [(40.0, 20.0), (60.0, 20.1), (40.1, 19.9)][n];
        (1..=7_u32).zip(noise).map(|(round, noise)| run(variant, round, drain + noise, p99 + noise)).collect()
    };
    let runs = played.variants.iter().enumerate().map(|(n, variant)| rounds(n, variant)).collect();
    SideBySide::of(played, runs)
}

fn told(side: &SideBySide, format: Format) -> String {
    side.render(format, Some(Path::new("results/here"))).unwrap()
}

#[test]
fn text() {
    insta::assert_snapshot!(told(&repeated(), Format::Text));
}

#[test]
fn markdown() {
    insta::assert_snapshot!(told(&repeated(), Format::Markdown));
}

#[test]
fn csv() {
    insta::assert_snapshot!(told(&repeated(), Format::Csv));
}

#[test]
fn what_is_told_is_what_the_runs_show() {
    let side = repeated();
    let drain = side.columns.iter().position(|column| column.key == "storm.drain_s").unwrap();
    let cells: Vec<&Cell> = side.rows.iter().map(|row| &row.cells[drain]).collect();
    assert_eq!(cells[0].median, Some(40.0));
    assert_eq!((cells[0].lowest, cells[0].highest), (Some(39.6), Some(40.3)));
    assert_eq!((cells[0].answer, cells[1].answer, cells[2].answer), (None, Some(Answer::Slower), Some(Answer::Same)));
    let ratio = cells[1].ratio.unwrap();
    assert!(ratio.low > 1.4 && ratio.high < 1.6, "{ratio:?}");
    let value: Value = serde_json::from_str(&told(&side, Format::Json)).unwrap();
    assert_eq!(value["rows"][1]["cells"][drain]["answer"], "slower");
    assert_eq!(value["matrix"]["baseline"], "iis_basic");
    for format in [Format::Junit, Format::Prometheus] {
        assert!(!SideBySide::takes(format) && side.render(format, None).is_err());
    }
}

/// What does not count is in no figure, and is told; its partner of that round is not compared either.
#[test]
fn runs_that_do_not_count_are_told_and_left_out() {
    let mut played = played(3, PLAIN);
    played.runs.pop();
    let all = |n: usize, drain: f64| -> Vec<(RunTold, Option<Value>)> {
        (1..=3).map(|round| run(&played.variants[n], round, drain + f64::from(round), 9.0)).collect()
    };
    let (baseline, mut second, mut third) = (all(0, 10.0), all(1, 20.0), all(2, 30.0));
    second[1].0.state = RunState::Invalid;
    second[1].0.reasons = vec!["the generator was the limit".into()];
    second[2].0.crossed = true;
    third.pop();
    third[0].0.state = RunState::Partial;
    third[1] = (RunTold { state: RunState::Lost, ..third[1].0.clone() }, None);
    let side = SideBySide::of(played, vec![baseline, second, third]);
    let cell = |row: usize| &side.rows[row].cells[0];
    assert_eq!(cell(1).values, [Some(21.0), Some(23.0)], "the second round is left out");
    assert_eq!(cell(1).words.as_deref(), Some("cannot tell; slower in each of 2 pairs"));
    assert_eq!((cell(2).median, cell(2).answer), (None, None));
    insta::assert_snapshot!(told(&side, Format::Text));
}

#[test]
fn one_run_each_has_figures_and_no_answers() {
    let played = played(1, PLAIN);
    let runs = played.variants.iter().map(|variant| vec![run(variant, 1, 12.0, 30.0)]).collect();
    let side = SideBySide::of(played, runs);
    assert!(side.rows.iter().flat_map(|row| &row.cells).all(|cell| cell.answer.is_none()));
    insta::assert_snapshot!(told(&side, Format::Text));
}

/// Columns go with what is varied; figures of a kind of handshake that was not made are not there.
#[test]
fn a_tls_setup_is_told_by_its_handshakes() {
    let played = played(1, ["tls.versions", "tls.resumption"]);
    let tls = |n: usize, variant: &PlayedVariant| {
        let (told, summary) = run(variant, 1, 5.0, 30.0);
        let mut summary = summary.unwrap();
        let line = |kind: &str, count: u64, bytes: u64| json!({ "kind": kind, "count": count, "bytes_out": count * 500, "bytes_in": bytes });
        summary["tls"]["handshakes"] =
            json!({ "full": 100, "resumed": if n == 0 { 0 } else { 100 }, "hello_retry": 0, "failed": 0 });
        summary["tls"]["ledger"] = json!({
            "full": line("full", 60, 60_000), "full-client-certificate": line("full", 40, 80_000),
            "resumed-ticket": line("resumed", if n == 0 { 0 } else { 100 }, 40_000),
        });
        summary["tls"]["client_cpu_by_kind_us"] = json!({ "full": { "mean": 215.0 }, "resumed": { "mean": 98.0 } });
        summary["target"] = json!({ "handshake_cpu_us": { "full": 300.0, "resumed": 80.0 } });
        (told, Some(summary))
    };
    let runs = played.variants.iter().enumerate().map(|(n, variant)| vec![tls(n, variant)]).collect();
    let side = SideBySide::of(played, runs);
    let value = |row: usize, key: &str| {
        let column = side.columns.iter().position(|column| column.key == key).unwrap_or_else(|| panic!("{key}"));
        side.rows[row].cells[column].median
    };
    for (key, full, resumed) in [
        ("per_handshake.client_cpu_us", 215.0, 98.0),
        ("per_handshake.target_cpu_us", 300.0, 80.0),
        ("per_handshake.bytes_out", 500.0, 500.0),
        ("per_handshake.bytes_in", 1_400.0, 400.0),
    ] {
        assert_eq!((value(0, key), value(1, key)), (Some(full), Some(resumed)), "{key}");
    }
    assert!(side.notes.iter().any(|note| note == OF_KIND));
    assert!(!side.columns.iter().any(|column| column.key.contains("per_operation")));
}

#[test]
fn what_somebody_asks_for_is_shown_and_nothing_else() {
    let played = Played { show: vec!["storm.drain_s".into(), "tls.handshakes.failed".into()], ..played(1, PLAIN) };
    let runs = played.variants.iter().map(|variant| vec![run(variant, 1, 12.0, 30.0)]).collect();
    let side = SideBySide::of(played, runs);
    assert_eq!(
        side.columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(),
        ["storm.drain_s, s", "tls.handshakes.failed"]
    );
}

#[test]
fn the_folder_says_what_was_played() {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::named(&root.path().join("m")).unwrap();
    assert!(!Played::is_in(folder.path()));
    let played = played(2, PLAIN);
    played.write(&folder).unwrap();
    assert!(Played::is_in(folder.path()));
    assert_eq!(Played::read(folder.path()).unwrap(), played);
    let side = SideBySide::open(folder.path()).unwrap();
    assert!(side.rows.iter().all(|row| row.remark(2) == "not played"));
    let newer = Played { schema_version: 2, ..played.clone() };
    newer.write(&folder).unwrap();
    assert!(matches!(Played::read(folder.path()), Err(FolderError::Newer { schema_version: 2, .. })));
    played.abandon(&folder);
    assert!(!folder.path().exists());
}

/// The page holds what a workload says as text only, and is the same each time.
#[test]
fn the_page_is_safe_and_the_same_each_time() {
    let mut side = repeated();
    let page = html::matrix_page(&side);
    assert_eq!(page, html::matrix_page(&side));
    assert!(page.contains("href=\"iis_digest/run-1/report.html\""));
    assert!(page.contains("slower by "), "the words of the comparison are there");
    if let Some(folder) = std::env::var_os("BOOTSTORM_PAGES") {
        std::fs::write(Path::new(&folder).join("matrix.html"), &page).unwrap();
    }
    side.matrix.workload = "<script>alert(1)</script>".into();
    side.rows[0].values[0] = "\"><img src=x>".into();
    side.rows[0].folder = "javascript:alert(1)".into();
    let hostile = html::matrix_page(&side);
    assert!(!hostile.contains("<script") && !hostile.contains("<img") && !hostile.contains("href=\"javascript"));
}
