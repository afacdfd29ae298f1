//! HTML and SVG as they are written: every text and every value escaped on its way in, every element closed.
//!
//! There is no way to write markup but through [`Markup`], and none of its methods takes markup as text: what a server, a
//! workload or a file name says can only become text. What it writes is well-formed as XML, too, so it can be checked.

use std::fmt::Write;

/// Names and values of attributes.
pub(super) type Attributes<'a> = &'a [(&'static str, &'a str)];

/// A page as it grows.
#[derive(Debug, Default)]
pub(super) struct Markup {
    text: String,
    open: Vec<&'static str>,
}

/// Elements that begin on a new line, so that the page's source can be read and compared.
const ON_A_LINE: [&str; 40] = [
    "article",
    "aside",
    "body",
    "br",
    "caption",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "li",
    "line",
    "main",
    "meta",
    "nav",
    "ol",
    "p",
    "path",
    "rect",
    "section",
    "style",
    "svg",
    "summary",
    "table",
    "tbody",
    "text",
    "thead",
    "title",
    "tr",
    "ul",
];

/// Longest text that is told in full, in characters: no honest path or name is longer.
const LONGEST: usize = 2_000;

impl Markup {
    /// Writes an element around what `inner` writes.
    pub(super) fn within(&mut self, tag: &'static str, attributes: Attributes, inner: impl FnOnce(&mut Markup)) {
        self.begin(tag, attributes);
        self.text.push('>');
        self.open.push(tag);
        inner(self);
        self.open.pop();
        let _ = write!(self.text, "</{tag}>");
    }

    /// Writes an element around a text.
    pub(super) fn leaf(&mut self, tag: &'static str, attributes: Attributes, text: &str) {
        self.within(tag, attributes, |m| m.text(text));
    }

    /// Writes an element that has nothing in it, now or ever.
    pub(super) fn empty(&mut self, tag: &'static str, attributes: Attributes) {
        self.begin(tag, attributes);
        self.text.push_str("/>");
    }

    /// Writes a text; one that goes on for pages is cut in its middle.
    pub(super) fn text(&mut self, text: &str) {
        let length = text.chars().count();
        if length <= LONGEST {
            return self.characters(text);
        }
        let half = LONGEST / 2;
        let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
        self.characters(&text[..at(half)]);
        let _ = write!(self.text, " … {} characters left out … ", length - LONGEST);
        self.characters(&text[at(length - half)..]);
    }

    /// Writes a text however long it is: for what is known to be bounded.
    pub(super) fn whole_text(&mut self, text: &str) {
        self.characters(text);
    }

    /// Writes the style sheet. It is this program's own, and holds nothing that XML would read as markup.
    pub(super) fn style(&mut self, sheet: &'static str) {
        debug_assert!(!sheet.contains(['<', '&']));
        let _ = write!(self.text, "\n<style>{sheet}</style>");
    }

    /// The page.
    pub(super) fn finish(self) -> String {
        debug_assert!(self.open.is_empty());
        format!("<!DOCTYPE html>{}\n", self.text)
    }

    fn begin(&mut self, tag: &'static str, attributes: Attributes) {
        if ON_A_LINE.contains(&tag) {
            self.text.push('\n');
        }
        let _ = write!(self.text, "<{tag}");
        for (name, value) in attributes {
            let _ = write!(self.text, " {name}=\"");
            self.characters(value);
            self.text.push('"');
        }
    }

    /// Markup becomes text; characters that cannot be seen, or that turn the text around them, are named instead.
    fn characters(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                '\n' | '\t' => self.text.push(c),
                // The picture of the control character: ␀ for NUL.
                '\0'..='\x1f' => self.text.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
                _ if is_unseen(c) => _ = write!(self.text, "[U+{:04X}]", c as u32),
                _ => self.text.push(c),
            }
        }
    }
}

/// Marks that change the direction of text, widths of nothing, and what is no character at all.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\x7f'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(write: impl FnOnce(&mut Markup)) -> String {
        let mut m = Markup::default();
        write(&mut m);
        m.text
    }

    #[test]
    fn texts_and_values_are_escaped() {
        let hostile = "<script>alert('x')</script> & \"more\"";
        let text = written(|m| m.leaf("b", &[("title", hostile)], hostile));
        let escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;more&quot;";
        assert_eq!(text, format!("<b title=\"{escaped}\">{escaped}</b>"));
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        let text = written(|m| m.text("a\0b\u{202e}c\u{200b}d\u{feff}\x1b[31m\r\x7f ü \u{5d0}"));
        assert_eq!(text, "a␀b[U+202E]c[U+200B]d[U+FEFF]␛[31m␍[U+007F] ü \u{5d0}");
    }

    #[test]
    fn a_very_long_text_is_cut_in_its_middle() {
        let text = written(|m| m.text(&format!("begin{}end", "ü".repeat(100_000))));
        assert!(text.starts_with("beginü") && text.ends_with("üend") && text.chars().count() < LONGEST + 60, "{text}");
        assert!(text.contains(" … 98,008 characters") || text.contains(" … 98008 characters"));
    }

    proptest! {
        #[test]
        fn no_text_becomes_markup(text in "\\PC{0,60}|[\\x00-\\x7f]{0,60}") {
            let written = written(|m| m.text(&text));
            prop_assert!(!written.contains(['<', '>', '"', '\'', '\0']));
            let rest = ["&amp;", "&lt;", "&gt;", "&quot;", "&#39;"].iter().fold(written, |t, e| t.replace(e, ""));
            prop_assert!(!rest.contains('&'));
        }
    }
}
