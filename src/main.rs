//! The `bootstorm` binary. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    bootstorm::cli::main()
}
