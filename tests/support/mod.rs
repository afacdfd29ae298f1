//! What the tests that need sockets share: real file servers, and curl as a client that is not ours.
#![allow(dead_code, unused_imports, reason = "every test binary compiles all of this and uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test's scaffolding fails by panicking")]

pub(crate) mod curl;
pub(crate) mod live;
pub(crate) mod openssl;
pub(crate) mod runs;
pub(crate) mod servers;
