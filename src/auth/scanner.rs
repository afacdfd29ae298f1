//! Reading the words of authentication headers, tolerant of what real peers send.

use std::borrow::Cow;

/// A reader over one header's text. It stops only at ASCII characters, so every piece is whole text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'t> {
    rest: &'t str,
}

/// A parameter's value as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value<'t> {
    /// The text, unescaped.
    pub(super) text: Cow<'t, str>,
    /// Whether it stood in quotes.
    pub(super) quoted: bool,
    /// Whether the closing quote is missing.
    pub(super) unclosed: bool,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        Scanner { rest: text }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    /// Skips blanks.
    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_blank);
    }

    /// Skips blanks and commas; says whether there was a comma.
    pub(super) fn skip_separators(&mut self) -> bool {
        let before = self.rest;
        self.rest = before.trim_start_matches(|c| is_blank(c) || c == ',');
        before[..before.len() - self.rest.len()].contains(',')
    }

    /// The next word: everything up to a blank, comma, equals sign or quote. May be empty.
    pub(super) fn word(&mut self) -> &'t str {
        self.take_until(|c| is_blank(c) || matches!(c, ',' | '=' | '"'))
    }

    /// Takes the equals sign that comes next, over blanks; nothing is taken if there is none.
    pub(super) fn equals(&mut self) -> bool {
        let after = self.rest.trim_start_matches(is_blank).strip_prefix('=');
        if let Some(after) = after {
            self.rest = after;
        }
        after.is_some()
    }

    /// Takes equals signs that come next without a blank: the padding of a token68.
    pub(super) fn padding(&mut self) -> &'t str {
        self.take_until(|c| c != '=')
    }

    /// Skips one character, whatever it is.
    pub(super) fn skip_one(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    /// The value after an equals sign: a quoted string, or everything up to a blank or comma.
    pub(super) fn value(&mut self) -> Value<'t> {
        self.skip_blanks();
        match self.rest.strip_prefix('"') {
            Some(inside) => self.quoted(inside),
            None => {
                let text = self.take_until(|c| is_blank(c) || c == ',');
                Value { text: Cow::Borrowed(text), quoted: false, unclosed: false }
            }
        }
    }

    fn quoted(&mut self, inside: &'t str) -> Value<'t> {
        let plain = inside.find(['"', '\\']).unwrap_or(inside.len());
        let (text, rest) = inside.split_at(plain);
        if let Some(rest) = rest.strip_prefix('"') {
            self.rest = rest;
            return Value { text: Cow::Borrowed(text), quoted: true, unclosed: false };
        }
        let mut text = text.to_owned();
        let mut chars = rest.chars();
        let mut unclosed = true;
        while let Some(c) = chars.next() {
            match c {
                '"' => {
                    unclosed = false;
                    break;
                }
                '\\' => text.extend(chars.next()),
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Value { text: Cow::Owned(text), quoted: true, unclosed }
    }

    fn take_until(&mut self, stop: impl Fn(char) -> bool) -> &'t str {
        let (taken, rest) = self.rest.split_at(self.rest.find(stop).unwrap_or(self.rest.len()));
        self.rest = rest;
        taken
    }
}

/// Blank in a header; a line break of obsolete folding counts as one (RFC 9112 5.2).
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether it is a token (RFC 9110 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}

/// Whether it is a token68 without its padding (RFC 9110 11.2).
pub(super) fn is_token68(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values() {
        // input, text, quoted, unclosed, what is left
        let table = [
            (" abc, d", "abc", false, false, ", d"),
            ("\"a b\"c", "a b", true, false, "c"),
            (r#""a\"b\\c" d"#, r#"a"b\c"#, true, false, " d"),
            ("\"ab", "ab", true, true, ""),
            (r#""ab\"#, "ab", true, true, ""),
            ("", "", false, false, ""),
            ("a=b\"c d", "a=b\"c", false, false, " d"),
            ("\"\u{e4}\\\u{20ac}\"", "\u{e4}\u{20ac}", true, false, ""),
        ];
        for (input, text, quoted, unclosed, left) in table {
            let mut s = Scanner::new(input);
            assert_eq!(s.value(), Value { text: text.into(), quoted, unclosed }, "{input}");
            assert_eq!(s.rest(), left, "{input}");
        }
    }
}
