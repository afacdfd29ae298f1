//! Prometheus' text format, version 0.0.4: families of samples, each with its help and type.
//!
//! Written by hand: the crate `prometheus-client` has neither summaries nor this version of the format, and its
//! registry of live counters is not what a finished run is.

use std::fmt::Write as _;

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Quantiles, with a sum and a count.
    Summary,
    /// Counts up to bounds, with a sum and a count.
    Histogram,
}

/// The text as it grows.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
}

/// Labels of a sample, in the order in which they are written.
pub(super) type Labels<'l> = &'l [(&'l str, &'l str)];

impl Exposition {
    /// Begins a family. Its samples follow before the next one begins.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Summary => "summary",
            Kind::Histogram => "histogram",
        };
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // A string takes whatever is written to it.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// One sample.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.text.push_str(name);
        for (i, (label, value)) in labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            let _ = write!(self.text, "{}{label}=\"{value}\"", if i == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    /// A family of one sample without labels.
    pub(super) fn single(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    /// The whole.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_are_escaped_as_the_format_says() {
        let mut page = Exposition::default();
        page.family("x_total", Kind::Counter, "a \\ b\nc \"d\"");
        page.sample("x_total", &[("l", "a \\ b\nc \"d\""), ("m", "ü")], 1e21);
        page.sample("x_total", &[], 0.25);
        let want = "# HELP x_total a \\\\ b\\nc \"d\"\n# TYPE x_total counter\n\
                    x_total{l=\"a \\\\ b\\nc \\\"d\\\"\",m=\"ü\"} 1000000000000000000000\nx_total 0.25\n";
        assert_eq!(page.into_text(), want);
    }
}
