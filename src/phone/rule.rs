//! Why a phone does what it does: the sentence it follows, and where that stands.

/// A sentence that a phone, or the protocol, follows, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Rule {
    /// The sentence, as its source has it; where nobody wrote one, ours, and the source says so.
    pub quote: &'static str,
    /// Where it stands: the seed text, a section of an RFC, or `assumed`.
    pub source: &'static str,
}

/// Credentials of a protection space that was entered before.
pub(super) const SPACE_KNOWN: Rule = Rule {
    quote: "... remember the username, password, nonce, nonce count, and opaque values associated with an authentication \
            session to use to construct the Authorization header field in future requests within that protection space.",
    source: "RFC 7616 section 3.6",
};

/// The same with Basic.
pub(super) const SPACE_KNOWN_BASIC: Rule = Rule {
    quote: "A client MAY preemptively send the corresponding Authorization header field with requests for resources in that \
            space without receipt of another challenge from the server.",
    source: "RFC 7617 section 2.2",
};

/// A nonce that has gone stale.
pub(super) const STALE: Rule = Rule {
    quote: "If stale is true, the client may wish to simply retry the request with a new encrypted response, without \
            re-prompting the user for a new username and password.",
    source: "RFC 7616 section 3.3",
};

/// Nothing on offer that the phone speaks.
pub(super) const NO_USABLE_SCHEME: Rule = Rule {
    quote: "When the client receives the first challenge, it SHOULD use the first challenge it supports, unless a local \
            policy dictates otherwise. (It supports none of these, so it can answer none.)",
    source: "RFC 7616 section 3.7",
};

/// A 401 nobody can read.
pub(super) const MALFORMED: Rule = Rule {
    quote: "A server generating a 401 (Unauthorized) response MUST send a WWW-Authenticate header field containing at least one \
            challenge.",
    source: "RFC 9110 section 11.6.1",
};

/// More challenges than the family answers.
pub(super) const ENOUGH: Rule = Rule {
    quote: "If the 401 response contains the same challenge as the prior response, and the user agent has already \
            attempted authentication at least once, then the user agent SHOULD present the enclosed representation to \
            the user.",
    source: "RFC 9110 section 15.5.2",
};
