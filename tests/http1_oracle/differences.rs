//! Where our client means to differ from hyper's, and why.

use httparse::Status;

use super::stage::{Case, End, HEAD_LIMIT, Heard, Wrong};

/// What hyper reads at first: a longer head comes to it in pieces.
const READ: usize = 8 * 1024;

/// One difference that is meant.
pub(crate) struct Difference {
    pub(crate) name: &'static str,
    pub(crate) reason: &'static str,
    /// An answer that shows it.
    pub(crate) example: Case,
    /// The status each hears, and what is wrong with the answer, if anything.
    pub(crate) ours: (Option<u16>, Option<Wrong>),
    pub(crate) theirs: (Option<u16>, Option<Wrong>),
    /// Whether it is what makes the two differ in another case.
    pub(crate) covers: fn(&Case, ours: &Heard, theirs: &Heard) -> bool,
}

pub(crate) fn table() -> Vec<Difference> {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    vec![
        Difference {
            name: "a switch of protocols nobody asked for",
            reason: "a server may only switch to what the request's Upgrade names, and a phone sends none (RFC 9110 \
                     sections 7.8 and 15.2.2); hyper leaves that to its caller",
            example: Case::whole("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", End::Stay),
            ours: (Some(101), Some(Wrong::Malformed)),
            theirs: (Some(101), None),
            covers: |_, ours, theirs| (ours.status, theirs.status) == (Some(101), Some(101)),
        },
        Difference {
            name: "a head that can become none, in pieces",
            reason: "what no later octet can mend is told at once (RFC 9112 section 2.2: the grammar), as it is when it \
                     comes in one piece; hyper then waits for the head's end before it looks, and tells the \
                     connection's end instead",
            example: Case { cuts: vec![5], ..Case::whole("HTTP/1.1 20x OK\r\n", End::Close) },
            ours: (None, Some(Wrong::Malformed)),
            theirs: (None, Some(Wrong::Closed)),
            covers: |case, ours, theirs| {
                let waited = matches!(theirs.result, Err(Wrong::Closed | Wrong::Reset | Wrong::TooLarge));
                let at_once = ours.status.is_none() && matches!(ours.result, Err(Wrong::Malformed | Wrong::TooLarge));
                let pieces = !case.cuts.is_empty() || case.octets.len() > READ;
                waited && at_once && pieces && is_no_head(&case.octets)
            },
        },
        Difference {
            name: "a head that is too large, and broken beyond the limit",
            reason: "nothing beyond the limit is looked at (RFC 9112 section 2.3 leaves it to the recipient), so that the same \
                     octets are told the same however they come; hyper looks at all it happens to have read",
            example: Case::whole(["HTTP/1.1 200 OK\r\nX: ", &"x".repeat(70_000), "\u{1}\r\n\r\n"].concat(), End::Stay),
            ours: (None, Some(Wrong::TooLarge)),
            theirs: (None, Some(Wrong::Malformed)),
            covers: |case, ours, theirs| {
                case.octets.len() >= HEAD_LIMIT
                    && hears(ours, None, Wrong::TooLarge)
                    && hears(theirs, None, Wrong::Malformed)
            },
        },
        Difference {
            name: "a body longer than any phone takes",
            reason: "32 MiB are the end of a phone's patience (RFC 9110 section 8.6 lets a recipient set a limit); hyper \
                     leaves that to its caller, and takes every length but the two largest",
            example: Case::whole("HTTP/1.1 200 OK\r\nContent-Length: 33554433\r\n\r\nx", End::Close),
            ours: (Some(200), Some(Wrong::TooLarge)),
            theirs: (Some(200), Some(Wrong::Closed)),
            covers: |_, ours, _| ours.status.is_some() && matches!(ours.result, Err(Wrong::TooLarge)),
        },
        Difference {
            name: "octets beyond ASCII beside `chunked`, `close` or `keep-alive`",
            reason: "one element of a list that is no token does not spoil the others (RFC 9110 section 5.6.1); hyper \
                     passes over the whole line, and would read a chunked body to the connection's end (RFC 9112 \
                     section 6.3: chunked is the final coding)",
            example: Case::whole(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: \xe4, chunked\r\n\r\n-1\r\n", End::Close),
            ours: (Some(200), Some(Wrong::Malformed)),
            theirs: (Some(200), None),
            covers: |case, _, _| {
                case.octets.split(|octet| *octet == b'\n').any(|line| {
                    let name = line.split(|octet| *octet == b':').next().unwrap_or_default();
                    let lists = [&b"connection"[..], b"transfer-encoding"];
                    lists.iter().any(|list| name.eq_ignore_ascii_case(list)) && !line.is_ascii()
                })
            },
        },
        Difference {
            name: "trailers that are no header lines, or too many",
            reason: "trailers may be discarded (RFC 9112 section 7.1.2), and nobody looks at a phone's: only where they \
                     end is read",
            example: Case::whole([chunked, "0\r\nno colon\r\n\r\n"].concat(), End::Stay),
            ours: (Some(200), None),
            theirs: (Some(200), Some(Wrong::Malformed)),
            covers: |case, ours, theirs| {
                let discarded = ours.result.is_ok() && matches!(theirs.result, Err(Wrong::Malformed));
                discarded && trailers(&case.octets).is_some_and(|trailers| !are_header_lines(trailers))
            },
        },
        Difference {
            name: "a bare line feed or a NUL among the trailers",
            reason: "where a chunked body ends must not depend on who reads it (RFC 9112 section 11.1): a line of it \
                     ends in CR LF (section 7.1) and nothing else; hyper looks for CR LF too, then takes apart what \
                     it has found with LF for a line's end as well",
            example: Case::whole([chunked, "0\r\nA: b\n\r\n\r\n"].concat(), End::Stay),
            ours: (Some(200), Some(Wrong::Malformed)),
            theirs: (Some(200), None),
            covers: |case, ours, _| {
                matches!(ours.result, Err(Wrong::Malformed))
                    && ours.status.is_some()
                    && trailers(&case.octets).is_some_and(bare)
            },
        },
        Difference {
            name: "more than 16 KiB of trailers",
            reason: "what is read only to be discarded is limited (RFC 9112 section 7.1.1 asks for a limit on extensions); \
                     hyper's limit for trailers is its limit for heads",
            example: Case::whole([chunked, "0\r\nX: ", &"x".repeat(17_000), "\r\n\r\n"].concat(), End::Stay),
            ours: (Some(200), Some(Wrong::Malformed)),
            theirs: (Some(200), None),
            covers: |case, ours, _| {
                matches!(ours.result, Err(Wrong::Malformed))
                    && trailers(&case.octets).is_some_and(|trailers| trailers.len() > 16_000)
            },
        },
    ]
}

fn hears(heard: &Heard, status: Option<u16>, wrong: Wrong) -> bool {
    heard.status == status && heard.result == Err(wrong)
}

/// A head at the beginning of some octets, to its end; interim answers apart.
fn head(
    mut octets: &[u8],
    mut read: impl FnMut(&httparse::Response<'_, '_>),
) -> Result<Option<&[u8]>, httparse::Error> {
    loop {
        let mut lines = [httparse::EMPTY_HEADER; 100];
        let mut response = httparse::Response::new(&mut lines);
        let Status::Complete(length) = response.parse(octets)? else { return Ok(None) };
        octets = &octets[length..];
        if !(100..200).contains(&response.code.unwrap_or_default()) {
            read(&response);
            return Ok(Some(octets));
        }
    }
}

/// Whether no octets that could follow make an answer of it.
fn is_no_head(octets: &[u8]) -> bool {
    head(octets, |_| {}).is_err()
}

/// What follows the last chunk.
fn trailers(octets: &[u8]) -> Option<&[u8]> {
    let mut rest = head(octets, |_| {}).ok()??;
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let digits = rest[..line].iter().take_while(|octet| octet.is_ascii_hexdigit()).count();
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..digits]).ok()?, 16).ok()?;
        rest = &rest[line + 2..];
        if size == 0 {
            return Some(rest);
        }
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// Whether a section of trailers that ends in a blank line is one of header lines.
fn are_header_lines(octets: &[u8]) -> bool {
    let mut lines = [httparse::EMPTY_HEADER; 100];
    matches!(httparse::parse_headers(octets, &mut lines), Ok(Status::Complete(_)))
}

/// Whether a line feed is there with no carriage return before it, or a NUL.
fn bare(octets: &[u8]) -> bool {
    octets.contains(&0)
        || octets.first() == Some(&b'\n')
        || octets.windows(2).any(|two| two[1] == b'\n' && two[0] != b'\r')
}
