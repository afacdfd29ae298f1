//! Colours, if asked for.

use crate::metrics::Validity;

/// How words are set off. Without colour, nothing is added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    colour: bool,
}

impl Style {
    pub(super) fn new(colour: bool) -> Style {
        Style { colour }
    }

    /// Headings.
    pub(super) fn strong(self, words: &str) -> String {
        self.sgr("1", words)
    }

    /// What is as it should be.
    pub(super) fn good(self, words: &str) -> String {
        self.sgr("32", words)
    }

    /// What needs a second look.
    pub(super) fn warning(self, words: &str) -> String {
        self.sgr("33", words)
    }

    /// What failed.
    pub(super) fn bad(self, words: &str) -> String {
        self.sgr("1;31", words)
    }

    /// The colour of a verdict.
    pub(super) fn verdict(self, state: Validity, words: &str) -> String {
        match state {
            Validity::Valid => self.good(words),
            Validity::Degraded => self.warning(words),
            Validity::Invalid => self.bad(words),
        }
    }

    fn sgr(self, code: &str, words: &str) -> String {
        if self.colour { format!("\x1b[{code}m{words}\x1b[0m") } else { words.to_owned() }
    }
}
