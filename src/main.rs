//! The `bootstorm` binary. All of it is in the library.

use std::process::ExitCode;

/// A storm takes buffers by the ten thousand and gives them back when its connections are parked. What is given back this
/// allocator returns to the system; the system's own (glibc) kept nearly all of it, in holes (docs/scale.md).
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    bootstorm::cli::main()
}
