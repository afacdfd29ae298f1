//! Macros of profile rules: `$NAME`, `$(NAME)`, `$(NAME:p)`, `$(NAME:p:q)`, `$$` [doc].

/// Expands macros once; what they stand for is not expanded again, unknown names stay as they are [doc].
/// `$NAME` takes all letters and digits there are: what follows a name at once needs `$(NAME)`.
pub(super) fn expand(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some((inside, after)) = rest.strip_prefix('(').and_then(|r| r.split_once(')')) {
            match part(inside, value) {
                Some(part) => out.push_str(&part),
                None => out.push_str(&format!("$({inside})")),
            }
            rest = after;
        } else {
            let run = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
            let (name, after) = rest.split_at(run);
            match value(name) {
                Some(value) => out.push_str(&value),
                None => out.extend(["$", name]),
            }
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// `NAME`, `NAME:p` (from character `p`) or `NAME:p:q` (of length `q`), `p` and `q` not negative [doc].
fn part(inside: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut words = inside.split(':');
    let whole = value(words.next()?)?;
    let mut number = || words.next().map(|w| w.parse::<usize>());
    let (from, most) = match (number(), number(), number()) {
        (None, ..) => (0, usize::MAX),
        (Some(Ok(from)), None, _) => (from, usize::MAX),
        (Some(Ok(from)), Some(Ok(most)), None) => (from, most),
        _ => return None,
    };
    Some(whole.chars().skip(from).take(most).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "MA" => Some("000e08012345".to_owned()),
            "MAU" => Some("000E08012345".to_owned()),
            "A" => Some("$MA".to_owned()),
            _ => None,
        }
    }

    /// The vendor's own examples, for the MAC address 000E08012345 [doc].
    #[test]
    fn macros_expand_as_the_vendor_says() {
        for (text, expanded) in [
            ("spa$(MAU)config.cfg", "spa000E08012345config.cfg"),
            ("spa$STRANGE$MAU.cfg", "spa$STRANGE000E08012345.cfg"),
            ("$$MAU", "$MAU"),
            ("$(MAU:4)", "08012345"),
            ("$(MAU:8:2)", "23"),
            // Ours.
            ("/$MA.xml", "/000e08012345.xml"),
            ("/$MAU.xml", "/000E08012345.xml"),
            ("/$A", "/$MA"),
            ("/$MAx_$MA_x", "/$MAx_000e08012345_x"),
            ("/$NONE/$(NONE)/$(NONE:1)", "/$NONE/$(NONE)/$(NONE:1)"),
            ("$(MAU:99)$(MAU:4:0)$(MAU:10:99)", "45"),
            ("$(MAU:x)$(MAU:1:2:3)$(MAU:)", "$(MAU:x)$(MAU:1:2:3)$(MAU:)"),
            ("$", "$"),
            ("$(MA", "$(MA"),
            ("/$é", "/$é"),
        ] {
            assert_eq!(expand(text, &value), expanded, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd_to_expand(text in "(\\$|\\(|\\)|:|[0-9A-Zé]){0,30}") {
            expand(&text, &value);
        }

        #[test]
        fn a_text_without_macros_stays_as_it_is(text in "[^$]{0,30}") {
            prop_assert_eq!(expand(&text, &value), text);
        }
    }
}
