//! Reading a profile rule. Errors quote no more of it than the piece that is wrong, and never an option's value.

use super::super::settings::unsendable;
use super::rule::{Alternative, Assign, Comparison, Operand, Operator, ProfileRule, Resource};

impl ProfileRule {
    /// Reads a rule; `None` for an empty or disabled one (a leading `#`) [doc].
    pub(in crate::phone) fn parse(text: &str) -> Result<Option<ProfileRule>, String> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        let mut reader = Reader { rest: text };
        let mut alternatives = vec![reader.alternative()?];
        while reader.take('|') {
            alternatives.push(reader.alternative()?);
        }
        Ok(Some(ProfileRule { alternatives }))
    }
}

/// What is left of the rule.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `wanted` if it comes next.
    fn take(&mut self, wanted: char) -> bool {
        self.skip_space();
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes a text in double quotes, if one comes next. There is no way to write a quote within.
    fn quoted(&mut self) -> Result<Option<String>, String> {
        if !self.take('"') {
            return Ok(None);
        }
        let (text, rest) = self.rest.split_once('"').ok_or("a double quote is never closed")?;
        self.rest = rest;
        Ok(Some(text.to_owned()))
    }

    /// Takes as many characters as `belongs` to one run; it is told the depth of parentheses opened within.
    fn run(&mut self, belongs: impl Fn(char, u32) -> bool) -> &'t str {
        let mut depth = 0u32;
        let mut end = self.rest.len();
        for (at, c) in self.rest.char_indices() {
            if !belongs(c, depth) {
                end = at;
                break;
            }
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    fn alternative(&mut self) -> Result<Alternative, String> {
        let mut read = Alternative::default();
        self.skip_space();
        if self.rest.starts_with('(') && self.parenthesis_ends_with('?')? {
            self.take('(');
            read.condition = self.condition()?;
            self.take('?');
        }
        self.skip_space();
        if self.rest.starts_with('(') {
            if !self.parenthesis_ends_with('!')? {
                return Err("after `(…)` comes `?` (a condition) or `!` (assigns), the condition first".into());
            }
            self.take('(');
            read.assigns = self.assigns()?;
            self.take('!');
        }
        self.skip_space();
        if !self.rest.is_empty() && !self.rest.starts_with('|') {
            read.resource = Some(self.resource()?);
        }
        if read == Alternative::default() {
            return Err("an alternative is empty: on both sides of `|` stands a condition, an assign or a URL".into());
        }
        Ok(read)
    }

    /// Whether the parenthesis that opens here is closed by `)` and then `mark`.
    fn parenthesis_ends_with(&self, mark: char) -> Result<bool, String> {
        let (mut depth, mut quoted) = (0u32, false);
        for (at, c) in self.rest.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '(' if !quoted => depth += 1,
                ')' if !quoted && depth == 1 => return Ok(self.rest[at + 1..].trim_start().starts_with(mark)),
                ')' if !quoted => depth -= 1,
                _ => {}
            }
        }
        Err("a parenthesis is never closed".into())
    }

    /// The comparisons up to the closing parenthesis, which is taken.
    fn condition(&mut self) -> Result<Vec<Comparison>, String> {
        let mut comparisons = Vec::new();
        loop {
            comparisons.push(self.comparison()?);
            if self.take(')') {
                return Ok(comparisons);
            }
            if self.run(|c, _| c.is_ascii_alphabetic()) != "and" {
                return Err("comparisons are joined by `and`".into());
            }
        }
    }

    fn comparison(&mut self) -> Result<Comparison, String> {
        self.skip_space();
        // No left side means `$SWVER`, and a lone `!` is `!=`: kept by the vendor for old rules [doc].
        let left =
            if self.rest.starts_with(['!', '=', '<', '>']) { Operand::Bare("$SWVER".into()) } else { self.operand()? };
        let operator = self.operator()?;
        let right = self.operand()?;
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        match (&left, &right) {
            (Operand::Quoted(_), Operand::Quoted(_)) if ordered => {
                Err("quoted strings can only be compared with eq and ne".into())
            }
            (Operand::Quoted(_), Operand::Bare(bare)) | (Operand::Bare(bare), Operand::Quoted(_)) => {
                Err(format!("`{bare}` stands without quotes, what it is compared with has them; quote both or none"))
            }
            _ => Ok(Comparison { left, operator, right }),
        }
    }

    fn operand(&mut self) -> Result<Operand, String> {
        if let Some(text) = self.quoted()? {
            return Ok(Operand::Quoted(text));
        }
        let bare = self.run(|c, depth| !c.is_whitespace() && !"=!<>\"|".contains(c) && (c != ')' || depth > 0));
        let number = |text: &str| super::evaluate::Number::read(text).is_some();
        if bare.is_empty() {
            return Err("a comparison lacks one of its sides".into());
        }
        if bare.matches('(').count() != bare.matches(')').count() {
            return Err(format!("`{bare}` opens a parenthesis and does not close it"));
        }
        if !bare.contains('$') && !number(bare) {
            return Err(format!("`{bare}` is no integer, version number or macro; a text stands in double quotes"));
        }
        Ok(Operand::Bare(bare.to_owned()))
    }

    fn operator(&mut self) -> Result<Operator, String> {
        self.skip_space();
        if let Some((operator, sign, _)) = Operator::ALL.iter().find(|(_, sign, _)| self.rest.starts_with(sign)) {
            self.rest = &self.rest[sign.len()..];
            return Ok(*operator);
        }
        if self.take('!') {
            return Ok(Operator::NotEqual);
        }
        let word = self.run(|c, _| c.is_ascii_alphabetic());
        let known = Operator::ALL.iter().find(|(_, _, name)| *name == word);
        known
            .map(|(operator, ..)| *operator)
            .ok_or_else(|| format!("`{word}` is no operator; there are = eq != ne < lt <= le > gt >= ge"))
    }

    /// The assigns up to the closing parenthesis, which is taken.
    fn assigns(&mut self) -> Result<Vec<Assign>, String> {
        let mut assigns = Vec::new();
        while !self.take(')') {
            let name = self.run(|c, _| c.is_ascii_alphanumeric() || c == '_');
            if name.is_empty() || !self.take('=') {
                return Err("an assign is written Name = \"value\" ;".into());
            }
            let name = match name.as_bytes() {
                [letter @ b'a'..=b'p'] => format!("GPP_{}", letter.to_ascii_uppercase() as char),
                _ => name.to_owned(),
            };
            let value = self.quoted()?.ok_or_else(|| format!("the value of `{name}` stands in double quotes"))?;
            assigns.push(Assign { name, value });
            if !self.take(';') && !self.rest.starts_with(')') {
                return Err("assigns are separated by `;`".into());
            }
        }
        if assigns.is_empty() {
            return Err("`( )!` assigns nothing".into());
        }
        Ok(assigns)
    }

    fn resource(&mut self) -> Result<Resource, String> {
        let mut read = Resource::default();
        if self.take('[') {
            while !self.take(']') {
                self.option(&mut read)?;
            }
        }
        self.skip_space();
        let url = self.run(|c, _| c != '|').trim_end();
        read.url = checked_url(url)?.to_owned();
        match (&read.user, &read.password) {
            (Some(_), None) => Err("--uid without --pwd".into()),
            (None, Some(_)) => Err("--pwd without --uid".into()),
            _ => Ok(read),
        }
    }

    fn option(&mut self, read: &mut Resource) -> Result<(), String> {
        let name = self.run(|c, _| !c.is_whitespace() && c != ']');
        let slot = match name {
            "" => return Err("the options' `[` is never closed".into()),
            "--delta" => {
                read.delta = true;
                return Ok(());
            }
            "--uid" => &mut read.user,
            "--pwd" => &mut read.password,
            "--key" => &mut read.key,
            "--post" => &mut read.post,
            other if other.starts_with("--") => {
                return Err(format!("`{other}` is no option; there are --uid U, --pwd P, --key K, --post T, --delta"));
            }
            // It may well be a piece of a password.
            _ => return Err("a word among the options is none; a value with blanks stands in double quotes".into()),
        };
        let value = match self.quoted()? {
            Some(value) => value,
            None => match self.run(|c, _| !c.is_whitespace() && !"\"[]|".contains(c)) {
                "" => return Err(format!("`{name}` has no value")),
                value => value.to_owned(),
            },
        };
        if slot.replace(value).is_some() {
            return Err(format!("`{name}` is given twice"));
        }
        Ok(())
    }
}

/// A URL that can be sent, as far as one can tell before macros are expanded.
fn checked_url(url: &str) -> Result<&str, String> {
    if url.is_empty() {
        return Err("there are options, but no URL".into());
    }
    // Brackets may stand around an address, and nowhere else.
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", url),
    };
    let bad = unsendable(path).or_else(|| unsendable(authority.trim_matches(['[', ']'])).filter(|c| *c != ']'));
    if let Some(bad) = bad {
        return Err(format!("the URL has {bad:?}, which none may have; percent-encode it"));
    }
    match url.split_once("://") {
        Some((scheme, _)) if !scheme.contains('$') && !["http", "https"].contains(&&*scheme.to_ascii_lowercase()) => {
            Err(format!("`{scheme}` is not spoken here; the scheme is http or https"))
        }
        Some((_, rest)) if rest.contains('@') => {
            Err("a user or password stands in the URL; they belong in [--uid U --pwd P]".into())
        }
        Some((_, rest)) if !rest.contains('/') => Err("the URL has no path; one is needed, if only `/`".into()),
        None if !url.starts_with(['/', '$']) => Err(
            "the URL has no scheme, which to the phone means TFTP; write a path such as `/$MA.xml` for the target, or \
             a whole URL"
                .into(),
        ),
        _ => Ok(url),
    }
}
