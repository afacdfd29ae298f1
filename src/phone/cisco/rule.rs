//! A profile rule, read: alternatives, conditions, assigns, options, URL. Macros are not yet expanded.
//!
//! ```text
//! rule := alt ("|" alt)*
//! alt  := ["(" condition ")?"] ["(" assigns ")!"] [ ["[" options "]"] URL ]
//! ```
//!
//! Source: the vendor's provisioning guides [doc]. Reading is in `parse.rs`, meaning in `evaluate.rs`. A rule may hold
//! credentials, so `Debug` shows none of it; [`fmt::Display`] writes it out whole and is for tests and proofs.

use std::fmt;

/// One rule: its alternatives, of which the first true or unconditional one wins.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct ProfileRule {
    /// At least one.
    pub(super) alternatives: Vec<Alternative>,
}

/// One alternative. What is absent is empty.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Alternative {
    /// Comparisons joined by `and`; none: unconditional.
    pub(super) condition: Vec<Comparison>,
    /// Parameters set before the URL is expanded.
    pub(super) assigns: Vec<Assign>,
    /// What is fetched; an alternative without it wins and fetches nothing.
    pub(super) resource: Option<Resource>,
}

/// `left operator right`.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) left: Operand,
    pub(super) operator: Operator,
    pub(super) right: Operand,
}

/// One side of a comparison, macros not yet expanded.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Operand {
    /// A text in double quotes.
    Quoted(String),
    /// An integer or a version number, or a macro that expands to one.
    Bare(String),
}

/// How two sides are compared; each operator has a sign and a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `Name = "value"`; the letters `a` to `p` are short for `GPP_A` to `GPP_P`.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Assign {
    pub(super) name: String,
    pub(super) value: String,
}

/// What is asked for, and with which options.
#[cfg_attr(test, derive(Debug))]
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Resource {
    /// `--uid U`.
    pub(super) user: Option<String>,
    /// `--pwd P`.
    pub(super) password: Option<String>,
    /// `--key K`: decrypts the profile on the phone; the request is the same.
    pub(super) key: Option<String>,
    /// `--post a`: the request is a POST with this text.
    pub(super) post: Option<String>,
    /// `--delta` of a report rule: only what has changed is sent.
    pub(super) delta: bool,
    /// The URL or the path.
    pub(super) url: String,
}

impl Operator {
    /// Every operator, longest sign first, with its sign and its word.
    pub(super) const ALL: [(Operator, &str, &str); 6] = [
        (Operator::NotEqual, "!=", "ne"),
        (Operator::LessOrEqual, "<=", "le"),
        (Operator::GreaterOrEqual, ">=", "ge"),
        (Operator::Equal, "=", "eq"),
        (Operator::Less, "<", "lt"),
        (Operator::Greater, ">", "gt"),
    ];

    fn word(self) -> &'static str {
        Operator::ALL.iter().find(|(operator, ..)| *operator == self).map_or("", |(_, _, word)| word)
    }
}

impl fmt::Debug for ProfileRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileRule").field("alternatives", &self.alternatives.len()).finish_non_exhaustive()
    }
}

impl fmt::Display for ProfileRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, alternative) in self.alternatives.iter().enumerate() {
            if n > 0 {
                f.write_str(" | ")?;
            }
            alternative.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if !self.condition.is_empty() {
            f.write_str("( ")?;
            for (n, comparison) in self.condition.iter().enumerate() {
                let and = if n > 0 { " and " } else { "" };
                let Comparison { left, operator, right } = comparison;
                write!(f, "{and}{left} {} {right}", operator.word())?;
            }
            f.write_str(" )?")?;
            gap = " ";
        }
        if !self.assigns.is_empty() {
            write!(f, "{gap}( ")?;
            for Assign { name, value } in &self.assigns {
                write!(f, "{name} = \"{value}\" ; ")?;
            }
            f.write_str(")!")?;
            gap = " ";
        }
        if let Some(resource) = &self.resource {
            write!(f, "{gap}{resource}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Quoted(text) => write!(f, "\"{text}\""),
            Operand::Bare(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let valued = [("--uid", &self.user), ("--pwd", &self.password), ("--key", &self.key), ("--post", &self.post)];
        let mut gap = "[";
        if self.delta {
            f.write_str("[--delta")?;
            gap = " ";
        }
        for (name, value) in valued.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            write!(f, "{gap}{name} ")?;
            if value.is_empty() || value.contains(|c: char| c.is_whitespace() || "[]|".contains(c)) {
                write!(f, "\"{value}\"")?;
            } else {
                f.write_str(value)?;
            }
            gap = " ";
        }
        if gap == " " {
            f.write_str("] ")?;
        }
        f.write_str(&self.url)
    }
}
