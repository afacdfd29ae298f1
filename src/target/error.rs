//! What can keep the target from starting, and what to do about it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// The target cannot be set up or started.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Somebody listens there already.
    #[error(
        "{address} is taken: another program listens there; stop it, or name another port (port 0 takes a free one)"
    )]
    PortInUse {
        /// Where it should have listened.
        address: SocketAddr,
    },
    /// The address or port cannot be had.
    #[error("cannot listen on {address}: {cause}; name an address of this machine, and a port that this user may take")]
    CannotBind {
        /// Where it should have listened.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
    /// The folder for uploads cannot be used.
    #[error("cannot store uploads in {}: {cause}; name a folder that exists and that this user may write to", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {}: {cause}", file.display())]
    File {
        /// `read`, `write` or `create`.
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A line of the users' file is not `user,password`.
    #[error("{}, line {line}: {problem}; each line is user,password", file.display())]
    Users {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong, never the line itself.
        problem: &'static str,
    },
    /// The realm cannot stand in a header.
    #[error("the realm {0:?} cannot stand in a header: leave out control characters")]
    Realm(String),
    /// The keys or certificates cannot be made or used.
    #[error("cannot {action}: {cause}; {remedy}")]
    Tls {
        /// What failed.
        action: &'static str,
        /// What the library says.
        cause: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A thread or a runtime cannot be started.
    #[error("cannot start an accept loop: {0}; ask for fewer accept loops or raise the limit on processes")]
    AcceptLoop(io::Error),
}
