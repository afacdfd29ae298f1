//! OpenSSL's own client, to look at a server with code that is not ours.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What `openssl s_client` says of the server: certificates, OCSP response, session; trusting the CA of this file alone.
pub(crate) fn look(address: SocketAddr, ca: &Path, arguments: &[&str]) -> String {
    let out = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string(), "-status", "-showcerts", "-servername", "localhost"])
        .args(["-no-CApath", "-no-CAstore", "-CAfile"])
        .arg(ca)
        .args(arguments)
        // End of input: it leaves once the handshake is done.
        .stdin(Stdio::null())
        .output()
        .expect("run scripts/test, it installs openssl");
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}
