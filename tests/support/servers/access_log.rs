//! A server's own account of what it was asked, in the one format all three are configured to write.

use std::collections::BTreeMap;
use std::fmt;

/// One line: one exchange as the server saw it. Written as the log has it: `PUT /backup/2001_96xxdata.txt 201 2001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LogLine {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    pub(crate) status: u16,
    /// The user. Of a refused request, nginx and Apache name whom it named; lighttpd names nobody.
    pub(crate) user: Option<String>,
}

impl LogLine {
    /// Reads `METHOD PATH STATUS USER`.
    pub(super) fn parse(line: &str) -> Option<LogLine> {
        let (head, user) = line.rsplit_once(' ')?;
        let (head, status) = head.rsplit_once(' ')?;
        let (method, path) = head.split_once(' ')?;
        Some(LogLine {
            method: method.to_owned(),
            path: path.to_owned(),
            status: status.parse().ok()?,
            user: (user != "-").then(|| user.to_owned()),
        })
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.user.as_deref().unwrap_or("-");
        write!(f, "{} {} {} {user}", self.method, self.path, self.status)
    }
}

/// How many exchanges ended with which status.
pub(crate) fn by_status(log: &[LogLine]) -> BTreeMap<u16, u64> {
    log.iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line.status).or_default() += 1;
        counts
    })
}
