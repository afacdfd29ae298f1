//! `report.html`: a run on one page that a manager understands and an engineer trusts.
//!
//! One self-contained file: no script, no request, and a content security policy that would not let either happen (the
//! style sheet is allowed by its hash). The same record makes the same page, byte for byte. Everything a server, a workload
//! or a manifest can say comes in as text through `markup::Markup`, which escapes it.
//!
//! From the verdict down to the machine, each section is a file.

mod auth;
mod capacity;
mod chart;
mod columns;
mod curve;
mod generator;
mod goals;
mod heat;
mod law;
mod markup;
mod matrix;
mod outcomes;
mod percentiles;
mod phases;
mod phones;
mod provenance;
mod storm;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod times;
mod tls;
mod traffic;
mod verdict;
mod words;

pub use capacity::capacity_page;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use self::columns::Columns;
use self::markup::Markup;
pub use self::matrix::matrix_page;
use super::{Manifest, Summary};
use crate::metrics::Record;

/// How the page looks.
const SHEET: &str = include_str!("style.css");

/// What the page is made from.
struct Run<'a> {
    record: &'a Record,
    summary: &'a Summary,
    manifest: &'a Manifest,
    columns: Columns,
}

/// A section of a page about `T`: where it is found, what the contents call it, and how it is written.
struct Section<T> {
    id: &'static str,
    name: &'static str,
    write: fn(&mut Markup, &T),
}

/// The sections, in order.
fn sections<'r>() -> [Section<Run<'r>>; 14] {
    [
        Section { id: "goals", name: "Thresholds", write: goals::write },
        Section { id: "storm", name: "Phones over time", write: storm::write },
        Section { id: "traffic", name: "Exchanges per second", write: traffic::write },
        Section { id: "times", name: "Response times", write: times::write },
        Section { id: "heat", name: "Response times over the run", write: heat::write },
        Section { id: "phases", name: "Where the time went", write: phases::write },
        Section { id: "auth", name: "Signing in", write: auth::write },
        Section { id: "tls", name: "TLS", write: tls::write },
        Section { id: "outcomes", name: "How it ended", write: outcomes::write },
        Section { id: "phones", name: "Phones to look at", write: phones::write },
        Section { id: "target", name: "The target", write: target::write },
        Section { id: "generator", name: "The generator", write: generator::write },
        Section { id: "run", name: "What was run", write: provenance::write },
        Section { id: "words", name: "Words", write: glossary },
    ]
}

/// The page of a finished run. `summary` and `manifest` are those of the same record.
pub fn page(record: &Record, summary: &Summary, manifest: &Manifest) -> String {
    let run = Run { record, summary, manifest, columns: Columns::of(record) };
    let mut m = Markup::default();
    m.within("html", &[("xmlns", "http://www.w3.org/1999/xhtml"), ("lang", "en")], |m| {
        let title = format!("{} ({}): bootstorm report", summary.workload.name, summary.verdict.state.name());
        m.within("head", &[], |m| head(m, &title));
        m.within("body", &[], |m| {
            m.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the report");
            m.within("header", &[], |m| verdict::header(m, &run));
            m.within("div", &[("class", "page")], |m| {
                m.within("nav", &[("aria-label", "Contents")], |m| contents(m, &sections()));
                m.within("main", &[("id", "main")], |m| {
                    verdict::write(m, &run);
                    write_sections(m, &sections(), &run);
                });
            });
            m.within("footer", &[], |m| verdict::footer(m, &run));
        });
    });
    m.finish()
}

/// The head of a page with this title.
fn head(m: &mut Markup, title: &str) {
    let hash = STANDARD.encode(Sha256::digest(SHEET));
    let policy =
        format!("default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'");
    m.empty("meta", &[("charset", "utf-8")]);
    m.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    m.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    m.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    m.empty("meta", &[("name", "robots"), ("content", "noindex")]);
    m.leaf("title", &[], title);
    // Without it, browsers ask the server, or the folder, for one.
    m.empty("link", &[("rel", "icon"), ("href", "data:,")]);
    m.style(SHEET);
}

fn contents<T>(m: &mut Markup, sections: &[Section<T>]) {
    m.within("ul", &[], |m| {
        for Section { id, name, .. } in sections {
            m.within("li", &[], |m| m.leaf("a", &[("href", &format!("#{id}"))], name));
        }
    });
}

fn write_sections<T>(m: &mut Markup, sections: &[Section<T>], of: &T) {
    for section in sections {
        let heading = format!("{}-heading", section.id);
        m.within("section", &[("id", section.id), ("aria-labelledby", &heading)], |m| {
            m.leaf("h2", &[("id", &heading)], section.name);
            (section.write)(m, of);
        });
    }
}

fn glossary(m: &mut Markup, _: &Run) {
    m.within("dl", &[("class", "words")], |m| {
        for (word, meaning) in words::GLOSSARY {
            m.within("div", &[], |m| {
                m.leaf("dt", &[], word);
                m.leaf("dd", &[], meaning);
            });
        }
    });
}

/// A sentence under a heading that says how to read what follows.
fn lead(m: &mut Markup, text: &str) {
    m.leaf("p", &[("class", "lead")], text);
}

/// With a capital at its beginning.
fn first_up(words: &str) -> String {
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What stands where there is nothing to show.
fn nothing(m: &mut Markup, text: &str) {
    m.leaf("p", &[("class", "nothing")], text);
}

/// Facts side by side, each a name and what is to be said.
fn facts<'a>(m: &mut Markup, facts: impl IntoIterator<Item = (&'a str, String)>) {
    m.within("dl", &[("class", "facts")], |m| {
        for (name, value) in facts {
            m.within("div", &[], |m| {
                m.leaf("dt", &[], name);
                m.leaf("dd", &[], &value);
            });
        }
    });
}

/// A part of all in percent: what is something is never told as nothing, nor what is not all as all.
fn share(part: u64, all: u64) -> String {
    let share = part as f64 / all.max(1) as f64;
    match share {
        share if part > 0 && share < 0.001 => "< 0.1 %".to_owned(),
        share if part < all && share > 0.999 => "> 99.9 %".to_owned(),
        share if part > 0 && share < 0.0095 || part < all && share > 0.99 => format!("{:.1} %", share * 100.0),
        share => super::number::percent(share),
    }
}

/// One or many.
fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", super::number::count(n), if n == 1 { one } else { many })
}
