//! Colours, if asked for; and text that keeps within a page.

/// How words are set off. Without colour, nothing is added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    pub(crate) const fn new(colour: bool) -> Paint {
        Paint { colour }
    }

    /// Headings.
    pub(crate) fn strong(self, words: &str) -> String {
        self.sgr("1", words)
    }

    /// What one reads only when looking for it.
    pub(crate) fn faint(self, words: &str) -> String {
        self.sgr("2", words)
    }

    /// As it should be.
    pub(crate) fn good(self, words: &str) -> String {
        self.sgr("32", words)
    }

    /// It takes a person.
    pub(crate) fn warning(self, words: &str) -> String {
        self.sgr("33", words)
    }

    /// It fails.
    pub(crate) fn bad(self, words: &str) -> String {
        self.sgr("1;31", words)
    }

    fn sgr(self, code: &str, words: &str) -> String {
        if self.colour { format!("\x1b[{code}m{words}\x1b[0m") } else { words.to_owned() }
    }
}

/// `text` in lines of at most `width` characters, broken between words; every line after the first begins with `hang`.
pub(crate) fn wrap(text: &str, width: usize, hang: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(hang);
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(wrap("one two three", 7, "  "), "one two\n  three");
        assert_eq!(wrap("unbreakable", 3, ""), "unbreakable");
        assert_eq!(wrap("", 3, ""), "");
    }
}
