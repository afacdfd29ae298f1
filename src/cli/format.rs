//! How a result is to be printed, as several verbs take it.

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::report::Format;

/// The format of what goes to standard output.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct FormatArgs {
    /// Print the results as text, json (summary.json), csv (one row an operation), markdown (for a pull request or a
    /// wiki), junit (the verdict and each threshold as a test case) or prometheus
    #[arg(long, value_name = "FORMAT", value_parser = formats(), hide_possible_values = true)]
    #[arg(help_heading = "Results")]
    format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format", help_heading = "Results")]
    json: bool,
}

impl FormatArgs {
    /// The format that was asked for.
    pub(super) fn chosen(self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or_default() }
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}
