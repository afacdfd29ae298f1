//! A workload with a `[matrix]`: `run` plays its variants one after another, `plan` says which, `report` tells them again.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::child::Finish;
use super::repeat::SeriesArgs;
use super::series::Series;
use super::{Ended, Exit, note, runtime};
use crate::report::matrix::{Played, PlayedRun, SideBySide};
use crate::report::number::{self, count};
use crate::report::{Folder, Format};
use crate::workload::{End, MOST_RUNS, Matrix, Plan};

/// Plays the matrix and tells what came of it. `folder` makes its folder from the workload's name.
pub(super) fn run(
    mut matrix: Matrix,
    series: &SeriesArgs,
    format: Format,
    folder: &dyn Fn(&str) -> Result<Folder, Ended>,
    now: SystemTime,
) -> Result<Exit, Ended> {
    if let Some(repeats) = series.of_matrix()? {
        matrix.repeats = repeats;
    }
    let turns = matrix.turns();
    if turns.len() > MOST_RUNS {
        let (n, variants) = (turns.len(), matrix.variants.len());
        return Err(Ended::usage(format!(
            "--repeat {}: {n} runs of {variants} variants are more than {MOST_RUNS}; repeat less, or vary less",
            matrix.repeats
        )));
    }
    takes(format)?;
    let runtime = runtime()?;
    let mut series = Series::begin(&runtime, turns.len())?;
    let name = matrix.variants.get(matrix.baseline).map(|v| v.plan.name.clone()).unwrap_or_default();
    let folder = folder(&name)?;
    let mut played = Played::of(&matrix, &name, now);
    played.write(&folder).map_err(Ended::folder)?;
    let made = play(&matrix, &mut series, &mut played, &folder);
    if played.runs.is_empty() {
        // Nothing happened: there is nothing to tell.
        played.abandon(&folder);
        return made.map(|()| Exit::Passed);
    }
    let side = SideBySide::open(folder.path()).map_err(Ended::folder)?;
    let page = side.write_page(&folder);
    super::print(&side.render(format, Some(folder.path())).map_err(Ended::undone)?)?;
    page.map_err(Ended::folder)?;
    made?;
    end(&played)
}

/// Plays the runs in their order, as long as nobody interrupts. What is done is written down after each.
fn play(matrix: &Matrix, series: &mut Series<'_>, played: &mut Played, folder: &Folder) -> Result<(), Ended> {
    for (n, turn) in matrix.turns().into_iter().enumerate() {
        if n > 0 && !matrix.rest.is_zero() && !series.rest(matrix.rest) {
            break;
        }
        let variant = &matrix.variants[turn.variant];
        let own = folder.path().join(Played::run_folder(&variant.id, turn.round));
        let name = match matrix.repeats {
            1 => variant.name.clone(),
            _ => format!("{}, round {}", variant.name, turn.round),
        };
        let alone: [OsString; 2] = ["--variant".into(), variant.id.clone().into()];
        let finish = series.run(&name, &own, &alone)?;
        let ended = match finish {
            Finish::Made { crossed: false } => "made",
            Finish::Made { crossed: true } => "threshold",
            Finish::Invalid => "invalid",
            Finish::Interrupted => "interrupted",
        };
        played.runs.push(PlayedRun { variant: variant.id.clone(), round: turn.round, ended: ended.to_owned() });
        played.write(folder).map_err(Ended::folder)?;
        if finish == Finish::Interrupted {
            break;
        }
    }
    Ok(())
}

/// How the matrix ends: what spoils it most comes first.
fn end(played: &Played) -> Result<Exit, Ended> {
    let named = |ended: &str| {
        let runs = played.runs.iter().filter(|run| run.ended == ended);
        runs.map(|run| Played::run_folder(&run.variant, run.round).display().to_string()).collect::<Vec<_>>().join(", ")
    };
    let (interrupted, invalid, crossed) = (named("interrupted"), named("invalid"), named("threshold"));
    let wanted = played.variants.len() * played.repeats as usize;
    if !interrupted.is_empty() || played.runs.len() < wanted {
        let message = format!("interrupted after {} of {wanted} runs: the table has the whole ones", played.runs.len());
        return Err(Ended { exit: Exit::Interrupted, message });
    }
    if !invalid.is_empty() {
        let message = format!("invalid, and in none of the figures: {invalid}");
        return Err(Ended { exit: Exit::Invalid, message });
    }
    if !crossed.is_empty() {
        return Err(Ended { exit: Exit::Threshold, message: format!("thresholds were crossed in {crossed}") });
    }
    Ok(Exit::Passed)
}

/// Tells a saved matrix again, and rebuilds its page if it differs.
pub(super) fn report(folder: &Path, format: Format) -> Result<Exit, Ended> {
    takes(format)?;
    let side = SideBySide::open(folder).map_err(Ended::folder)?;
    super::print(&side.render(format, Some(folder)).map_err(Ended::undone)?)?;
    if side.write_page(&Folder::of_saved(folder)).map_err(Ended::folder)? {
        note("rebuilt report.html");
    }
    Ok(Exit::Passed)
}

fn takes(format: Format) -> Result<(), Ended> {
    match SideBySide::takes(format) {
        true => Ok(()),
        false => {
            Err(Ended::usage(format!("--format {}: a matrix is told as text, json, csv or markdown", format.name())))
        }
    }
}

/// The plan of the baseline with the matrix around it: how many runs, which, and how long they take at least.
pub(super) fn with_plan(matrix: &Matrix, baseline: &str, json: bool) -> serde_json::Result<String> {
    let runs = matrix.turns().len();
    let least = at_least(matrix).as_secs_f64();
    if json {
        let mut plan: Value = serde_json::from_str(baseline)?;
        let variants = matrix.variants.iter().map(|variant| {
            let sets = variant.sets.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
            json!({ "name": variant.name, "folder": variant.id, "sets": sets, "sha256": variant.plan.sha256 })
        });
        let order =
            matrix.turns().into_iter().map(|turn| Played::run_folder(&matrix.variants[turn.variant].id, turn.round));
        plan["matrix"] = json!({
            "axes": matrix.axes.iter().map(|axis| json!({ "name": axis.name, "values": axis.values, "keys": axis.keys })).collect::<Vec<_>>(),
            "baseline": matrix.variants.get(matrix.baseline).map(|variant| &variant.id),
            "repeats": matrix.repeats,
            "runs": runs,
            "seconds_at_least": least,
            "variants": variants.collect::<Vec<_>>(),
            "order": order.collect::<Vec<_>>(),
        });
        return Ok(format!("{plan:#}\n"));
    }
    let mut out = String::new();
    let each = match matrix.repeats {
        1 => "one run each".to_owned(),
        n => format!("{} runs each", count(n.into())),
    };
    let order = if matrix.interleaved { "in rounds, each in an order of its own" } else { "one variant after another" };
    // Writing into a String cannot fail.
    let _ = writeln!(out, "matrix    {} variants, {each}: {} runs, {order}", matrix.variants.len(), count(runs as u64));
    let _ = writeln!(
        out,
        "takes     at least {}, and what the phones need to settle after their last start",
        number::seconds(Some(least))
    );
    let width = matrix.axes.iter().map(|axis| axis.name.chars().count()).max().unwrap_or_default();
    for axis in &matrix.axes {
        let _ = writeln!(out, "axis      {:<width$}  {}", axis.name, axis.values.join(" | "));
    }
    for (n, variant) in matrix.variants.iter().enumerate() {
        let mark = if n == matrix.baseline { "  (baseline)" } else { "" };
        let _ = writeln!(out, "variant   {}{mark}", variant.id);
    }
    let _ = write!(out, "\nThe baseline is\n\n{baseline}");
    Ok(out)
}

/// Until the last start of each run, or its end where that is known, and the rest between them.
fn at_least(matrix: &Matrix) -> Duration {
    let runs: Duration = matrix.variants.iter().map(|variant| of_plan(&variant.plan)).sum();
    let rests = u32::try_from(matrix.turns().len().saturating_sub(1)).unwrap_or(u32::MAX);
    runs * matrix.repeats + matrix.rest * rests
}

fn of_plan(plan: &Plan) -> Duration {
    let phone_time = match plan.end {
        End::After(at) => at,
        End::Settled { .. } => {
            let last = (0..plan.phases.len()).flat_map(|phase| plan.starts_of_phase(phase)).map(|start| start.at).max();
            Duration::from_micros(last.map_or(0, |at| at.as_micros()))
        }
    };
    phone_time.div_f64(plan.compression)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::matrix::PlayedVariant;

    /// What spoils the whole most decides, and names where.
    #[test]
    fn how_the_runs_ended_decides_how_the_matrix_ends() {
        let ended = |runs: &[&str]| {
            let variant = |name: &str| PlayedVariant { folder: name.into(), ..PlayedVariant::default() };
            let run = |(n, ended): (usize, &&str)| PlayedRun {
                variant: ["a", "b", "c"][n].into(),
                round: 1,
                ended: (*ended).into(),
            };
            let runs = runs.iter().enumerate().map(run).collect();
            let played =
                Played { variants: ["a", "b", "c"].map(variant).into(), repeats: 1, runs, ..Played::default() };
            match end(&played) {
                Ok(exit) => (exit, String::new()),
                Err(ended) => (ended.exit, ended.message),
            }
        };
        for (runs, exit, message) in [
            (&["made", "made", "made"][..], Exit::Passed, ""),
            (&["made", "threshold", "threshold"], Exit::Threshold, "thresholds were crossed in b/run-1, c/run-1"),
            (&["threshold", "invalid", "made"], Exit::Invalid, "invalid, and in none of the figures: b/run-1"),
            (
                &["invalid", "interrupted"],
                Exit::Interrupted,
                "interrupted after 2 of 3 runs: the table has the whole ones",
            ),
            (&["made"], Exit::Interrupted, "interrupted after 1 of 3 runs: the table has the whole ones"),
        ] {
            assert_eq!(ended(runs), (exit, message.to_owned()));
        }
    }
}
