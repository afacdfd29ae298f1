//! The flags that say what is searched: each stands over a key of `[capacity]`.

use clap::Args;

use crate::cli::Ended;

/// What is searched.
#[derive(Debug, Args)]
pub(super) struct AskArgs {
    /// Vary this key: phones, phase.NAME.rate, phase.NAME.over, or any number or duration, such as fleet.0.count
    #[arg(long, value_name = "KEY", help_heading = "Search")]
    find: Option<String>,
    /// One end of the range, as the key's values are written: 500, 10/s, 2m
    #[arg(long, value_name = "VALUE", help_heading = "Search")]
    from: Option<String>,
    /// The other end
    #[arg(long, value_name = "VALUE", help_heading = "Search")]
    to: Option<String>,
    /// Which way is harder for the server, larger or smaller; known for the usual keys
    #[arg(long, value_name = "WAY", value_parser = ["larger", "smaller"], help_heading = "Search")]
    harder: Option<String>,
    /// How close the answer is to be, such as 5%
    #[arg(long, value_name = "SHARE", help_heading = "Search")]
    tolerance: Option<String>,
    /// Around the knee, the majority of so many probes decides
    #[arg(long, value_name = "N", help_heading = "Search")]
    repeats: Option<String>,
    /// Rest so long between two probes
    #[arg(long, value_name = "TIME", help_heading = "Search")]
    rest: Option<String>,
    /// Do not push the server beyond its knee to see whether it comes back
    #[arg(long, help_heading = "Search")]
    no_recovery: bool,
}

/// Flags that have a value and are not a single run's.
pub(super) const WITH_VALUE: [&str; 8] =
    ["--find", "--from", "--to", "--harder", "--tolerance", "--repeats", "--rest", "--out"];
/// Flags without one.
pub(super) const BARE: [&str; 3] = ["--no-recovery", "--virtual", "--json"];

impl AskArgs {
    /// The same as assignments of `--set`.
    pub(super) fn assignments(&self) -> Vec<String> {
        // Always a text: what it means follows from the key.
        let text = |value: &str| toml::Value::String(value.to_owned()).to_string();
        let mut sets: Vec<String> = self
            .given()
            .into_iter()
            .map(|(key, value)| match key {
                "from" | "to" | "find" | "rest" => format!("capacity.{key}={}", text(value)),
                _ => format!("capacity.{key}={value}"),
            })
            .collect();
        if self.no_recovery {
            sets.push("capacity.recovery=false".to_owned());
        }
        sets
    }

    fn given(&self) -> Vec<(&'static str, &str)> {
        let flags = [
            ("find", &self.find),
            ("from", &self.from),
            ("to", &self.to),
            ("harder", &self.harder),
            ("tolerance", &self.tolerance),
            ("repeats", &self.repeats),
            ("rest", &self.rest),
        ];
        flags.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?))).collect()
    }

    /// The message with the flags as they were typed.
    pub(super) fn named(&self, ended: Ended) -> Ended {
        let message = self.given().iter().fold(ended.message, |message, (key, _)| {
            message.replace(&format!("--set capacity.{key}"), &format!("--{key}"))
        });
        Ended { message, ..ended }
    }
}
