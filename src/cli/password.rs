//! A password from the environment, from a prompt without echo, or from stdin. Never from an argument.

use std::io::{self, BufRead, IsTerminal, Write};

use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};

use super::Ended;

/// The environment variable that holds it.
pub(super) const VARIABLE: &str = "BOOTSTORM_PASSWORD";

/// The password of `user`.
pub(super) fn of(user: &str) -> Result<String, Ended> {
    match std::env::var(VARIABLE) {
        Ok(password) => return Ok(password),
        Err(std::env::VarError::NotUnicode(_)) => return Err(Ended::usage(format!("{VARIABLE} is not UTF-8"))),
        Err(std::env::VarError::NotPresent) => {}
    }
    let stdin = io::stdin();
    let line = if stdin.is_terminal() { ask(&stdin, user) } else { read(&stdin) };
    match line {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(Ended::usage(format!("no password for {user:?}: set {VARIABLE}, or write it to stdin"))),
        Err(error) => Err(Ended::undone(format!("the password of {user:?} cannot be read: {error}"))),
    }
}

fn ask(stdin: &io::Stdin, user: &str) -> io::Result<Option<String>> {
    let mut stderr = io::stderr();
    write!(stderr, "Password of {user:?} (not shown): ")?;
    stderr.flush()?;
    let before = tcgetattr(stdin)?;
    let mut silent = before.clone();
    silent.local_flags.remove(LocalFlags::ECHO);
    tcsetattr(stdin, SetArg::TCSANOW, &silent)?;
    let line = read(stdin);
    tcsetattr(stdin, SetArg::TCSANOW, &before)?;
    writeln!(stderr)?;
    line
}

fn read(stdin: &io::Stdin) -> io::Result<Option<String>> {
    let mut line = String::new();
    let octets = stdin.lock().read_line(&mut line)?;
    Ok((octets > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}
