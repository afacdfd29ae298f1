//! `name=value` lists of authentication headers.

use std::borrow::Cow;

use super::scanner::{Scanner, is_token};

/// The parameters of one challenge, answer or info header, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters<'t> {
    list: Vec<(&'t str, Cow<'t, str>)>,
    /// A quoted value ran to the end of the header.
    pub(super) unclosed: bool,
    /// Something between the parameters is none.
    pub(super) stray: bool,
}

impl<'t> Parameters<'t> {
    /// The most that are kept; no scheme has a third as many. Who sends more wants to cost time.
    const MOST: usize = 50;

    /// Reads a whole list; what is no parameter is passed over and noted.
    pub(super) fn read(text: &'t str) -> Parameters<'t> {
        let mut all = Parameters::default();
        let mut s = Scanner::new(text);
        loop {
            s.skip_separators();
            if s.is_at_end() {
                return all;
            }
            let name = s.word();
            if is_token(name) && s.equals() {
                let value = s.value();
                all.unclosed |= value.unclosed;
                all.push(name, value.text);
            } else {
                all.stray = true;
                if name.is_empty() {
                    s.skip_one();
                }
            }
        }
    }

    pub(super) fn push(&mut self, name: &'t str, value: Cow<'t, str>) {
        if self.list.len() < Parameters::MOST {
            self.list.push((name, value));
        } else {
            self.stray = true;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The value of the first parameter of this name, in any case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.list.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_ref())
    }

    /// The value as text of its own.
    pub(super) fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Whether the value is `true`, in any case.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v.trim().eq_ignore_ascii_case("true"))
    }

    /// A parameter that is there twice, with different values: a reader cannot know which is meant.
    pub(super) fn contradiction(&self) -> Option<&'t str> {
        let differs = |i: usize, name: &str, value: &str| {
            self.list[..i].iter().any(|(n, v)| n.eq_ignore_ascii_case(name) && v != value)
        };
        self.list.iter().enumerate().find(|(i, (name, value))| differs(*i, name, value)).map(|(_, (name, _))| *name)
    }

    /// Adds to the last value: what follows after a blank belongs to an unquoted value all the same.
    pub(super) fn extend_last(&mut self, separator: char, more: &str) {
        if let Some((_, value)) = self.list.last_mut() {
            let value = value.to_mut();
            value.push(separator);
            value.push_str(more);
        }
    }

    /// The name of the last parameter.
    pub(super) fn last_name(&self) -> Option<&'t str> {
        self.list.last().map(|(name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_peers_write_them() {
        let table = ["a=1,b=\"2\"", " A = 1 , b = 2 ", ",,a=1 b=2", "a=\"1\"; b=2", "a=1,\r\n b=2"];
        for text in table {
            let p = Parameters::read(text);
            assert_eq!((p.get("a").map(|v| v.trim_end_matches(';')), p.get("B")), (Some("1"), Some("2")), "{text}");
        }
    }

    #[test]
    fn there_is_a_most() {
        let many = "a=1,".repeat(Parameters::MOST) + "b=2";
        let p = Parameters::read(&many);
        assert_eq!((p.get("a"), p.get("b"), p.stray), (Some("1"), None, true));
    }

    #[test]
    fn contradictions_are_found() {
        assert_eq!(Parameters::read("a=1, A=2").contradiction(), Some("A"));
        assert_eq!(Parameters::read("a=1, a=\"1\", b=2").contradiction(), None);
    }
}
