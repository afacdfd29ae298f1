//! A Cisco profile rule: `[--uid U --pwd P] /path/$MA.xml`, and its macros.
//!
//! What is read here is one unconditional alternative with its options; a rule with conditions,
//! alternatives, assigns or another server is refused in plain words rather than half understood.

/// One rule, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProfileRule {
    user_password: Option<(String, String)>,
    path: String,
}

impl ProfileRule {
    /// Reads a rule; `None` for an empty or disabled one (a leading `#`).
    pub(super) fn parse(text: &str) -> Result<Option<ProfileRule>, String> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        if text.starts_with('(') || text.contains('|') {
            return Err(format!(
                "`{text}`: conditions, assigns and alternatives of a profile rule are not understood by this version"
            ));
        }
        let (options, url) = match text.strip_prefix('[') {
            Some(rest) => {
                let (options, url) =
                    rest.split_once(']').ok_or_else(|| format!("`{text}`: the options' `[` is never closed"))?;
                (options, url.trim())
            }
            None => ("", text),
        };
        if url.contains("://") || !url.starts_with('/') {
            return Err(format!(
                "`{url}`: write the path only, such as `/$MA.xml`: the server itself is the target's url"
            ));
        }
        if let Some(bad) = url.chars().find(|c| c.is_whitespace() || c.is_control() || !c.is_ascii()) {
            return Err(format!("`{url}` has {bad:?}, which no URL may have; percent-encode it"));
        }
        let (mut user, mut password) = (None, None);
        let mut words = options.split_whitespace();
        while let Some(option) = words.next() {
            let mut value = || words.next().map(str::to_owned).ok_or_else(|| format!("`{option}` has no value"));
            match option {
                "--uid" => user = Some(value()?),
                "--pwd" => password = Some(value()?),
                other => return Err(format!("`{other}` is not understood; a rule's options are --uid U and --pwd P")),
            }
        }
        let user_password = match (user, password) {
            (Some(u), Some(p)) => Some((u, p)),
            (None, None) => None,
            (Some(_), None) => return Err("--uid without --pwd".into()),
            (None, Some(_)) => return Err("--pwd without --uid".into()),
        };
        Ok(Some(ProfileRule { user_password, path: url.to_owned() }))
    }

    /// The path, macros not yet expanded.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// User and password, macros not yet expanded.
    pub(super) fn credentials(&self) -> Option<(&str, &str)> {
        self.user_password.as_ref().map(|(u, p)| (u.as_str(), p.as_str()))
    }
}

/// Expands `$NAME`, `$(NAME)` and `$$`; unknown names stay as they are, values are not expanded again [doc].
/// `$NAME` takes the longest known name, as `$MAU` is not `$MA` and a `U`.
pub(super) fn expand(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        if let Some((name, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match value(name) {
                Some(v) => out.push_str(&v),
                None => out.push_str(&format!("$({name})")),
            }
            rest = after;
            continue;
        }
        let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        match (1..=run).rev().find_map(|n| value(&rest[..n]).map(|v| (n, v))) {
            Some((n, v)) => {
                out.push_str(&v);
                rest = &rest[n..];
            }
            None => out.push('$'),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_read() {
        let rule = ProfileRule::parse("[--uid $SA --pwd $SB] /prov/$MA.xml").unwrap().unwrap();
        assert_eq!(rule.credentials(), Some(("$SA", "$SB")));
        assert_eq!(rule.path(), "/prov/$MA.xml");
        assert_eq!(ProfileRule::parse("# /off.xml").unwrap(), None);
        assert_eq!(ProfileRule::parse("").unwrap(), None);
        for (wrong, says) in [
            ("[--uid a] /x", "--uid without --pwd"),
            ("[--uid a --pwd", "never closed"),
            ("[--key k] /x", "`--key` is not understood"),
            ("(\"$A\" eq \"b\")? /x", "conditions"),
            ("https://other/x", "write the path only"),
            ("/a b", "percent-encode"),
        ] {
            assert!(ProfileRule::parse(wrong).unwrap_err().contains(says), "{wrong}");
        }
    }

    #[test]
    fn macros_expand_once() {
        let value = |name: &str| match name {
            "MA" => Some("00562b043615".to_owned()),
            "MAU" => Some("00562B043615".to_owned()),
            "A" => Some("$MA".to_owned()),
            _ => None,
        };
        for (text, expanded) in [
            ("/$MA.xml", "/00562b043615.xml"),
            ("/$MAU.xml", "/00562B043615.xml"),
            ("/$(MA)x", "/00562b043615x"),
            ("/$A", "/$MA"),
            ("/$$MA", "/$MA"),
            ("/$NONE/$(NONE)", "/$NONE/$(NONE)"),
            ("$", "$"),
            ("/$é", "/$é"),
        ] {
            assert_eq!(expand(text, value), expanded, "{text}");
        }
    }
}
