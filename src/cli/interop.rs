//! `bootstorm interop`: will these phones and this server understand each other, and what will it take?

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rustls::pki_types::UnixTime;

use super::consent::{self, ConsentArgs};
use super::server::{Server, find_server};
use super::{Ended, Exit, colour, password, runtime};
use crate::auth::Credentials;
use crate::interop::{Clock, Difference, EXTENSION, Expectation, Ground, LabError, Matrix, Subject, scenarios, text};
use crate::phone::{FAMILIES, Registration};
use crate::workload::{self, Overrides, Plan, Timeouts};

/// Arguments of `interop`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub(super) struct InteropArgs {
    /// The server, such as https://127.0.0.1:8443/folder; without it, the workload's target
    #[arg(value_name = "TARGET", required_unless_present = "workload")]
    target: Option<String>,
    /// PEM file with the CA certificates the phones trust
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Take families, settings and accounts from this workload: the first phone of the first fleet of each family
    #[arg(long, value_name = "FILE")]
    workload: Option<PathBuf>,
    /// An account of the server that may write; its password is asked for, never an argument
    #[arg(long, value_name = "USER", conflicts_with = "workload", required_unless_present = "workload")]
    user: Option<String>,
    /// The realm the phones have stored; without it the workload's, or whatever the server has
    #[arg(long, value_name = "REALM")]
    realm: Option<String>,
    /// Extension of the phone that is played: one that nobody has
    #[arg(long, value_name = "EXT", default_value = EXTENSION, value_parser = extension)]
    extension: String,
    /// Play these families only
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = family)]
    families: Vec<Registration>,
    #[command(flatten)]
    consent: ConsentArgs,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
    /// Compare with what this file expects; any difference ends with 98
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Write what was found as what is expected from now on
    #[arg(long, value_name = "FILE")]
    write_expectation: Option<PathBuf>,
}

const AFTER: &str = "The password of --user comes from BOOTSTORM_PASSWORD, from a prompt, or from the first line of \
                     stdin. Nothing is written but files named after --extension and the MAC address 02b0057e5700, \
                     and those are deleted again.";

/// A minimal workload: what it does not say has the same defaults as in any other.
const LEAST: &str = "[target.embedded]\n[[fleet]]\nfamily = \"avaya-96xx\"\ncount = 1\ncredentials = { realm = \"-\" }\n[[phase]]\ndoes = \"power-up\"\n\
                     arrival = \"at-once\"\n";

/// Plays every scenario and prints the matrix.
pub(super) fn run(args: InteropArgs) -> Result<Exit, Ended> {
    let expected = args.expect.as_deref().map(read_expectation).transpose()?;
    let plan = plan(&args)?;
    let subjects = subjects(&args, &plan)?;
    let runtime = runtime()?;
    let server: Server = find_server(&plan)?;
    if let Some(target) = &server.embedded {
        target.begin(1.0);
    }
    let (addresses, _) = consent::obtain(&args.consent, &runtime, &plan, &server)?;
    let ground = Ground {
        origin: server.origin.clone(),
        base: server.base.clone(),
        addresses,
        trust: server.trust.clone(),
        timeouts: bounded(plan.timeouts),
        device_certificates: plan.tls.fleets.iter().find_map(|(_, setup)| setup.device_certificates.clone()),
        seed: plan.seed,
    };
    let bar = progress(subjects.len());
    let matrix = Matrix::play(&ground, &subjects, &runtime, clock(), |family, what| {
        bar.set_message(format!("{family}: {what}"));
        bar.inc(1);
    });
    bar.finish_and_clear();
    let matrix = matrix.map_err(|error| match error {
        LabError::Net(error) => Ended::net(error),
        settings @ LabError::Settings { .. } => Ended::usage(settings),
    })?;
    if let Some(file) = &args.write_expectation {
        let text = Expectation::of(&matrix).to_text().map_err(Ended::undone)?;
        std::fs::write(file, text).map_err(|e| Ended::undone(format!("{}: cannot be written: {e}", file.display())))?;
    }
    let differences = expected.map(|expected| expected.differences(&matrix));
    let shown = if args.json {
        let mut value = matrix.to_json();
        if let Some(differences) = &differences {
            value["differences"] = serde_json::json!(differences);
        }
        format!("{value:#}\n")
    } else {
        text::render(&matrix, colour(&io::stdout())) + &compared(differences.as_deref())
    };
    // A reader that has gone (`| head`) changes nothing about the server.
    let _ = io::stdout().lock().write_all(shown.as_bytes());
    Ok(if differences.is_some_and(|d| !d.is_empty()) { Exit::Differs } else { Exit::Passed })
}

/// A run is patient; a person who waits for a matrix is not.
fn bounded(timeouts: Timeouts) -> Timeouts {
    let most = |limit: Duration, seconds| limit.min(Duration::from_secs(seconds));
    Timeouts {
        connect: most(timeouts.connect, 5),
        tls: most(timeouts.tls, 5),
        first_byte: most(timeouts.first_byte, 8),
        exchange: most(timeouts.exchange, 10),
    }
}

fn compared(differences: Option<&[Difference]>) -> String {
    let Some(differences) = differences else { return String::new() };
    if differences.is_empty() {
        return "\nEverything is as expected.\n".to_owned();
    }
    let mut out = format!("\nNot as expected, in {} place(s):\n", differences.len());
    for difference in differences {
        let _ = writeln!(out, "- {difference}");
    }
    out
}

fn read_expectation(file: &Path) -> Result<Expectation, Ended> {
    let text = std::fs::read_to_string(file)
        .map_err(|e| Ended::usage(format!("--expect {}: cannot be read: {e}", file.display())))?;
    Expectation::parse(&text).map_err(|e| Ended::usage(format!("--expect {}: {e}", file.display())))
}

/// Target, timeouts and accounts: of the workload, or of the least one there is.
fn plan(args: &InteropArgs) -> Result<Plan, Ended> {
    let ca = args.ca.as_ref().map(|file| {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
        format!("target.ca={}", toml::Value::from(file.display().to_string()))
    });
    let overrides = Overrides { target: args.target.clone(), sets: ca.into_iter().collect(), ..Overrides::default() };
    match &args.workload {
        Some(file) => workload::load(file, &overrides),
        None => workload::parse(LEAST, "interop", Path::new(""), &overrides),
    }
    .map_err(Ended::usage)
}

/// The families to play, each with its settings and an account.
fn subjects(args: &InteropArgs, plan: &Plan) -> Result<Vec<Subject>, Ended> {
    let subject = |registration, settings, right, realm: Option<String>| Subject {
        registration,
        settings,
        right,
        realm: args.realm.clone().or(realm),
        server_realm: None,
        extension: args.extension.clone(),
    };
    let chosen = |name: &str| args.families.is_empty() || args.families.iter().any(|f| f.name == name);
    if let Some(user) = &args.user {
        let right = Credentials::new(user, password::of(user)?);
        let families = FAMILIES.iter().filter(|f| chosen(f.name));
        return Ok(families.map(|f| subject(*f, toml::Table::new(), right.clone(), None)).collect());
    }
    let settings = args.workload.as_deref().map(settings_of).unwrap_or_default();
    let mut subjects: Vec<Subject> = Vec::new();
    for (place, fleet) in plan.fleets.iter().enumerate() {
        let name = fleet.family.name();
        let known = subjects.iter().any(|s| s.registration.name == name);
        if let (false, true, Some(registration)) = (known, chosen(name), FAMILIES.iter().find(|f| f.name == name)) {
            let right = fleet.right_credentials(&fleet.identity(fleet.first));
            let own = settings.get(place).cloned().unwrap_or_default();
            subjects.push(subject(*registration, own, right, Some(fleet.account.realm.clone())));
        }
    }
    match subjects.is_empty() {
        true => Err(Ended::usage("--families: the workload has no fleet of these families")),
        false => Ok(subjects),
    }
}

/// The settings of each fleet as the file has them. It was read before: what is wrong with it has been said.
fn settings_of(file: &Path) -> Vec<toml::Table> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let table: toml::Table = toml::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let fleets = table.get("fleet").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    let settings = |fleet: &toml::Value| fleet.get("settings").and_then(toml::Value::as_table).cloned();
    fleets.iter().map(|fleet| settings(fleet).unwrap_or_default()).collect()
}

/// Where it is, on stderr, if that is a terminal.
fn progress(families: usize) -> ProgressBar {
    let steps = (scenarios::all().count() + 1) * families;
    let bar = ProgressBar::new(steps as u64);
    if let Ok(style) = ProgressStyle::with_template("{pos}/{len} {msg}") {
        bar.set_style(style);
    }
    bar
}

#[allow(clippy::disallowed_methods, reason = "certificates are valid at a date")]
fn clock() -> Clock {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Clock { now: UnixTime::since_unix_epoch(now), began: Instant::now() }
}

/// An extension goes into a file's name: letters and digits only.
fn extension(text: &str) -> Result<String, String> {
    let right = !text.is_empty() && text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if right { Ok(text.to_owned()) } else { Err("write up to 32 letters and digits".to_owned()) }
}

fn family(name: &str) -> Result<Registration, String> {
    FAMILIES.iter().find(|f| f.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = FAMILIES.iter().map(|f| f.name).collect();
        format!("write {}", names.join(", "))
    })
}
