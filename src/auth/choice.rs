//! Which of several challenges is answered.

use super::{Algorithm, AnswerScheme, Challenge, Credentials, Session};

/// What a client is willing to answer, and which it takes if there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Preference {
    allowed: SchemeSet,
    rule: ChoiceRule,
    integrity: bool,
}

/// How one of several usable challenges is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChoiceRule {
    /// The strongest: SHA-512-256, SHA-256, MD5 (each with a session key first), Basic. Of equals the first.
    #[default]
    Strongest,
    /// The first, as RFC 7616 3.7 has it: servers list the preferred one first.
    ServerOrder,
}

/// A set of answer schemes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SchemeSet(u8);

impl SchemeSet {
    /// No scheme.
    pub const NONE: SchemeSet = SchemeSet(0);
    /// Every scheme.
    pub const ALL: SchemeSet = SchemeSet(0x7f);

    /// This set and one more scheme.
    #[must_use]
    pub const fn with(self, scheme: AnswerScheme) -> SchemeSet {
        SchemeSet(self.0 | 1 << strength(scheme))
    }

    /// This set without a scheme.
    #[must_use]
    pub const fn without(self, scheme: AnswerScheme) -> SchemeSet {
        SchemeSet(self.0 & !(1 << strength(scheme)))
    }

    /// Whether the scheme is in it.
    pub const fn contains(self, scheme: AnswerScheme) -> bool {
        self.0 >> strength(scheme) & 1 == 1
    }
}

impl FromIterator<AnswerScheme> for SchemeSet {
    fn from_iter<I: IntoIterator<Item = AnswerScheme>>(schemes: I) -> SchemeSet {
        schemes.into_iter().fold(SchemeSet::NONE, SchemeSet::with)
    }
}

/// How strong a scheme is, among the seven: 0 to 6.
const fn strength(scheme: AnswerScheme) -> u8 {
    match scheme {
        AnswerScheme::Basic => 0,
        AnswerScheme::Digest(Algorithm::Md5) => 1,
        AnswerScheme::Digest(Algorithm::Md5Sess) => 2,
        AnswerScheme::Digest(Algorithm::Sha256) => 3,
        AnswerScheme::Digest(Algorithm::Sha256Sess) => 4,
        AnswerScheme::Digest(Algorithm::Sha512_256) => 5,
        AnswerScheme::Digest(Algorithm::Sha512_256Sess) => 6,
    }
}

/// Everything, the strongest first, `auth` rather than `auth-int`.
impl Default for Preference {
    fn default() -> Preference {
        Preference::new(SchemeSet::ALL, ChoiceRule::Strongest)
    }
}

impl Preference {
    /// These schemes by this rule; `auth` rather than `auth-int` where both are offered.
    pub const fn new(allowed: SchemeSet, rule: ChoiceRule) -> Preference {
        Preference { allowed, rule, integrity: false }
    }

    /// The same, with `auth-int` where it is offered.
    #[must_use]
    pub const fn with_integrity(self) -> Preference {
        Preference { integrity: true, ..self }
    }

    /// The schemes it allows.
    pub const fn allowed(&self) -> SchemeSet {
        self.allowed
    }

    /// The rule.
    pub const fn rule(&self) -> ChoiceRule {
        self.rule
    }

    /// Whether `auth-int` is taken where both are offered.
    pub const fn integrity(&self) -> bool {
        self.integrity
    }

    /// The challenge to answer; none if none can be or may be answered.
    pub fn choose<'c>(&self, challenges: &'c [Challenge]) -> Option<&'c Challenge> {
        let mut usable =
            challenges.iter().filter_map(|c| c.scheme().map(|s| (c, s))).filter(|&(_, s)| self.allowed.contains(s));
        let taken = match self.rule {
            ChoiceRule::ServerOrder => usable.next(),
            ChoiceRule::Strongest => {
                usable.reduce(|best, next| if strength(next.1) > strength(best.1) { next } else { best })
            }
        };
        taken.map(|(challenge, _)| challenge)
    }

    /// Chooses, and opens a session that answers; see [`Session::open`].
    pub fn open(&self, challenges: &[Challenge], credentials: &Credentials, cnonce: &str) -> Option<Session> {
        Session::open_with(self.choose(challenges)?, credentials, cnonce, self.integrity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::parse_challenges;

    const BASIC: AnswerScheme = AnswerScheme::Basic;
    const MD5: AnswerScheme = AnswerScheme::Digest(Algorithm::Md5);
    const SHA256: AnswerScheme = AnswerScheme::Digest(Algorithm::Sha256);

    fn every_scheme() -> impl Iterator<Item = AnswerScheme> {
        Algorithm::ALL.into_iter().map(AnswerScheme::Digest).chain([BASIC])
    }

    #[test]
    fn sets() {
        for scheme in every_scheme() {
            assert!(SchemeSet::ALL.contains(scheme) && !SchemeSet::NONE.contains(scheme));
            assert!(SchemeSet::NONE.with(scheme).contains(scheme) && !SchemeSet::ALL.without(scheme).contains(scheme));
        }
        assert_eq!(every_scheme().collect::<SchemeSet>(), SchemeSet::ALL);
    }

    #[test]
    fn choices() {
        let digest = |algorithm: &str| format!("Digest realm=\"R\", nonce=\"n\", algorithm={algorithm}");
        let list = |names: &[&str]| -> Vec<Challenge> {
            let header = |n: &&str| if *n == "NTLM" || n.starts_with("Basic") { n.to_string() } else { digest(n) };
            let headers: Vec<String> = names.iter().map(header).collect();
            parse_challenges(headers.iter().map(String::as_bytes)).unwrap()
        };
        let only = |schemes: &[AnswerScheme]| schemes.iter().copied().collect::<SchemeSet>();
        let mixed = ["NTLM", "Basic", "MD5", "SHA-256", "MD5-sess", "SHA-3"];
        let table = [
            (&mixed[..], SchemeSet::ALL, Some(SHA256), Some(BASIC)),
            (&mixed[..], SchemeSet::ALL.without(BASIC), Some(SHA256), Some(MD5)),
            (&mixed[..], only(&[BASIC, MD5]), Some(MD5), Some(BASIC)),
            (&["SHA-3", "NTLM"][..], SchemeSet::ALL, None, None),
            (&["Basic"][..], SchemeSet::ALL.without(BASIC), None, None),
            (&[][..], SchemeSet::ALL, None, None),
        ];
        for (names, allowed, strongest, first) in table {
            let challenges = if names.is_empty() { Vec::new() } else { list(names) };
            let by = |rule| Preference::new(allowed, rule).choose(&challenges).and_then(Challenge::scheme);
            assert_eq!(by(ChoiceRule::Strongest), strongest, "{names:?}");
            assert_eq!(by(ChoiceRule::ServerOrder), first, "{names:?}");
        }
    }

    #[test]
    fn of_equals_the_first_is_taken() {
        let headers: [&[u8]; 2] = [b"Basic realm=\"a\"", b"Basic realm=\"b\""];
        let challenges = parse_challenges(headers).unwrap();
        assert_eq!(Preference::default().choose(&challenges).and_then(Challenge::realm), Some("a"));
    }

    #[test]
    fn integrity_is_used_where_it_is_preferred() {
        let header: &[u8] = b"Digest realm=\"R\", nonce=\"n\", qop=\"auth,auth-int\"";
        let challenges = parse_challenges([header]).unwrap();
        let credentials = Credentials::new("u", "p");
        for (preference, qop) in
            [(Preference::default(), "qop=auth,"), (Preference::default().with_integrity(), "qop=auth-int,")]
        {
            let value = preference.open(&challenges, &credentials, "c").unwrap().authorize("PUT", "/", b"x");
            assert!(value.to_str().unwrap().contains(qop), "{value:?}");
        }
    }
}
