//! The environment, which stands below the flags: `BOOTSTORM_PHONES` is what `--phones` would be.

use std::ffi::OsString;

/// The variable that gave this flag its value; `None` if the command line did, or nothing.
pub(super) fn variable_for(flag: &str) -> Option<String> {
    let variable = variable(flag);
    let given = std::env::var_os(&variable).is_some();
    (given && !typed(flag, std::env::args_os())).then_some(variable)
}

fn variable(flag: &str) -> String {
    format!("BOOTSTORM_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase())
}

/// Whether the flag is on the command line, as `--flag VALUE` or `--flag=VALUE`.
fn typed(flag: &str, arguments: impl IntoIterator<Item = OsString>) -> bool {
    arguments.into_iter().any(|argument| {
        let argument = argument.to_string_lossy();
        argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_on_the_command_line_is_found() {
        let table = [("--seed 5", true), ("--seed=5", true), ("--seeds 5", false), ("run seed", false), ("", false)];
        for (line, want) in table {
            assert_eq!(typed("--seed", line.split(' ').map(OsString::from)), want, "{line}");
        }
    }

    #[test]
    fn variables_are_named_after_their_flags() {
        assert_eq!(variable("--target"), "BOOTSTORM_TARGET");
        assert_eq!(variable("--access-log"), "BOOTSTORM_ACCESS_LOG");
    }
}
