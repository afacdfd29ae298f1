//! The command line: one file per verb; nothing but parsing, wiring and printing.

mod bounds;
mod capacity;
mod child;
mod compare;
mod consent;
mod environment;
mod exit;
mod forecast;
mod format;
mod generator;
mod interop;
mod machine;
mod matrix;
mod monitor;
mod password;
mod plan;
mod progress;
mod repeat;
mod report;
mod run;
mod series;
mod serve;
mod serve_args;
mod serve_tls;
mod server;
mod trace;
mod workload;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

pub use exit::{Ended, Exit};

/// Fleets of desk phones against a real HTTP(S) file server.
#[derive(Debug, Parser)]
#[command(name = "bootstorm", version, about, max_term_width = 100, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Say more on stderr: -v informs, -vv debugs; the variable BOOTSTORM_LOG takes a filter, such as
    /// bootstorm::net=trace
    #[arg(short, long, global = true, action = clap::ArgAction::Count, display_order = 900)]
    verbose: u8,
}

const AFTER_HELP: &str = "\
Examples:
  bootstorm plan workloads/mass-reboot.toml    what would happen, and when; nothing is sent
  bootstorm run workloads/mass-reboot.toml     2,000 phones against the embedded server
  bootstorm capacity workloads/capacity.toml   how much the embedded server carries, and what breaks first
  bootstorm run workloads/mass-reboot.toml --phones 500 --set target.embedded.likeness=apache

Exit codes:
  0    passed
  1    could not be done
  2    wrong usage or workload
  97   the measurement is invalid: the generator, not the server, was the limit
  98   interoperability differs from what was expected
  99   a threshold was crossed, or a comparison found a regression
  130  interrupted (the first Ctrl-C drains and reports, the second ends at once)";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Carry out a workload and report what phones and server went through
    Run(run::RunArgs),
    /// Read a saved run's journal again: print its summary, and rebuild its other files
    Report(report::ReportArgs),
    /// Tell whether saved runs are faster or slower than others, the same, or not to be told apart
    Compare(compare::CompareArgs),
    /// Find the hardest load at which a server still meets the workload's thresholds
    Capacity(capacity::CapacityArgs),
    /// Say what a workload would do and what that would take of this machine, without sending anything
    Plan(plan::PlanArgs),
    /// Serve files to phones: the embedded target on its own
    Serve(serve_args::ServeArgs),
    /// Play every behaviour of each phone against a server and print who understands whom
    Interop(interop::InteropArgs),
    /// Show one phone's whole conversation with a server, and why it did what it did
    Trace(trace::TraceArgs),
}

/// Parses the command line, does what it says, and ends with the contract's exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; clap knows which goes where.
            let error = explained(error);
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Passed.code() });
        }
    };
    let ended = log(cli.verbose).and_then(|()| match cli.verb {
        Verb::Run(args) => run::run(args),
        Verb::Report(args) => report::run(args),
        Verb::Compare(args) => compare::run(args),
        Verb::Capacity(args) => capacity::run(args),
        Verb::Plan(args) => plan::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Interop(args) => interop::run(args),
        Verb::Trace(args) => trace::run(args),
    });
    match ended {
        Ok(exit) => exit.into(),
        Err(ended) => {
            // With stderr gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "bootstorm: {}", ended.message);
            ended.exit.into()
        }
    }
}

/// The parser's error with what it does not know: which verbs there are, and that a value is from the environment.
fn explained(mut error: clap::Error) -> clap::Error {
    let tip = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::InvalidSubcommand, _) if error.get(ContextKind::SuggestedSubcommand).is_none() => {
            let verbs: Vec<_> = Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
            Some(format!("the verbs are {}", verbs.join(", ")))
        }
        (_, Some(ContextValue::String(argument))) => {
            let flag = argument.split(' ').next().unwrap_or_default();
            environment::variable_for(flag).map(|variable| format!("the value is from the environment: {variable}"))
        }
        _ => None,
    };
    if let Some(tip) = tip {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}

/// Logs go to stderr; colour only where a person may read it.
fn log(verbose: u8) -> Result<(), Ended> {
    let level = match verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let filter = match std::env::var("BOOTSTORM_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::try_new(&filter).map_err(|error| {
            let right = "write for example bootstorm=debug, or bootstorm::net=trace";
            Ended::usage(format!("BOOTSTORM_LOG: `{filter}` is no filter ({error}); {right}"))
        })?,
        _ => EnvFilter::new(format!("bootstorm={level}")),
    };
    // A second subscriber in one process (tests) is no reason to stop.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colour(&io::stderr()))
        .with_target(false)
        .try_init();
    Ok(())
}

/// Whether colours suit this stream: a terminal, and `NO_COLOR` not set.
fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Writes a result to standard output. A reader that has gone (`| head`) is no failure; a disk that is full is one.
fn print(text: &str) -> Result<(), Ended> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Ended::undone(format!("standard output: cannot be written ({error}); send it where there is room")))
        }
        _ => Ok(()),
    }
}

/// What a person should know, and no program reads.
fn note(words: &str) {
    // With stderr gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "bootstorm: {words}");
}

/// For what a verb does by itself; the shards have runtimes of their own.
fn runtime() -> Result<Runtime, Ended> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Ended::undone(format!("could not start the runtime: {error}")))
}

#[allow(clippy::disallowed_methods, reason = "folders and manifests carry the date of their run")]
fn now() -> SystemTime {
    SystemTime::now()
}
