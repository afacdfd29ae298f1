//! The formats a run can be told in: for people, for programs, for spreadsheets, for CI, for monitoring.

mod exposition;
mod junit;
mod markdown;
pub mod prometheus;

pub(in crate::report) use markdown::escaped;

use std::io;
use std::path::Path;
use std::str::FromStr;

use super::{Manifest, Summary, text, write_operations};
use crate::metrics::Totals;

/// A format of a run's report on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people, at most 100 columns.
    #[default]
    Text,
    /// `summary.json`.
    Json,
    /// `operations.csv`: one row for each kind of operation.
    Csv,
    /// For a pull request or a wiki.
    Markdown,
    /// JUnit's XML: the verdict and each threshold as a test case.
    Junit,
    /// Prometheus' text format, version 0.0.4.
    Prometheus,
}

/// A run to be told, and what is known of it beside its figures.
#[derive(Clone, Copy, Debug)]
pub struct Told<'r> {
    /// The figures.
    pub summary: &'r Summary,
    /// What was run and where, if it is known.
    pub manifest: Option<&'r Manifest>,
    /// The counts behind the figures, if they are at hand: they make the sums for Prometheus exact.
    pub totals: Option<&'r Totals>,
    /// The run's folder, if it was saved.
    pub folder: Option<&'r Path>,
    /// Whether text may have colours.
    pub colour: bool,
}

impl Format {
    /// All formats, in the order in which they are told.
    pub const ALL: [Format; 6] =
        [Format::Text, Format::Json, Format::Csv, Format::Markdown, Format::Junit, Format::Prometheus];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Markdown => "markdown",
            Format::Junit => "junit",
            Format::Prometheus => "prometheus",
        }
    }

    /// The run in this format; it ends with a line's end.
    ///
    /// # Errors
    /// If a value cannot be written in this format, which no value of a summary should be.
    pub fn render(self, run: &Told<'_>) -> io::Result<String> {
        match self {
            Format::Text => Ok(text::render(run.summary, run.folder, run.colour)),
            Format::Json => Ok(serde_json::to_string_pretty(run.summary)? + "\n"),
            Format::Csv => {
                let mut sheet = Vec::new();
                write_operations(run.summary, &mut sheet)?;
                String::from_utf8(sheet).map_err(io::Error::other)
            }
            Format::Markdown => Ok(markdown::render(run.summary, run.manifest)),
            Format::Junit => junit::render(run.summary),
            Format::Prometheus => Ok(prometheus::render(run.summary, run.totals)),
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let names: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
            format!("write {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Marks, Record};
    use crate::report::fixture::mass_reboot;

    fn told(record: &Record, format: Format) -> String {
        let summary = Summary { version: "1.2.3".into(), ..Summary::of(record) };
        let totals = Some(&record.tally.totals);
        let run = Told { summary: &summary, manifest: None, totals, folder: None, colour: false };
        format.render(&run).unwrap()
    }

    #[test]
    fn markdown() {
        insta::assert_snapshot!(told(&mass_reboot(), Format::Markdown));
    }

    #[test]
    fn junit() {
        insta::assert_snapshot!(told(&mass_reboot(), Format::Junit));
    }

    #[test]
    fn prometheus() {
        insta::assert_snapshot!(told(&mass_reboot(), Format::Prometheus));
    }

    #[test]
    fn csv_is_the_sheet_of_operations_and_json_the_summary() {
        let record = mass_reboot();
        let mut sheet = Vec::new();
        write_operations(&Summary::of(&record), &mut sheet).unwrap();
        assert_eq!(told(&record, Format::Csv).into_bytes(), sheet);
        let summary: Summary = serde_json::from_str(&told(&record, Format::Json)).unwrap();
        assert_eq!(summary.operations, Summary::of(&record).operations);
    }

    #[test]
    fn what_spoils_a_run_comes_first_in_every_format_for_people() {
        let mut record = mass_reboot();
        record.marks = Marks { partial: true, tls_not_verified: true, ..Marks::default() };
        record.tally.totals.operations[1].planned += 1;
        let markdown = told(&record, Format::Markdown);
        insta::assert_snapshot!(markdown.lines().take(14).collect::<Vec<_>>().join("\n"));
        let junit = told(&record, Format::Junit);
        assert!(junit.contains("failures=\"3\"") && junit.contains("the counts do not add up"), "{junit}");
        let prometheus = told(&record, Format::Prometheus);
        assert!(prometheus.contains("bootstorm_run_verdict{state=\"invalid\"} 1\n"), "{prometheus}");
        assert!(prometheus.contains("bootstorm_run_partial 1\n"), "{prometheus}");
    }

    #[test]
    fn names_read_as_they_are_told() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error, "write text, json, csv, markdown, junit, prometheus");
    }

    #[test]
    fn names_from_outside_cannot_break_out() {
        let mut summary = Summary::of(&mass_reboot());
        summary.workload.name = "a|b\n# c <script>\"\\".into();
        summary.tls.suites.insert("x|y\n\"".into(), 1);
        summary.thresholds[0].text = "p99 < 2 | `x`\n".into();
        let run = Told { summary: &summary, manifest: None, totals: None, folder: None, colour: false };
        let markdown = Format::Markdown.render(&run).unwrap();
        assert!(markdown.contains("a\\|b \\# c \\<script\\>\"\\\\"), "{markdown}");
        assert!(!markdown.lines().any(|line| line.starts_with("# c")));
        let prometheus = Format::Prometheus.render(&run).unwrap();
        assert!(prometheus.contains(r#"workload="a|b\n# c <script>\"\\""#), "{prometheus}");
        assert!(prometheus.lines().all(|line| line.starts_with("# ") || line.starts_with("bootstorm_")));
        let junit = Format::Junit.render(&run).unwrap();
        assert!(junit.contains("&lt;script"), "{junit}");
    }
}
