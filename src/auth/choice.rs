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
