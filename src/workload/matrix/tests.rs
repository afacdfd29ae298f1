//! What a matrix means, and every slip with the very words it earns.

use std::path::Path;

use proptest::prelude::*;

use super::super::{Overrides, Target, TlsVersions, load_variant, parse, parse_matrix};
use super::*;

/// A workload without its matrix: 15 lines.
const BASE: &str = r#"seed = 3

[target.embedded]
likeness = "iis"

[[fleet]]
name = "desks"
family = "cisco-mpp"
count = 10

[[phase]]
name = "power returns"
does = "power-up"
arrival = { constant = "20/s" }

"#;

fn with(matrix: &str) -> String {
    format!("{BASE}{matrix}")
}

fn matrix_of(matrix: &str, overrides: &Overrides) -> Result<Matrix, String> {
    match parse_matrix(&with(matrix), "w.toml", Path::new(""), overrides) {
        Ok(found) => Ok(found.expect("there is a matrix")),
        Err(error) => Err(error.to_string()),
    }
}

fn read(matrix: &str) -> Matrix {
    matrix_of(matrix, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn sets(sets: &[&str]) -> Overrides {
    Overrides { sets: sets.iter().map(|s| (*s).to_owned()).collect(), ..Overrides::default() }
}

const WHOLE: &str = r#"
[matrix]
repeats = 3
rest = "500ms"
baseline = { versions = "1.3" }
show = ["storm.drain_s", "tls.bytes_in / exchanges.total"]

[matrix.vary]
tls.versions = [1.2, "1.3"]

[[matrix.axis]]
name = "asks"
values = [
    { name = "nothing", target.embedded.auth.offers = [] },
    { name = "Digest", "target.embedded.auth.offers" = ["digest-md5"], "target.embedded.likeness" = "apache" },
]

[[matrix.leave-out]]
versions = "1.2"
asks = ["Digest"]
"#;

#[test]
fn every_combination_is_the_workload_with_its_keys_set() {
    let matrix = read(WHOLE);
    assert_eq!((matrix.repeats, matrix.rest, matrix.interleaved), (3, Duration::from_millis(500), true));
    let axes: Vec<_> = matrix.axes.iter().map(|a| (a.name.as_str(), a.values.join("|"), a.keys.join(" "))).collect();
    assert_eq!(
        axes,
        [
            ("versions", "1.2|1.3".to_owned(), "tls.versions".to_owned()),
            ("asks", "nothing|Digest".to_owned(), "target.embedded.auth.offers target.embedded.likeness".to_owned()),
        ]
    );
    let variants: Vec<_> = matrix.variants.iter().map(|v| (v.id.as_str(), v.name.as_str())).collect();
    assert_eq!(
        variants,
        [("1.2_nothing", "1.2, nothing"), ("1.3_nothing", "1.3, nothing"), ("1.3_Digest", "1.3, Digest")]
    );
    assert_eq!(matrix.baseline, 1);
    assert_eq!(matrix.show.iter().map(Formula::unit).collect::<Vec<_>>(), ["s", "bytes"]);
    assert_eq!(matrix.variants[0].sets[0], ("tls.versions".to_owned(), "1.2".to_owned()));
    for (variant, set) in matrix.variants.iter().zip([
        &["tls.versions=1.2", "target.embedded.auth.offers=[]"][..],
        &["tls.versions=1.3", "target.embedded.auth.offers=[]"],
        &["tls.versions=1.3", "target.embedded.auth.offers=[\"digest-md5\"]", "target.embedded.likeness=apache"],
    ]) {
        let alone = parse(BASE, "w.toml", Path::new(""), &sets(set)).unwrap();
        assert_eq!(variant.plan.effective, alone.effective, "just as --set would have it");
        assert_eq!(variant.plan.sha256, alone.sha256);
        assert!(!variant.plan.effective.contains("matrix"));
    }
    // Whoever plays one run of it plays the baseline.
    let plan = parse(&with(WHOLE), "w.toml", Path::new(""), &Overrides::default()).unwrap();
    assert_eq!(plan.effective, matrix.variants[1].plan.effective);
}

/// The manual's example means what the manual says.
#[test]
fn the_manual_is_right() {
    let page = include_str!("../../../docs/matrix.md");
    let (_, example) = page.split_once("```toml\n").unwrap();
    let matrix = read(example.split_once("```").unwrap().0);
    let axes: Vec<_> = matrix.axes.iter().map(|axis| axis.name.as_str()).collect();
    assert_eq!((axes, matrix.repeats), (vec!["versions", "likeness", "load"], 5));
    assert_eq!(matrix.variants.len(), 6, "eight, without the two that make no sense");
}

#[test]
fn one_at_a_time_changes_one_axis_each() {
    let text = "[matrix]\ncombine = \"one-at-a-time\"\n[matrix.vary]\n\"tls.versions\" = [\"1.3\", \"1.2\"]\n\
                \"target.embedded.likeness\" = [\"iis\", \"apache\", \"nginx\"]\n";
    let matrix = read(text);
    let variants: Vec<_> = matrix.variants.iter().map(|v| (v.id.as_str(), v.name.as_str())).collect();
    assert_eq!(
        variants,
        [
            ("baseline", "baseline: 1.3, iis"),
            ("versions_1.2", "versions: 1.2"),
            ("likeness_apache", "likeness: apache"),
            ("likeness_nginx", "likeness: nginx"),
        ]
    );
    let Target::Embedded(target) = &matrix.variants[2].plan.target else { panic!("embedded") };
    assert_eq!(matrix.variants[2].plan.tls.fleets[0].1.versions, TlsVersions::Only13);
    assert_eq!(serde_json::to_value(target.likeness).unwrap(), "apache");
}

/// An axis of servers takes the place of the embedded one, as `--target` does.
#[test]
fn servers_can_be_varied() {
    let text = "[[matrix.axis]]\nname = \"certificate\"\nvalues = [{ name = \"RSA\", \"target.url\" = \"https://127.0.0.1:1\" },\n\
                { name = \"here\" }]\n";
    let matrix = matrix_of(text, &sets(&["fleet.desks.credentials.realm=Digest"])).unwrap();
    assert!(matches!(&matrix.variants[0].plan.target, Target::Url { .. }));
    assert!(matches!(&matrix.variants[1].plan.target, Target::Embedded(_)));
}

#[test]
fn flags_go_with_it() {
    let vary = "[matrix.vary]\n\"tls.versions\" = [\"1.2\", \"1.3\"]\n";
    let more =
        Overrides { phones: Some(500), seed: Some(8), ..sets(&["matrix.repeats=5", "tls.resumption=per-phone"]) };
    let matrix = matrix_of(vary, &more).unwrap();
    assert_eq!((matrix.repeats, matrix.seed), (5, 8));
    assert!(matrix.variants.iter().all(|v| v.plan.phones() == 500 && v.plan.seed == 8));
    assert!(matrix.variants.iter().all(|v| v.plan.effective.contains("resumption = \"per-phone\"")));
    let fewer = matrix_of(vary, &sets(&["matrix.vary.\"tls.versions\"=[\"1.3\"]"])).unwrap();
    assert_eq!(fewer.variants.len(), 1);
    let axis = "[[matrix.axis]]\nname = \"v\"\nvalues = [{ name = \"old\", \"tls.versions\" = \"1.2\" }]\n";
    let other = sets(&["matrix.axis.v.values=[{ name = \"new\", \"tls.versions\" = \"1.3\" }]"]);
    assert_eq!(matrix_of(axis, &other).unwrap().variants[0].id, "new");
}

#[test]
fn rounds_hold_each_variant_once_in_an_order_of_their_own() {
    let told = |turns: Vec<Turn>| {
        turns
            .iter()
            .map(|turn| format!("{}{}", turn.round, ["a", "b", "c", "d"][turn.variant]))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(told(order(3, 2, false, 1)), "1a 2a 1b 2b 1c 2c");
    assert_eq!(told(order(4, 3, true, 42)), told(order(4, 3, true, 42)));
    assert_eq!(told(order(4, 3, true, 42)), PINNED, "pinned: whoever plays it again plays it in the same order");
}
const PINNED: &str = "1a 1d 1b 1c 2d 2b 2a 2c 3a 3c 3d 3b";

proptest! {
    #[test]
    fn every_round_is_a_permutation(variants in 1_usize..60, repeats in 1_u32..6, seed in any::<u64>()) {
        let turns = order(variants, repeats, true, seed);
        prop_assert_eq!(turns.len(), variants * repeats as usize);
        for (n, round) in turns.chunks(variants).enumerate() {
            prop_assert!(round.iter().all(|turn| turn.round as usize == n + 1));
            let mut seen: Vec<usize> = round.iter().map(|turn| turn.variant).collect();
            seen.sort_unstable();
            prop_assert!(seen.into_iter().eq(0..variants));
        }
    }
}

/// Each: what it is about, the matrix, the flags.
const SLIPS: [(&str, &str, &[&str]); 22] = [
    ("a wrong value", "[matrix.vary]\n\"tls.versions\" = [\"1.2\",\n \"1.4\"]\n", &[]),
    ("a key that is none", "[matrix.vary]\n\"tls.version\" = [\"1.2\"]\n", &[]),
    ("a fleet that is none", "[matrix.vary]\n\"fleet.dekss.count\" = [1, 2]\n", &[]),
    ("no list", "[matrix.vary]\n\"tls.versions\" = \"1.2\"\n", &[]),
    ("no values", "[matrix.vary]\n\"tls.versions\" = []\n[[matrix.axis]]\nname = \"x\"\n", &[]),
    ("a value twice", "[matrix.vary]\n\"tls.versions\" = [\"1.2\", \"1.2\"]\n", &[]),
    ("nothing varied", "[matrix]\nrepeats = 2\n", &[]),
    ("unknown keys", "[matrix]\nrepeat = 2\nvary.\"tls.versions\" = [\"1.2\"]\n[[matrix.axis]]\nnam = \"x\"\n", &[]),
    (
        "wrong types",
        "[matrix]\nrepeats = \"often\"\ninterleaved = 1\nrest = 1\ncombine = \"some\"\nshow = \"x\"\n",
        &[],
    ),
    ("an axis without a name", "[[matrix.axis]]\nvalues = [{ name = \"a\" }]\n", &[]),
    ("values without names", "[[matrix.axis]]\nname = \"x\"\nvalues = [{}, { name = 3 }]\n", &[]),
    ("a value that is no table", "[[matrix.axis]]\nname = \"x\"\nvalues = [\"a\"]\n", &[]),
    (
        "two axes of one name",
        "[[matrix.axis]]\nname = \"x\"\nvalues = [{ name = \"a\" }]\n[[matrix.axis]]\nname = \"x\"\nvalues = [{ name = \"a\" }]\n",
        &[],
    ),
    (
        "a key in two axes",
        "[matrix.vary]\n\"tls.versions\" = [\"1.2\"]\n[[matrix.axis]]\nname = \"x\"\nvalues = [{ name = \"a\", \"tls.versions\" = \"1.3\" }]\n",
        &[],
    ),
    ("names and matrices do not vary", "[matrix.vary]\nname = [\"a\"]\n\"matrix.repeats\" = [1]\n", &[]),
    (
        "no such axis or value",
        "[matrix]\nbaseline = { version = \"1.2\" }\nvary.\"tls.versions\" = [\"1.2\"]\n[[matrix.leave-out]]\nversions = [\"1.2\", \"1.33\"]\n[[matrix.leave-out]]\n",
        &[],
    ),
    (
        "the baseline left out",
        "[matrix]\nvary.\"tls.versions\" = [\"1.2\", \"1.3\"]\n[[matrix.leave-out]]\n\"tls.versions\" = \"1.2\"\n",
        &[],
    ),
    ("too much", "[matrix]\nrepeats = 501\nvary.\"tls.versions\" = [\"1.2\", \"1.3\"]\n", &[]),
    ("no run", "[matrix]\nrepeats = 0\nvary.\"tls.versions\" = [\"1.2\", \"1.3\"]\n", &[]),
    (
        "no such figure",
        "[matrix]\nshow = [\"storm.drane_s\", \"storm.drain_s +\"]\nvary.\"tls.versions\" = [\"1.2\"]\n",
        &[],
    ),
    (
        "flags that clash",
        "[matrix.vary]\n\"tls.versions\" = [\"1.2\"]\n\"phase.0.arrival\" = [\"at-once\"]\n",
        &["tls.versions=1.3", "phase.0.arrival.constant=9/s"],
    ),
    (
        "a wrong value by flag",
        "[matrix.vary]\n\"tls.versions\" = [\"1.2\"]\n",
        &["matrix.vary.\"tls.versions\"=[\"1.4\"]"],
    ),
];

#[test]
fn every_slip_earns_its_words() {
    let mut told = String::new();
    for (about, matrix, flags) in SLIPS {
        let error = matrix_of(matrix, &sets(flags)).map(|m| m.variants.len()).expect_err(about);
        told.push_str(&format!(
            "{about}:\n{}\n\n",
            error.lines().map(|l| format!("  {l}")).collect::<Vec<_>>().join("\n")
        ));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_variant_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (with_one, without) = (folder.path().join("w.toml"), folder.path().join("plain.toml"));
    std::fs::write(&with_one, with(WHOLE)).unwrap();
    std::fs::write(&without, BASE).unwrap();
    let flags = Overrides::default();
    assert_eq!(load_variant(&with_one, &flags, "1.2_nothing").unwrap().tls.fleets[0].1.versions, TlsVersions::Only12);
    assert_eq!(load_variant(&with_one, &flags, "1.2, nothing").unwrap().tls.fleets[0].1.versions, TlsVersions::Only12);
    let told = |path, name| load_variant(path, &flags, name).map(|p| p.name).unwrap_err().to_string();
    assert_eq!(
        told(&with_one, "1.2_nothin"),
        "--variant: there is no variant `1.2_nothin`; did you mean `1.2_nothing`?"
    );
    let refused = ": matrix: is missing, so there is no variant `x`; leave --variant out, or say under [matrix.vary] what is \
                   to be varied";
    assert_eq!(told(&without, "x"), format!("{}{refused}", without.display()));
}

#[test]
fn too_many_variants_and_combinations_are_refused() {
    let vary = |axes: usize, values: usize| {
        let values: Vec<_> = (0..values).map(|n| format!("{{ name = \"{n}\" }}")).collect();
        let axis = |n| format!("[[matrix.axis]]\nname = \"a{n}\"\nvalues = [{}]\n", values.join(", "));
        (0..axes).map(axis).collect::<String>()
    };
    let told = |text: String| matrix_of(&text, &Overrides::default()).map(|m| m.variants.len());
    assert_eq!(told(vary(2, 10)), Ok(100));
    assert!(told(vary(3, 6)).unwrap_err().contains("there are 216 variants; at most 200"));
    assert!(told(vary(5, 7)).unwrap_err().contains("there are more than 10000 combinations"));
    assert_eq!(told(format!("[matrix]\ncombine = \"one-at-a-time\"\n{}", vary(5, 7))), Ok(31));
}

#[test]
fn secrets_stay_secret() {
    let text = "[matrix.vary]\n\"fleet.0.credentials.password\" = [\"geheim\", \"geheimer\"]\n";
    let matrix = read(text);
    assert!(matrix.variants.iter().all(|v| v.sets[0].1 == "***"));
    let wrong = "[matrix.vary]\n\"fleet.0.credentials.password\" = [1]\n";
    // A number where a text is wanted is that text.
    assert!(matrix_of(wrong, &Overrides::default()).is_ok());
}
