//! Headers as they may be shown: everything but secrets.

use http::HeaderValue;

/// What stands where a secret was.
const HIDDEN: &str = "***";

/// A header's value as it may be shown: of `Authorization` the scheme and what is no secret, of cookies nothing,
/// of all else everything. A Digest response is no password, but whoever has it can search for one.
pub fn shown(name: &str, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    match name.to_ascii_lowercase().as_str() {
        "authorization" | "proxy-authorization" => credentials(&text),
        "cookie" | "set-cookie" => HIDDEN.to_owned(),
        "authentication-info" | "proxy-authentication-info" => parameters(&text, &["rspauth"]),
        _ => text.into_owned(),
    }
}

fn credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once(' ') else { return HIDDEN.to_owned() };
    if scheme.eq_ignore_ascii_case("digest") {
        format!("{scheme} {}", parameters(rest, &["response"]))
    } else {
        format!("{scheme} {HIDDEN}")
    }
}

/// Parameters with the values of some of them hidden. Quoted strings may hold commas.
fn parameters(text: &str, secret: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    for part in split_quoted(text) {
        if !out.is_empty() {
            out.push(',');
        }
        let name = part.split('=').next().unwrap_or_default();
        if secret.iter().any(|s| name.trim().eq_ignore_ascii_case(s)) {
            out.push_str(&format!("{name}=\"{HIDDEN}\""));
        } else {
            out.push_str(part);
        }
    }
    out
}

/// The parts between commas that stand in no quoted string.
fn split_quoted(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        for (name, value, wanted) in [
            ("authorization", "Basic dXNlcjpzZWNyZXQ=", "Basic ***"),
            ("Authorization", "secret", "***"),
            ("authorization", "Negotiate YII=", "Negotiate ***"),
            (
                "authorization",
                "Digest username=\"a, response=b\", realm=\"R\", response=\"0123\", nc=00000001",
                "Digest username=\"a, response=b\", realm=\"R\", response=\"***\", nc=00000001",
            ),
            (
                "authorization",
                "digest response=0123,uri=\"/\\\",response=1\"",
                "digest response=\"***\",uri=\"/\\\",response=1\"",
            ),
            ("authentication-info", "rspauth=\"77\", nextnonce=\"n\"", "rspauth=\"***\", nextnonce=\"n\""),
            ("set-cookie", "id=1", "***"),
            ("user-agent", "AVAYA, really", "AVAYA, really"),
        ] {
            let shown = shown(name, &HeaderValue::from_static(value));
            assert_eq!(shown, wanted);
        }
    }
}
