//! What was run, with what, where, and by whose leave: enough to repeat it.

use super::markup::Markup;
use super::{Run, lead};
use crate::report::number::{bytes, count};

/// Writes the section.
pub(super) fn write(m: &mut Markup, run: &Run) {
    let manifest = run.manifest;
    lead(m, "Everything that is needed to run it again, and to know what it was run on.");
    let (machine, limits) = (&manifest.machine, &manifest.limits);
    let processor = machine.cpu_model.as_ref().map_or_else(String::new, |model| format!(" · {model}"));
    let consent = manifest.consent.as_ref().map_or_else(
        || "none needed: the target is on this machine".to_owned(),
        |consent| format!("{}: {}", consent.kind, consent.by),
    );
    let sources = match limits.source_addresses {
        0 => "as the system chose".to_owned(),
        n => count(n),
    };
    let bounded = limits.max_connections.map_or_else(|| "as many as open files allow".to_owned(), count);
    let rows = [
        ("workload", manifest.workload.name.clone()),
        ("SHA-256 of the workload", manifest.workload.sha256.clone()),
        ("seed", manifest.seed.to_string()),
        ("began", manifest.started_at.clone()),
        ("bootstorm", manifest.version.clone()),
        ("target", manifest.target.clone()),
        ("consent", consent),
        ("changed by hand", changed(&manifest.overrides)),
        ("machine", format!("{} × {}{processor}", machine.cores, machine.architecture)),
        ("memory", bytes(machine.memory_bytes)),
        ("system", machine.kernel.clone()),
        ("open files, at most", count(limits.open_files)),
        ("connections, at most", bounded),
        ("source addresses", sources),
        ("local ports for each", limits.local_ports.map_or_else(|| "not known".to_owned(), count)),
    ];
    m.within("dl", &[("class", "provenance")], |m| {
        for (name, value) in rows {
            m.within("div", &[], |m| {
                m.leaf("dt", &[], name);
                m.leaf("dd", &[], &value);
            });
        }
    });
    m.within("details", &[("class", "source")], |m| {
        m.leaf("summary", &[], "The workload as it was carried out (TOML, secrets masked)");
        m.within("pre", &[("tabindex", "0")], |m| m.within("code", &[], |m| effective(m, &manifest.effective)));
    });
}

fn changed(overrides: &[String]) -> String {
    if overrides.is_empty() { "nothing".to_owned() } else { overrides.join(", ") }
}

/// Longest workload that is shown whole, in characters.
const LONGEST: usize = 60_000;

fn effective(m: &mut Markup, text: &str) {
    match text.char_indices().nth(LONGEST) {
        None => m.whole_text(text),
        Some((at, _)) => {
            m.whole_text(&text[..at]);
            m.text("\n… the rest is in manifest.json");
        }
    }
}
