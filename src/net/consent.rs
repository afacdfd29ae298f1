//! The consent of those who run the target: a file on it that says who may send load.
//!
//! ```text
//! # /bootstorm-consent.txt
//! allow-load-from: 192.0.2.10, 10.1.0.0/16        addresses, networks, or `any`
//! max-phones: 5000                                optional
//! ```

use std::net::IpAddr;
use std::time::Duration;

use super::source::Sources;
use super::{NetError, Settings, preflight};
use crate::phone::Origin;

/// Where the file is.
pub const PATH: &str = "/bootstorm-consent.txt";
/// More of an answer is not read.
const MOST: usize = 16 * 1024;
/// For longer nobody waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the file allows.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Grant {
    /// From where; none: from anywhere.
    from: Option<Vec<(IpAddr, u8)>>,
    max_phones: Option<u64>,
}

/// Asks `origin` whether this machine may send it the load of so many phones, and returns the address of the file that
/// says so. One request, from the first source address; nothing else is sent.
///
/// # Errors
/// [`NetError::ConsentDenied`] if there is no such file or it does not allow this; those of the connection and of TLS.
pub async fn ask(settings: &Settings, origin: &Origin, phones: u64) -> Result<String, NetError> {
    let url = format!("{origin}{PATH}");
    let denied = |what: String| NetError::ConsentDenied { url: url.clone(), what };
    let (mut stream, own) = preflight::open(settings, origin).await?;
    // HTTP/1.0: the answer ends with the connection.
    let request =
        format!("GET {PATH} HTTP/1.0\r\nHost: {}\r\nUser-Agent: bootstorm-consent\r\n\r\n", origin.authority());
    let conversation = async {
        stream.say(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Servers that close without saying so in TLS have still said all they had to say.
        let heard = stream.hear(&mut answer, MOST).await;
        answer.truncate(MOST);
        if answer.is_empty() { heard.map(|()| answer) } else { Ok(answer) }
    };
    let answer = tokio::time::timeout(PATIENCE, conversation).await;
    let answer = answer.map_err(|_| denied("no answer within 10 s".into()))?;
    let answer = answer.map_err(|error: std::io::Error| denied(format!("no answer ({error})")))?;
    let grant = body(&answer).and_then(Grant::parse).map_err(denied)?;
    let sources = Sources::new(&settings.network.sources)?;
    let ends = sources.ends();
    grant.check(if ends.is_empty() { vec![own] } else { ends }, phones).map_err(denied)?;
    Ok(url)
}

/// The body of a successful answer.
fn body(answer: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(answer).map_err(|_| "the answer is no text".to_owned())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("the answer is no HTTP response")?;
    let status = head.split_ascii_whitespace().nth(1).unwrap_or_default();
    match (head.starts_with("HTTP/1."), status) {
        (true, "200") => Ok(body),
        (true, status) => Err(format!("the answer is {status}")),
        _ => Err("the answer is no HTTP response".to_owned()),
    }
}

impl Grant {
    fn parse(text: &str) -> Result<Grant, String> {
        let mut grant = Grant { from: Some(Vec::new()), max_phones: None };
        let mut said = false;
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (key, value) =
                line.split_once(':').ok_or_else(|| format!("it has the line `{line}`, which is no `key: value`"))?;
            match key.trim().to_ascii_lowercase().as_str() {
                "allow-load-from" => {
                    said = true;
                    for word in value.split(',').map(str::trim) {
                        match (word, &mut grant.from) {
                            ("any", from) => *from = None,
                            (_, None) => {}
                            (word, Some(from)) => from.push(network(word).ok_or_else(|| {
                                format!(
                                    "it has `{word}` where an address, a network such as 10.1.0.0/16 or `any` should be"
                                )
                            })?),
                        }
                    }
                }
                "max-phones" => {
                    let most = value.trim().parse();
                    grant.max_phones =
                        Some(most.map_err(|_| format!("its max-phones is `{}`, which is no number", value.trim()))?);
                }
                // Something this version does not know may be a condition: better not to go on.
                other => return Err(format!("it has the key `{other}`, which this version does not know")),
            }
        }
        if said { Ok(grant) } else { Err("it has no line `allow-load-from:`".to_owned()) }
    }

    fn check(&self, sources: Vec<IpAddr>, phones: u64) -> Result<(), String> {
        if let Some(from) = &self.from
            && let Some(other) = sources.iter().find(|source| !from.iter().any(|network| contains(*network, **source)))
        {
            return Err(format!("it does not allow load from {other}"));
        }
        match self.max_phones {
            Some(most) if phones > most => Err(format!("it allows {most} phones, and these are {phones}")),
            _ => Ok(()),
        }
    }
}

/// `192.0.2.7`, `10.1.0.0/16`, `2001:db8::/32`.
fn network(word: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = word.split_once('/').map_or((word, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

fn contains((network, bits): (IpAddr, u8), address: IpAddr) -> bool {
    match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(network) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(network) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_table() {
        for (text, source, phones, want) in [
            ("allow-load-from: any", "192.0.2.1", 9, Ok(())),
            ("# who\n\nAllow-Load-From: 192.0.2.1, 10.1.0.0/16\nmax-phones: 9\n", "10.1.255.3", 9, Ok(())),
            ("allow-load-from: 192.0.2.1", "::ffff:192.0.2.1", 9, Ok(())),
            ("allow-load-from: 2001:db8::/32", "2001:db8:1::9", 9, Ok(())),
            ("allow-load-from: 0.0.0.0/0", "192.0.2.1", 9, Ok(())),
            ("allow-load-from: 10.1.0.0/16", "10.2.0.1", 9, Err("it does not allow load from 10.2.0.1")),
            ("allow-load-from: 10.1.0.0/16", "2001:db8::1", 9, Err("it does not allow load from 2001:db8::1")),
            ("allow-load-from: any\nmax-phones: 8", "192.0.2.1", 9, Err("it allows 8 phones, and these are 9")),
            ("max-phones: 8", "192.0.2.1", 1, Err("it has no line `allow-load-from:`")),
            ("", "192.0.2.1", 1, Err("it has no line `allow-load-from:`")),
            (
                "allow-load-from: any\nonly-at: night",
                "192.0.2.1",
                1,
                Err("it has the key `only-at`, which this version does not know"),
            ),
            ("<html>", "192.0.2.1", 1, Err("it has the line `<html>`, which is no `key: value`")),
            (
                "allow-load-from: 10.0.0.0/33",
                "10.0.0.1",
                1,
                Err("it has `10.0.0.0/33` where an address, a network such as 10.1.0.0/16 or `any` should be"),
            ),
        ] {
            let grant = Grant::parse(text).and_then(|grant| grant.check(vec![source.parse().unwrap()], phones));
            assert_eq!(grant, want.map_err(str::to_owned), "{text:?}");
        }
    }

    #[test]
    fn answers_table() {
        for (answer, want) in [
            (&b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\nallow"[..], Ok("allow")),
            (b"HTTP/1.0 404 Not Found\r\n\r\nallow-load-from: any", Err("the answer is 404")),
            (b"HTTP/1.1 200 OK\r\n", Err("the answer is no HTTP response")),
            (b"SSH-2.0 200\r\n\r\n", Err("the answer is no HTTP response")),
            (b"\xff\r\n\r\n", Err("the answer is no text")),
        ] {
            assert_eq!(body(answer), want.map_err(str::to_owned));
        }
    }
}
