//! What a profile rule means for one phone: a pure function of rule and variables.

use std::cmp::Ordering;

use super::macros::expand;
use super::rule::{Alternative, Comparison, Operand, Operator, ProfileRule};
use crate::auth::Credentials;

/// What a rule comes to: what it assigns, and what it asks for, if anything.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Evaluated {
    /// Parameters set, in order, macros expanded.
    pub(super) assigns: Vec<(String, String)>,
    /// `None`: the rule is skipped: no alternative is true, or the one that is names no URL.
    pub(super) request: Option<RuleRequest>,
}

/// What a rule asks for, macros expanded. It may hold credentials: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RuleRequest {
    /// The URL or the path.
    pub(super) url: String,
    /// `--uid` and `--pwd`.
    pub(super) credentials: Option<Credentials>,
    /// `--post`: the text to be posted.
    pub(super) post: Option<String>,
    /// `--delta`.
    pub(super) delta: bool,
}

impl ProfileRule {
    /// The first true or unconditional alternative wins; none true: the rule is skipped [doc]. Its assigns are made
    /// before its URL is expanded [doc].
    pub(super) fn evaluate(&self, value: &dyn Fn(&str) -> Option<String>) -> Evaluated {
        let Some(winner) = self.alternatives.iter().find(|a| a.holds(value)) else { return Evaluated::default() };
        let assigns: Vec<(String, String)> =
            winner.assigns.iter().map(|a| (a.name.clone(), expand(&a.value, value))).collect();
        let value = |name: &str| assigned(&assigns, name).or_else(|| value(name));
        let request = winner.resource.as_ref().map(|resource| {
            let expanded = |text: &Option<String>| text.as_ref().map(|text| expand(text, &value));
            RuleRequest {
                url: expand(&resource.url, &value),
                credentials: expanded(&resource.user)
                    .zip(expanded(&resource.password))
                    .map(|(user, password)| Credentials::new(user, password)),
                post: expanded(&resource.post),
                delta: resource.delta,
            }
        });
        Evaluated { assigns, request }
    }
}

/// What `name` stands for after these assigns: `$A` is `GPP_A`, `$SA` is `GPP_SA`, other parameters go by their name.
pub(super) fn assigned(assigns: &[(String, String)], name: &str) -> Option<String> {
    let is = |known: &str| known == name || known.strip_prefix("GPP_") == Some(name);
    assigns.iter().rev().find(|(known, _)| is(known)).map(|(_, value)| value.clone())
}

impl Alternative {
    fn holds(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        self.condition.iter().all(|comparison| comparison.holds(value))
    }
}

impl Comparison {
    /// A side that is no number when its macros are expanded makes the comparison false [assumed].
    fn holds(&self, value: &dyn Fn(&str) -> Option<String>) -> bool {
        let ordering = match (&self.left, &self.right) {
            (Operand::Quoted(left), Operand::Quoted(right)) => {
                let same = expand(left, value) == expand(right, value);
                Some(if same { Ordering::Equal } else { Ordering::Less })
            }
            (Operand::Bare(left), Operand::Bare(right)) => {
                let [left, right] = [left, right].map(|side| Number::read(&expand(side, value)));
                left.zip(right).map(|(left, right)| left.compare(&right))
            }
            _ => None,
        };
        ordering.is_some_and(|ordering| match self.operator {
            Operator::Equal => ordering.is_eq(),
            Operator::NotEqual => ordering.is_ne(),
            Operator::Less => ordering.is_lt(),
            Operator::LessOrEqual => ordering.is_le(),
            Operator::Greater => ordering.is_gt(),
            Operator::GreaterOrEqual => ordering.is_ge(),
        })
    }
}

/// An integer or a version number: integers separated by periods, then letters, digits or `(…)` [doc].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    parts: Vec<i64>,
    suffix: String,
}

impl Number {
    pub(super) fn read(text: &str) -> Option<Number> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
        let (digits, suffix) = text.split_at(end);
        let parts: Vec<i64> = digits.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let fits = parts.len() <= 4 && (parts.len() > 1 || suffix.is_empty());
        let not_negative = parts.len() == 1 || parts.iter().all(|part| *part >= 0);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '(' | ')' | '-' | '.' | '_');
        (fits && not_negative && suffix.chars().all(plain)).then(|| Number { parts, suffix: suffix.to_owned() })
    }

    /// Part by part, a missing one being 0; then the suffix, by its letters [assumed].
    fn compare(&self, other: &Number) -> Ordering {
        let part = |number: &Number, n: usize| number.parts.get(n).copied().unwrap_or(0);
        let most = self.parts.len().max(other.parts.len());
        let parts = (0..most).map(|n| part(self, n).cmp(&part(other, n))).find(|ordering| ordering.is_ne());
        parts.unwrap_or_else(|| self.suffix.cmp(&other.suffix))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::rule::{Assign, Resource};
    use super::*;

    fn value(name: &str) -> Option<String> {
        Some(
            match name {
                "MA" => "000e08012345",
                "MAU" => "000E08012345",
                "PN" => "CP-8851-3PCC",
                "PSN" => "8851-3PCC",
                "SWVER" => "11.3.1",
                "PRVTMR" => "1500",
                "PRVST" => "-1",
                "SA" => "user",
                "SB" => "secret word",
                "CCERT" => "Installed",
                "B" => "7",
                _ => return None,
            }
            .to_owned(),
        )
    }

    fn read(text: &str) -> ProfileRule {
        ProfileRule::parse(text).unwrap_or_else(|e| panic!("{text}: {e}")).unwrap()
    }

    fn url(text: &str) -> Option<String> {
        read(text).evaluate(&value).request.map(|r| r.url)
    }

    /// The vendor's own examples [doc], and each sentence of the grammar.
    #[test]
    fn rules_come_to_what_the_vendor_says() {
        for (text, asks) in [
            ("/$MA.cfg", Some("/000e08012345.cfg")),
            ("http://neptune.speak.net:8080/prov/$D/$E.cfg", Some("http://neptune.speak.net:8080/prov/$D/$E.cfg")),
            ("https://secure.me.com/profile?Linksys", Some("https://secure.me.com/profile?Linksys")),
            ("[--key $B] /p", Some("/p")),
            ("( $SWVER ne 2.0.6 )? http://ps.tell.com/sw/spa021024.bin", Some("http://ps.tell.com/sw/spa021024.bin")),
            ("( $SWVER ge 2.0.6 and \"$CCERT\" eq \"Installed\" )? /yes", Some("/yes")),
            ("( $PRVTMR gt 1200 and \"$EXTIP\" ne \"\" )? /yes", Some("/yes")),
            ("( $SWVER lt 11.3 )? /old | /new", Some("/new")),
            ("( ! 1.0.33 )? /yes", Some("/yes")),
            ("( < 11.3.1(G) )? /yes", Some("/yes")),
            ("($PRVST = -1)? /explicit | ($PRVST = 0)? /boot | /else", Some("/explicit")),
            ("($PRVST != -1)? /no | ($PRVST > 0)? /no", None),
            ("(\"$PN\" eq \"CP-8851-3PCC\")? /$PSN.xml", Some("/8851-3PCC.xml")),
            ("(\"$PN\"!=\"CP-8851-3PCC\")?/no|/yes", Some("/yes")),
            (
                "( $SWVER >= 11.0 )? ( User_ID_1_ = \"uid$B\" ; c = \"\" ; d = \"$MA\" ; )! /$C$D/$(GPP_D)",
                Some("/000e08012345/000e08012345"),
            ),
            ("( c = \"x\" )!", None),
            ("(\"a\" = \"b\")? /no", None),
            ("($STRANGE = 1)? /no | /yes", Some("/yes")),
            ("($(MAU:0:3) = 0)? /yes", Some("/yes")),
            ("($(MAU:9:3) = 345)? /yes", Some("/yes")),
            ("($SWVER = 11.3.1)? /yes", Some("/yes")),
            ("($SWVER <= 11.3.0)? /no", None),
        ] {
            assert_eq!(url(text).as_deref(), asks, "{text}");
        }
    }

    #[test]
    fn options_are_expanded() {
        let request = read("[--uid $SA --pwd $SB --post \"a $B\"] /$MA.xml").evaluate(&value).request.unwrap();
        assert!(request.credentials == Some(Credentials::new("user", "secret word")));
        assert_eq!(request.post.as_deref(), Some("a 7"));
        assert!(!request.delta);
        assert!(read("[--delta] /report").evaluate(&value).request.unwrap().delta);
    }

    #[test]
    fn assigns_are_told_in_order() {
        let evaluated = read("( User_ID_1_ = \"uid$B\" ; c = \"\" ; GPP_D = \"$MA\" )!").evaluate(&value);
        let told: Vec<_> = evaluated.assigns.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(told, [("User_ID_1_", "uid7"), ("GPP_C", ""), ("GPP_D", "000e08012345")]);
    }

    #[test]
    fn disabled_and_empty_rules_are_none() {
        for text in ["", "  ", "# /off.xml", " #"] {
            assert!(ProfileRule::parse(text).unwrap().is_none(), "{text}");
        }
    }

    /// Wrong rules are told in plain words, and never with an option's value in them.
    #[test]
    fn wrong_rules_are_told() {
        for (wrong, says) in [
            ("[--uid a] /x", "--uid without --pwd"),
            ("[--pwd geheim] /x", "--pwd without --uid"),
            ("[--uid a --pwd", "`--pwd` has no value"),
            ("[--uid a --pwd geheim /x", "a word among the options is none"),
            ("[--uid a --uid b --pwd c] /x", "`--uid` is given twice"),
            ("[--cipher geheim] /x", "`--cipher` is no option"),
            ("[--uid a --pwd \"geheim] /x", "never closed"),
            ("[--uid a --pwd geheim]", "no URL"),
            ("(\"$A\" lt \"b\")? /x", "only be compared with eq and ne"),
            ("(\"$A\" eq b)? /x", "`b` is no integer"),
            ("(\"$A\" eq 3)? /x", "quote both or none"),
            ("($A like 3)? /x", "`like` is no operator"),
            ("($A = 3 or $B = 4)? /x", "joined by `and`"),
            ("($A = )? /x", "lacks one of its sides"),
            ("($A = 3) /x", "`?` (a condition) or `!` (assigns)"),
            ("( c = \"x\" )! ($A = 3)? /x", "the URL has"),
            ("($A = 3", "never closed"),
            ("( c = x )!", "in double quotes"),
            ("( )!", "assigns nothing"),
            ("/x | ", "an alternative is empty"),
            ("tftp://other/x", "`tftp` is not spoken here"),
            ("192.168.1.130/profiles/init.cfg", "means TFTP"),
            ("https://u:geheim@h/x", "belong in [--uid U --pwd P]"),
            ("https://h", "has no path"),
            ("/a b", "percent-encode"),
        ] {
            let told = ProfileRule::parse(wrong).expect_err(wrong);
            assert!(told.contains(says), "{wrong}: {told}");
            assert!(!told.contains("geheim"), "{wrong}: {told}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_rule() {
        assert!(!format!("{:?}", read("[--uid a --pwd geheim] /x")).contains("geheim"));
    }

    fn operand() -> impl Strategy<Value = (Operand, Operand, Operator)> {
        let number = || {
            prop_oneof![
                "-?[0-9]{1,6}",
                "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9](\\([A-Za-z0-9]{1,3}\\))?",
                Just("$SWVER".to_owned()),
                Just("$(MAU:4:2)".to_owned())
            ]
        };
        let text = || "[^\"]{0,8}";
        let any = prop::sample::select(Operator::ALL.map(|(o, ..)| o).to_vec());
        let equal = prop::sample::select(vec![Operator::Equal, Operator::NotEqual]);
        prop_oneof![
            (number(), number(), any).prop_map(|(a, b, o)| (Operand::Bare(a), Operand::Bare(b), o)),
            (text(), text(), equal).prop_map(|(a, b, o)| (Operand::Quoted(a), Operand::Quoted(b), o)),
        ]
    }

    fn resource() -> impl Strategy<Value = Resource> {
        let url = prop_oneof!["/[a-zA-Z0-9$().:?=_-]{0,12}", "https?://[a-z]{1,5}(:[0-9]{1,4})?/[a-z$]{0,5}"];
        let value = || "[^\"\\t\\r\\n]{0,6}";
        let login = prop::option::of((value(), value()));
        (url, login, prop::option::of(value()), prop::option::of(value()), any::<bool>()).prop_map(
            |(url, login, key, post, delta)| {
                let (user, password) = login.unzip();
                Resource { user, password, key, post, delta, url }
            },
        )
    }

    fn alternative() -> impl Strategy<Value = Alternative> {
        let comparison = operand().prop_map(|(left, right, operator)| Comparison { left, operator, right });
        let assign = ("[A-Z][A-Za-z0-9_]{1,8}", "[^\"]{0,8}").prop_map(|(name, value)| Assign { name, value });
        (prop::collection::vec(comparison, 0..3), prop::collection::vec(assign, 0..3), prop::option::of(resource()))
            .prop_map(|(condition, assigns, resource)| Alternative { condition, assigns, resource })
            .prop_filter("not empty", |a| *a != Alternative::default())
    }

    proptest! {
        #[test]
        fn a_printed_rule_reads_back(alternatives in prop::collection::vec(alternative(), 1..4)) {
            let rule = ProfileRule { alternatives };
            let printed = rule.to_string();
            let again = ProfileRule::parse(&printed);
            prop_assert!(again == Ok(Some(rule)), "{}: {:?}", printed, again.err());
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = ProfileRule::parse(&text);
        }

        #[test]
        fn no_text_of_its_own_words_makes_it_panic(
            words in prop::collection::vec(prop::sample::select(vec![
                "(", ")?", ")!", ")", "[", "]", "|", "\"", "$A", "$(MA:1:2)", "=", "!", "ne", "and", "11.3.1(G)", "/x", "--uid", "--pwd", " ", "é", ";", "c",
            ]), 0..20)
        ) {
            if let Ok(Some(rule)) = ProfileRule::parse(&words.concat()) {
                rule.evaluate(&value);
                prop_assert!(ProfileRule::parse(&rule.to_string()) == Ok(Some(rule)));
            }
        }
    }
}
